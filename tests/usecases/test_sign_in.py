"""Signing in: codes and passwords work once, in time, a few times; a sign-in ends when somebody says so."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask, current_app
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.errors import NotSignedIn, TooManyRequests, Unavailable, WrongCode
from recycling.extensions import db
from recycling.models.counters import spend_attempt
from recycling.models.people import OneTimeCode, Resident, SignIn, Staff
from recycling.models.transaction import atomic
from recycling.policy.access import SYSTEM, Principal
from recycling.policy.district import District
from recycling.usecases.people.sign_in import (
    PASSWORDS_PER_ADDRESS,
    PASSWORDS_PER_LOGIN,
    SignedIn,
    find_principal,
    hasher,
    refresh_sign_in,
    send_code,
    sign_in_resident,
    sign_in_staff,
    sign_out,
)
from recycling.usecases.people.staff import AddStaff, add_staff, close_staff, renew_staff
from tests.callers import PASSWORD, KeptSms

PHONE = "13812345678"
ADDRESS = "192.0.2.7"


class Desk:
    """Asks for codes and signs in, at an instant of its own."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session, self.now, self.sms = session, now, KeptSms()

    def send(self, phone: str = PHONE, address: str = ADDRESS) -> tuple[UUID, str]:
        """Have a code sent; its id, and the code as it stands in the text message."""
        code_id = send_code(phone, address=address, sms=self.sms, session=self.session, now=self.now)
        return code_id, self.sms.last_code(phone)

    def answer(self, code_id: UUID, code: str) -> SignedIn:
        """Sign in with a code."""
        return sign_in_resident(code_id, code, session=self.session, now=self.now)

    def later(self, **spans: float) -> Desk:
        """Move on in time."""
        self.now += timedelta(**spans)
        return self

    def who(self, signed: SignedIn) -> Principal | None:
        """Who a sign-in belongs to, at this instant."""
        return find_principal(signed.sign_in_id, session=self.session, now=self.now)


@pytest.fixture
def desk(session: Session, now: datetime) -> Desk:
    return Desk(session, now)


def other_than(code: str) -> str:
    return "000000" if code != "000000" else "000001"


# --- codes ---


def test_the_code_is_in_the_text_message_and_nowhere_in_the_table(desk: Desk, session: Session) -> None:
    code_id, code = desk.send()
    row = session.get_one(OneTimeCode, code_id)
    assert len(code) == 6
    assert code.encode() not in row.code_digest
    assert len(row.code_digest) == 32


def test_a_code_signs_in_once(desk: Desk) -> None:
    code_id, code = desk.send()
    signed = desk.answer(code_id, code)
    assert signed.role == "resident"
    assert desk.who(signed) is not None
    with pytest.raises(WrongCode):
        desk.answer(code_id, code)


def test_a_code_used_by_two_at_once_signs_one_of_them_in(app: Flask, desk: Desk, session: Session) -> None:
    # given one code and eight threads that use it at the same instant
    code_id, code = desk.send()
    session.rollback()
    start = threading.Barrier(8)

    def use(_: int) -> bool:
        with app.app_context():
            start.wait(timeout=30)
            try:
                sign_in_resident(code_id, code, session=db.session(), now=desk.now)
            except WrongCode:
                return False
            return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(use, range(8)))
    # then one of them is in
    assert sum(won) == 1
    assert session.scalars(select(func.count()).select_from(SignIn)).one() == 1


def test_a_code_lasts_five_minutes_to_the_second(desk: Desk) -> None:
    first_id, first = desk.send()
    desk.later(minutes=5, microseconds=-1)
    assert desk.answer(first_id, first).role == "resident"
    # the next is sent at 10:04:59.999999 and refused when its five minutes are full
    second_id, second = desk.send()
    desk.later(minutes=5)
    with pytest.raises(WrongCode):
        desk.answer(second_id, second)


def test_four_wrong_tries_leave_a_fifth(desk: Desk) -> None:
    code_id, code = desk.send()
    for _ in range(4):
        with pytest.raises(WrongCode):
            desk.answer(code_id, other_than(code))
    assert desk.answer(code_id, code).role == "resident"


def test_five_wrong_tries_use_the_code_up_and_stay_counted(app: Flask, desk: Desk) -> None:
    code_id, code = desk.send()
    for _ in range(5):
        with pytest.raises(WrongCode):
            desk.answer(code_id, other_than(code))
    # each refusal raised, and yet its try is in the database for every other connection to see
    with app.app_context():
        assert db.session.get_one(OneTimeCode, code_id).tries_left == 0
    with pytest.raises(WrongCode):
        desk.answer(code_id, code)


def test_a_code_belongs_to_its_own_request(desk: Desk) -> None:
    # given two codes sent to two phones
    first_id, first = desk.send("13900000001")
    second_id, second = desk.send("13900000002")
    # then neither opens the other's sign-in (the two are equal once in a million runs)
    with pytest.raises(WrongCode):
        desk.answer(first_id, second if second != first else other_than(first))
    with pytest.raises(WrongCode):
        desk.answer(uuid4(), first)
    assert desk.answer(second_id, second).role == "resident"


