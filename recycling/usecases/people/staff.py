"""Accounts of people who work in the network."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import Conflict, InvalidInput, NotFound
from recycling.logs import logger
from recycling.models.audit import audit
from recycling.models.base import insert_into
from recycling.models.people import SignIn, Staff
from recycling.models.transaction import atomic
from recycling.policy.access import STAFF_ROLES, Principal, Role
from recycling.policy.district import District
from recycling.usecases.people import sign_in

log = logger(__name__)

LOGIN_FORM = re.compile(r"[a-z0-9][a-z0-9._-]{2,31}")
LONGEST_NAME = 64  # characters, as wide as the column
SHORTEST_PASSWORD = 12  # characters; NIST SP 800-63B asks for at least 8, and for length over rules


@dataclass(frozen=True, slots=True, kw_only=True)
class AddStaff:
    """A new account. ``station_key`` is for keepers, ``collector_key`` for collectors, both from the configuration."""

    login: str
    name: str
    role: Role
    password: str
    station_key: str | None = None
    collector_key: str | None = None


def add_staff(command: AddStaff, *, by: Principal, district: District, session: Session, now: datetime) -> Staff:
    """Open an account.

    Raises
    ------
    InvalidInput
        When login, password, role or its key cannot be used.
    Conflict
        When the login or the collector has an account already.
    """
    if not LOGIN_FORM.fullmatch(command.login):
        raise InvalidInput(
            f"login {command.login!r}: use 3 to 32 small letters, digits, dots, dashes"
            " / 登录名请用 3 至 32 位小写字母、数字、点或短横"
        )
    if not command.name.strip() or len(command.name) > LONGEST_NAME or not command.name.isprintable():
        raise InvalidInput(f"name {command.name[:LONGEST_NAME]!r}: use 1 to {LONGEST_NAME} printable characters")
    _check_password(command.password)
    if command.role not in STAFF_ROLES:
        raise InvalidInput(f"role {command.role!r} is no staff role; choose from {', '.join(STAFF_ROLES)}")
    stations, collectors = district.network.stations, district.network.collectors
    if (command.role == "keeper") != (command.station_key is not None) or (
        command.station_key is not None and command.station_key not in stations
    ):
        raise InvalidInput(
            f"station_key {command.station_key!r}: a keeper, and nobody else, has one of {list(stations)}"
            " / 仅站点保管员须选择站点"
        )
    if (command.role == "collector") != (command.collector_key is not None) or (
        command.collector_key is not None and command.collector_key not in collectors
    ):
        raise InvalidInput(
            f"collector_key {command.collector_key!r}: a collector, and nobody else, has one of network.toml"
            " / 仅回收员须选择人员"
        )
    password_hash = sign_in.hasher.hash(command.password)
    with atomic(session):
        # The unique columns decide, not a look beforehand: of two who open one account at once, one hears Conflict.
        made = session.scalar(
            insert_into(session, Staff)
            .values(
                id=uuid4(), login=command.login, name=command.name, role=command.role, password_hash=password_hash,
                station_key=command.station_key, collector_key=command.collector_key, active=True, created_at=now,
            )
            .on_conflict_do_nothing()
            .returning(Staff.id)
        )  # fmt: skip
        if made is None:
            raise Conflict(
                f"login {command.login!r} or its collector has an account already; choose another,"
                " or give that one a new password with: flask staff renew"
                " / 登录名或该回收员已有账号，请换登录名，或为已有账号重设密码"
            )
        staff = session.get_one(Staff, made)
        audit(
            session, action="staff.added", subject=made, by=by, now=now,
            facts={
                "role": command.role, "station_key": command.station_key, "collector_key": command.collector_key,
            },
        )  # fmt: skip
    log.info("staff.added", staff_id=str(staff.id), role=staff.role, by_id=str(by.id))
    return staff


def renew_staff(who: str | UUID, password: str, *, by: Principal, session: Session, now: datetime) -> None:
    """Give an account, named by login or id, a new password and end its sign-ins; a closed one is open again.

    Raises
    ------
    InvalidInput
        When the password is too short.
    NotFound
        When there is no such account.
    """
    _check_password(password)
    password_hash = sign_in.hasher.hash(password)
    with atomic(session):
        staff = _account(who, session)
        was_active, staff.password_hash, staff.active = staff.active, password_hash, True
        _end_sign_ins(staff, session, now=now)
        facts = {"role": staff.role, "reopened": not was_active}
        audit(session, action="staff.renewed", subject=staff.id, by=by, now=now, facts=facts)
    log.info("staff.renewed", staff_id=str(staff.id), by_id=str(by.id))


def close_staff(who: str | UUID, *, by: Principal, session: Session, now: datetime) -> None:
    """Close an account, named by login or id, and end its sign-ins at once.

    Raises
    ------
    NotFound
        When there is no such account.
    Conflict
        When it is the caller's own: nobody locks the door behind themselves.
    """
    with atomic(session):
        staff = _account(who, session)
        if staff.id == by.id:
            raise Conflict(
                "this is your own account; another administrator closes it / 不能停用自己的账号，请由其他管理员操作"
            )
        staff.active = False
        _end_sign_ins(staff, session, now=now)
        audit(session, action="staff.closed", subject=staff.id, by=by, now=now, facts={"role": staff.role})
    log.info("staff.closed", staff_id=str(staff.id), by_id=str(by.id))


def _check_password(password: str) -> None:
    if len(password) < SHORTEST_PASSWORD:
        raise InvalidInput(
            f"the password has {len(password)} characters; use at least {SHORTEST_PASSWORD}"
            f" / 密码仅 {len(password)} 位，至少 {SHORTEST_PASSWORD} 位"
        )


def _account(who: str | UUID, session: Session) -> Staff:
    named = Staff.id == who if isinstance(who, UUID) else Staff.login == who
    staff = session.scalar(select(Staff).where(named).with_for_update())
    if staff is None:
        raise NotFound(f"no staff account {str(who)!r}; open one with: flask staff add / 没有该账号")
    return staff


def _end_sign_ins(staff: Staff, session: Session, *, now: datetime) -> None:
    for row in session.scalars(select(SignIn).where(SignIn.staff_id == staff.id, SignIn.ended_at.is_(None))):
        row.ended_at = now
