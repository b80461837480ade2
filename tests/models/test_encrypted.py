"""Personal data at rest: unreadable in the table, readable after a change of keys, bound to its column."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import uuid4

import pytest
from cryptography.exceptions import InvalidTag
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from recycling.errors import ConfigError
from recycling.models.booking import Booking
from recycling.models.encrypted import Keyring, keyring
from recycling.models.people import OneTimeCode, Resident, phone_index
from recycling.policy.district import District
from tests.builders import a_booking, a_resident

PHONE = "13812345678"
ADDRESS = "清泉路 77 号 3 单元 502"
NOTE = "按门铃 1234"
OLD, NEW, INDEX = bytes(range(32, 64)), bytes(range(64, 96)), bytes(range(32))


@pytest.fixture
def keys_put_back(app: Flask) -> Iterator[None]:
    """Leave the keyring as the app configured it."""
    yield
    configured = app.config
    keyring.configure(
        keys=configured["DATA_KEYS"], current=configured["DATA_KEY_ID"], index_key=configured["INDEX_KEY"]
    )


def stored_bytes(session: Session, table: str) -> bytes:
    """Every value of a table as the database holds it, end to end."""
    rows = session.execute(text(f'SELECT * FROM "{table}"')).all()
    assert rows, f"{table} is empty"
    return b"|".join(
        bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode() for row in rows for value in row
    )


def test_phone_and_place_cannot_be_read_in_the_table(session: Session, district: District, now: datetime) -> None:
    # given a resident with a phone, and a booking with an address and a note
    resident = Resident(id=uuid4(), phone=PHONE, phone_index=phone_index(PHONE), created_at=now)
    session.add(resident)
    session.add(OneTimeCode(id=uuid4(), phone=PHONE, code_digest=b"x" * 32, tries_left=5, expires_at=now))
    session.commit()
    a_booking(session, district=district, now=now, by=a_resident(session, now=now), address=ADDRESS, note=NOTE)
    # then no table's raw bytes hold them, in UTF-8 or UTF-16
    raw = b"".join(stored_bytes(session, table) for table in ("resident", "one_time_code", "booking"))
    for secret in (PHONE, ADDRESS, NOTE, "34.8", "117.26"):
        assert secret.encode() not in raw
        assert secret.encode("utf-16-le") not in raw
    # and the rows read back as they were written
    session.expire_all()
    assert session.get_one(Resident, resident.id).phone == PHONE
    booking = session.scalars(select(Booking)).one()
    assert booking.place == {"address": ADDRESS, "lat": 34.8, "lon": 117.26, "note": NOTE}


def test_two_equal_values_are_stored_differently(app: Flask) -> None:
    # a fresh nonce each time: equal addresses cannot be told from the table
    assert keyring.encrypt(b"same", context="c") != keyring.encrypt(b"same", context="c")


@pytest.mark.usefixtures("keys_put_back")
def test_rows_of_a_retired_key_stay_readable_and_new_rows_use_the_new_key(session: Session, now: datetime) -> None:
    # given a row written under key 1
    keyring.configure(keys={1: OLD}, current=1, index_key=INDEX)
    old = Resident(id=uuid4(), phone=PHONE, phone_index=phone_index(PHONE), created_at=now)
    session.add(old)
    session.commit()
    # when key 2 becomes the current one, key 1 kept for reading
    keyring.configure(keys={1: OLD, 2: NEW}, current=2, index_key=INDEX)
    new = Resident(id=uuid4(), phone="13900000001", phone_index=phone_index("13900000001"), created_at=now)
    session.add(new)
    session.commit()
    # then both read, and the first byte of the stored value names the key
    assert [session.get_one(Resident, row_id).phone for row_id in (old.id, new.id)] == [PHONE, "13900000001"]
    first_bytes = {bytes(value)[0] for (value,) in session.execute(text("SELECT phone FROM resident"))}
    assert first_bytes == {1, 2}
    # and the phone is still found by its index, whose key does not change with the data key
    assert session.scalars(select(Resident.id).where(Resident.phone_index == phone_index(PHONE))).one() == old.id


@pytest.mark.usefixtures("keys_put_back")
def test_without_its_key_a_row_does_not_open(session: Session, now: datetime) -> None:
    keyring.configure(keys={1: OLD}, current=1, index_key=INDEX)
    sealed = keyring.encrypt(b"13812345678", context="resident.phone")
    # when the key under the same id is another one
    keyring.configure(keys={1: NEW}, current=1, index_key=INDEX)
    with pytest.raises(InvalidTag):
        keyring.decrypt(sealed, context="resident.phone")


def test_a_value_moved_to_another_column_does_not_decrypt(session: Session, now: datetime) -> None:
    # given a code's phone copied by direct SQL into the resident's phone column
    session.add(OneTimeCode(id=uuid4(), phone=PHONE, code_digest=b"x" * 32, tries_left=5, expires_at=now))
    session.add(Resident(id=uuid4(), phone="13900000001", phone_index=phone_index("13900000001"), created_at=now))
    session.commit()
    session.execute(text("UPDATE resident SET phone = (SELECT phone FROM one_time_code)"))
    session.commit()
    # then it is refused rather than shown as the resident's
    with pytest.raises(InvalidTag):
        session.scalars(select(Resident)).all()
    session.rollback()


@pytest.mark.parametrize("at", [0, 1, 13, -1])
def test_a_changed_byte_is_noticed(app: Flask, at: int) -> None:
    # key id, nonce, ciphertext and tag in turn
    sealed = bytearray(keyring.encrypt(b"13812345678", context="c"))
    sealed[at] ^= 1
    with pytest.raises((InvalidTag, KeyError)):
        keyring.decrypt(bytes(sealed), context="c")


@pytest.mark.parametrize(
    ("keys", "current", "named"),
    [({1: b"short"}, 1, "5 bytes"), ({256: OLD}, 256, "0 to 255"), ({1: OLD}, 2, "current id 2")],
)
def test_a_keyring_that_cannot_work_is_refused(keys: dict[int, bytes], current: int, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        Keyring().configure(keys=keys, current=current, index_key=INDEX)