def test_the_same_phone_is_the_same_resident(desk: Desk, session: Session) -> None:
    signed = [desk.answer(*desk.send()), desk.later(minutes=1).answer(*desk.send())]
    people = {desk.who(one) for one in signed}
    assert len(people) == 1
    assert session.scalars(select(func.count()).select_from(Resident)).one() == 1


def test_a_phone_gets_one_code_a_minute_five_an_hour_ten_a_day(desk: Desk) -> None:
    # 10:00:00 in Shanghai is the first second of its minute and hour, and 02:00 of the UTC day
    desk.send()
    with pytest.raises(TooManyRequests) as refused:
        desk.later(seconds=20).send()
    assert refused.value.retry_after_s == 40
    # minutes 1 to 4: the second to fifth of the hour
    desk.later(seconds=-20)
    for _ in range(4):
        desk.later(minutes=1).send()
    with pytest.raises(TooManyRequests) as refused:
        desk.later(minutes=1).send()
    # five minutes past: 3600 - 300 s
    assert refused.value.retry_after_s == 3300
    # next hour: the sixth to tenth of the day
    desk.later(minutes=55)
    for minute in range(5):
        desk.later(minutes=1 if minute else 0).send()
    with pytest.raises(TooManyRequests) as refused:
        desk.later(minutes=56).send()
    # it is 04:00 UTC: 20 hours left of the day
    assert refused.value.retry_after_s == 20 * 3600


def test_an_address_gets_thirty_codes_an_hour_whatever_the_phones(desk: Desk) -> None:
    for number in range(30):
        desk.send(f"139000000{number:02d}")
    with pytest.raises(TooManyRequests):
        desk.send("13900000099")
    assert len(desk.sms.sent) == 30
    # the phone that was refused for the address has lost nothing: it works from another address at once
    desk.send("13900000099", address="198.51.100.1")


def test_a_refused_request_sends_no_text(desk: Desk) -> None:
    desk.send()
    with pytest.raises(TooManyRequests):
        desk.send()
    assert len(desk.sms.sent) == 1


def test_a_gateway_that_is_down_is_said_and_counted(session: Session, now: datetime) -> None:
    class DeadSms:
        def send(self, phone: str, text: str, *, message_id: UUID) -> None:
            raise Unavailable("the provider does not answer")

    with pytest.raises(Unavailable):
        send_code(PHONE, address=ADDRESS, sms=DeadSms(), session=session, now=now)
    # the attempt stays spent, or a dead provider would lift the limit
    with pytest.raises(TooManyRequests):
        send_code(PHONE, address=ADDRESS, sms=KeptSms(), session=session, now=now)


# --- a sign-in's life ---


def test_a_refresh_token_works_once_and_its_second_use_ends_the_sign_in(desk: Desk, session: Session) -> None:
    # given a sign-in renewed once
    signed = desk.answer(*desk.send())
    renewed = refresh_sign_in(signed.sign_in_id, signed.refresh_count, session=session, now=desk.now)
    assert (renewed.sign_in_id, renewed.refresh_count) == (signed.sign_in_id, 1)
    # when the old token comes again: somebody has a copy
    with pytest.raises(NotSignedIn):
        refresh_sign_in(signed.sign_in_id, signed.refresh_count, session=session, now=desk.now)
    # then nobody is signed in any more, neither the thief nor the owner with the newer token
    assert desk.who(signed) is None
    with pytest.raises(NotSignedIn):
        refresh_sign_in(signed.sign_in_id, renewed.refresh_count, session=session, now=desk.now)


def test_signing_out_is_dead_at_once_and_twice_is_fine(desk: Desk, session: Session) -> None:
    signed, other = desk.answer(*desk.send()), desk.later(minutes=1).answer(*desk.send())
    sign_out(signed.sign_in_id, session=session, now=desk.now)
    sign_out(signed.sign_in_id, session=session, now=desk.now)
    assert desk.who(signed) is None
    with pytest.raises(NotSignedIn):
        refresh_sign_in(signed.sign_in_id, 0, session=session, now=desk.now)
    # the person's other device stays signed in
    assert desk.who(other) is not None


def test_a_residents_sign_in_lasts_thirty_days_and_renewing_does_not_stretch_it(desk: Desk, session: Session) -> None:
    signed = desk.answer(*desk.send())
    desk.later(days=30, microseconds=-1)
    renewed = refresh_sign_in(signed.sign_in_id, 0, session=session, now=desk.now)
    assert renewed.expires_at == signed.expires_at
    assert desk.who(signed) is not None
    assert desk.later(microseconds=1).who(signed) is None


# --- staff ---


@pytest.fixture
def dispatcher(session: Session, district: District, now: datetime) -> str:
    command = AddStaff(login="diao-du", name="调度一", role="dispatcher", password=PASSWORD)
    add_staff(command, by=SYSTEM, district=district, session=session, now=now)
    return command.login


