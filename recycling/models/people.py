"""Residents, staff, and their sign-ins. Personal data of residents lives here only."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from recycling.errors import DeviceProofRefused
from recycling.models.base import Base, UtcDateTime, WithId, insert_if_absent, insert_into, key_column, one_of
from recycling.models.encrypted import EncryptedText, keyring
from recycling.policy.access import STAFF_ROLES, Role
from recycling.policy.device_proof import DeviceProof


def phone_index(phone: str) -> bytes:
    """The keyed digest by which a phone number is found without being readable."""
    return keyring.digest(phone, context="phone")


class Resident(WithId, Base):
    """A person who hands over goods, known by a mobile number.

    ``declined_at`` is since when they want no reminders and advice; ``None`` while they take them.
    A row with ``erased_at`` is a pseudonym: nobody's phone, under which an erased person's bookings stay countable.
    """

    __tablename__ = "resident"

    phone: Mapped[str] = mapped_column(EncryptedText("resident.phone"))
    phone_index: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    declined_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


def resident_of(session: Session, phone: str, *, now: datetime) -> UUID:
    """The resident of a phone, made on first sight; two first sights at once end with one row."""
    index = phone_index(phone)
    session.execute(
        insert_into(session, Resident)
        .values(id=uuid4(), phone=phone, phone_index=index, created_at=now)
        .on_conflict_do_nothing(index_elements=["phone_index"])
    )
    return session.scalars(select(Resident.id).where(Resident.phone_index == index)).one()


class Staff(WithId, Base):
    """Somebody who works in the network and signs in with a name and a password."""

    __tablename__ = "staff"
    __table_args__ = (
        one_of("role", STAFF_ROLES),
        CheckConstraint("(role = 'keeper') = (station_key IS NOT NULL)", name="keeper_has_station"),
        CheckConstraint("(role = 'collector') = (collector_key IS NOT NULL)", name="collector_has_key"),
    )

    login: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(64))
    role: Mapped[Role] = mapped_column(String(16))
    password_hash: Mapped[str] = mapped_column(String(256))
    station_key: Mapped[str | None] = key_column()
    collector_key: Mapped[str | None] = key_column(unique=True)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class OneTimeCode(WithId, Base):
    """A sign-in code sent to a phone: kept as a digest, good once, for five minutes and five tries."""

    __tablename__ = "one_time_code"
    __table_args__ = (CheckConstraint("tries_left >= 0", name="tries_left"),)

    phone: Mapped[str] = mapped_column(EncryptedText("one_time_code.phone"))
    code_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    tries_left: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SignIn(WithId, Base):
    """One signed-in device. Every token names its sign-in, so ending the row ends the tokens at the next request.

    It may be bound: an app's by ``key_thumbprint``, the SHA-256 of a key that never leaves the device (RFC 7638), a
    browser's by ``browser_digest``, of the secret in a cookie of its own. ``seen_at`` is coarse.
    """

    __tablename__ = "sign_in"
    __table_args__ = (
        CheckConstraint("(resident_id IS NULL) <> (staff_id IS NULL)", name="one_person"),
        CheckConstraint("key_thumbprint IS NULL OR browser_digest IS NULL", name="one_binding"),
        CheckConstraint("key_thumbprint IS NULL OR device_id IS NOT NULL", name="key_of_device"),
    )

    resident_id: Mapped[UUID | None] = mapped_column(ForeignKey("resident.id"), index=True)
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"), index=True)
    device_id: Mapped[UUID | None]
    key_thumbprint: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    browser_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    refresh_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class UsedDeviceProof(Base):
    """A device proof that was used: no second request may come with it. Kept until its age alone refuses it."""

    __tablename__ = "used_device_proof"

    mark: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


def use_device_proof(session: Session, proof: DeviceProof) -> None:
    """Use a device proof up; of two requests that come with it, the row lets one through.

    Raises
    ------
    DeviceProofRefused
        When it was used before.
    """
    if not insert_if_absent(session, UsedDeviceProof, mark=proof.mark, expires_at=proof.expires_at):
        raise DeviceProofRefused(
            "this device proof was used before; make one with a new jti for every request, also for a repeated one"
            " / 设备签名已被使用，每次请求请重新签名"
        )


def browser_digest(secret: str) -> bytes:
    """The keyed digest by which a browser's secret is known again without being readable."""
    return keyring.digest(secret, context="browser")