def sign_in(session: Session, now: datetime, login: str, password: str = PASSWORD, address: str = ADDRESS) -> SignedIn:
    rules: District = current_app.extensions["district"]
    return sign_in_staff(login, password, address=address, district=rules, session=session, now=now)


def test_staff_sign_in_for_a_shift(desk: Desk, session: Session, dispatcher: str) -> None:
    signed = sign_in(session, desk.now, dispatcher)
    assert signed.role == "dispatcher"
    # twelve hours, to the microsecond
    assert desk.later(hours=12, microseconds=-1).who(signed) is not None
    assert desk.later(microseconds=1).who(signed) is None


def test_unknown_wrong_and_closed_are_told_the_same(
    session: Session, now: datetime, district: District, dispatcher: str
) -> None:
    add_staff(
        AddStaff(login="gone", name="离职", role="clerk", password=PASSWORD),
        by=SYSTEM, district=district, session=session, now=now,
    )  # fmt: skip
    close_staff("gone", by=SYSTEM, session=session, now=now)
    told = set()
    for login, password in (("nobody", PASSWORD), (dispatcher, "wrong password"), ("gone", PASSWORD)):
        with pytest.raises(WrongCode) as refused:
            sign_in(session, now, login, password)
        told.add(refused.value.message)
    assert len(told) == 1


def test_a_closed_account_is_dead_at_once_on_every_device(desk: Desk, session: Session, dispatcher: str) -> None:
    devices = [sign_in(session, desk.now, dispatcher) for _ in range(2)]
    close_staff(dispatcher, by=SYSTEM, session=session, now=desk.now)
    assert [desk.who(one) for one in devices] == [None, None]
    for one in devices:
        with pytest.raises(NotSignedIn):
            refresh_sign_in(one.sign_in_id, 0, session=session, now=desk.now)


def test_a_login_takes_ten_passwords_in_a_quarter_of_an_hour_from_one_address(
    session: Session, now: datetime, dispatcher: str
) -> None:
    for _ in range(10):
        with pytest.raises(WrongCode):
            sign_in(session, now, dispatcher, "wrong password")
    # the eleventh is not looked at, even when it is right; 10:05 is 10 minutes before the quarter ends
    with pytest.raises(TooManyRequests) as refused:
        sign_in(session, now + timedelta(minutes=5), dispatcher)
    assert refused.value.retry_after_s == 600
    # its owner, who sits elsewhere, is not kept out
    assert sign_in(session, now + timedelta(minutes=5), dispatcher, address="198.51.100.1").role == "dispatcher"
    assert sign_in(session, now + timedelta(minutes=15), dispatcher).role == "dispatcher"


def test_a_login_takes_a_hundred_passwords_an_hour_from_all_addresses_together(
    session: Session, now: datetime, dispatcher: str
) -> None:
    with atomic(session):
        for _ in range(100):
            spend_attempt(session, kind="password_login", subject=dispatcher, limits=PASSWORDS_PER_LOGIN, now=now)
    with pytest.raises(TooManyRequests):
        sign_in(session, now, dispatcher)
    assert sign_in(session, now + timedelta(hours=1), dispatcher).role == "dispatcher"


def test_an_address_takes_a_hundred_passwords_in_a_quarter_of_an_hour(
    session: Session, now: datetime, dispatcher: str
) -> None:
    # given an address that has tried ninety-nine passwords on other logins
    with atomic(session):
        for _ in range(99):
            spend_attempt(session, kind="password_address", subject=ADDRESS, limits=PASSWORDS_PER_ADDRESS, now=now)
    # then the hundredth is looked at and the next is not, whatever the login
    assert sign_in(session, now, dispatcher).role == "dispatcher"
    with pytest.raises(TooManyRequests):
        sign_in(session, now, "another")
    assert sign_in(session, now, dispatcher, address="198.51.100.1").role == "dispatcher"


@pytest.mark.parametrize("change", ["renewed", "closed"])
def test_a_password_checked_while_it_is_taken_away_opens_nothing(
    app: Flask, session: Session, now: datetime, dispatcher: str, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    # given somebody whose password is just being looked at, outside any transaction, when the account changes
    class Hasher:
        def hash(self, password: str) -> str:
            return hasher.hash(password)

        def verify(self, known_hash: str, password: str) -> None:
            hasher.verify(known_hash, password)
            with app.app_context():
                if change == "renewed":
                    renew_staff(dispatcher, "another long password", by=SYSTEM, session=db.session(), now=now)
                else:
                    close_staff(dispatcher, by=SYSTEM, session=db.session(), now=now)

    monkeypatch.setattr("recycling.usecases.people.sign_in.hasher", Hasher())
    # then the sign-in that was under way ends with all the others
    with pytest.raises(WrongCode):
        sign_in(session, now, dispatcher)
    assert session.scalars(select(func.count()).select_from(SignIn)).one() == 0


def test_a_password_is_kept_as_an_argon2id_hash(session: Session, dispatcher: str) -> None:
    stored = session.scalars(select(Staff.password_hash)).one()
    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored
