"""Signing in: residents by a one-time code to their phone, staff by a password."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID, uuid4

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.errors import DeviceProofRequired, NotSignedIn, WrongCode
from recycling.gateways.sms import SmsGateway
from recycling.logs import logger
from recycling.models.base import table_of
from recycling.models.counters import spend_attempt
from recycling.models.encrypted import keyring
from recycling.models.people import OneTimeCode, SignIn, Staff, browser_digest, resident_of, use_device_proof
from recycling.models.transaction import atomic, rows_met, run
from recycling.policy.access import Principal, Role
from recycling.policy.device_proof import DeviceProof
from recycling.policy.district import District

log = logger(__name__)

CODE_LIFE = timedelta(minutes=5)
CODE_TRIES = 5
CODE_DIGITS = 6
RESIDENT_LIFE = timedelta(days=30)
# One shift with room: a device left behind is signed out by the next day. A collector's ends by their own shift.
STAFF_LIFE = timedelta(hours=12)

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
# (largest count, seconds): docs/decisions, after the SMS rules of NIST 800-63B-4 (draft of 2023).
CODES_PER_PHONE = ((1, MINUTE_S), (5, HOUR_S), (10, DAY_S))
CODES_PER_ADDRESS = ((30, HOUR_S), (100, DAY_S))
# A login from one address, so that nobody elsewhere keeps its owner out; from all addresses together, against guessing
# from many. Who has three addresses can use that up: then the owner waits, at the longest to the end of the hour.
PASSWORDS_PER_LOGIN_AND_ADDRESS = ((10, 15 * MINUTE_S),)
PASSWORDS_PER_LOGIN = ((100, HOUR_S),)
PASSWORDS_PER_ADDRESS = ((100, 15 * MINUTE_S),)

hasher = PasswordHasher()

WRONG_CODE = "the code is wrong, used up or expired; ask for a new one / 验证码错误、已使用或已过期，请重新获取"
WRONG_LOGIN = (
    "user name or password is wrong, or the account is closed; type both again, or ask an administrator for a new"
    " password / 用户名或密码错误，或账号已停用；请重新输入，忘记密码请联系系统管理员"
)

WITHOUT_DEVICE = (
    "collectors sign in with their device: send device_id (a UUID that the app keeps) in the body, and a DPoP header"
    " with a proof signed by the device's own ES256 key, RFC 9449; or use the page /pages/sign-in"
    " / 回收员登录需绑定设备：请在正文带 device_id，并在 DPoP 请求头带设备签名，或使用登录页面"
)

# Put together once and asked by every request.
_sign_in, _staff = table_of(SignIn), table_of(Staff)
_WHOSE = (
    select(
        _sign_in.c.resident_id,
        _sign_in.c.staff_id,
        *(_sign_in.c[name] for name in ("device_id", "key_thumbprint", "browser_digest", "seen_at")),
        *(_staff.c[name] for name in ("active", "role", "station_key", "collector_key")),
    )
    .select_from(_sign_in.outerjoin(_staff))
    .where(
        _sign_in.c.id == bindparam("sign_in_id"),
        _sign_in.c.ended_at.is_(None),
        _sign_in.c.expires_at > bindparam("now"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppDevice:
    """The device of an app, with the proof that it holds its key."""

    device_id: UUID
    proof: DeviceProof


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserDevice:
    """A browser, with the secret that it is given for this sign-in alone.

    ``device_id`` is the name that the browser keeps for itself, under which it counts what a collector records in it.
    """

    secret: str
    device_id: UUID | None = None


Device = AppDevice | BrowserDevice


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSignIn:
    """A sign-in that is not over: whose it is, and what it is bound to."""

    principal: Principal
    key_thumbprint: bytes | None
    browser_digest: bytes | None
    seen_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A fresh or refreshed sign-in: what the tokens are made from."""

    sign_in_id: UUID
    role: Role
    refresh_count: int
    expires_at: datetime
    key_thumbprint: bytes | None = None


def send_code(phone: str, *, address: str, sms: SmsGateway, session: Session, now: datetime) -> UUID:
    """Send a one-time code to a phone and return the id to answer it with.

    Raises
    ------
    TooManyRequests
        When the phone or the network address has asked too often.
    SmsRefused
        When the provider refuses the number.
    Unavailable
        When the text could not be handed over.
    """
    code_id, code = uuid4(), f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    with atomic(session):
        spend_attempt(session, kind="code_phone", subject=phone, limits=CODES_PER_PHONE, now=now)
        spend_attempt(session, kind="code_address", subject=address, limits=CODES_PER_ADDRESS, now=now)
        session.add(
            OneTimeCode(
                id=code_id, phone=phone, code_digest=_digest(code_id, code), tries_left=CODE_TRIES,
                expires_at=now + CODE_LIFE,
            )
        )  # fmt: skip
    text = f"【薛城回收】验证码 {code}，5 分钟内有效，请勿告诉他人。Code {code}, valid for 5 minutes."
    sms.send(phone, text, message_id=code_id)
    log.info("sign_in.code_sent", code_id=str(code_id))
    return code_id


def sign_in_resident(
    code_id: UUID, code: str, *, session: Session, now: datetime, browser: BrowserDevice | None = None
) -> SignedIn:
    """Exchange a code for a sign-in, bound to the browser if there is one; the first makes the resident's account.

    Raises
    ------
    WrongCode
        When the code is wrong, used, expired or out of tries; each call uses up one try.
    """
    with atomic(session):
        # The try is spent before the code is looked at, and stays spent: the transaction commits either way.
        spent = update(OneTimeCode).where(
            OneTimeCode.id == code_id,
            OneTimeCode.tries_left > 0,
            OneTimeCode.used_at.is_(None),
            OneTimeCode.expires_at > now,
        )
        tried = rows_met(session, spent.values(tries_left=OneTimeCode.tries_left - 1))
        row = session.get(OneTimeCode, code_id) if tried else None
        signed = None
        if row is not None and secrets.compare_digest(row.code_digest, _digest(code_id, code)):
            row.used_at = now
            opened = SignIn(resident_id=resident_of(session, row.phone, now=now), expires_at=now + RESIDENT_LIFE)
            signed = _open(session, opened, now=now, role="resident", device=browser)
    if signed is None:
        raise WrongCode(WRONG_CODE)
    log.info("sign_in.opened", sign_in_id=str(signed.sign_in_id), role="resident")
    return signed


def sign_in_staff(
    login: str,
    password: str,
    *,
    address: str,
    district: District,
    session: Session,
    now: datetime,
    device: Device | None = None,
) -> SignedIn:
    """Sign a staff member in by password; whoever shows a device is bound to it, and a collector must.

    A collector's sign-in ends with the shift. On a device that they are signed in on already, or on one device more
    than they may have, the sign-in that stands there, or was opened first, ends.

    Raises
    ------
    TooManyRequests
        When the login or the network address has tried too often.
    WrongCode
        When login and password do not belong together, or the account is closed; the message does not say which.
    DeviceProofRequired
        When a collector comes without a device.
    DeviceProofRefused
        When the device's proof was used before.
    """
    with atomic(session):
        for kind, subject, limits in (
            ("password_pair", f"{address} {login}", PASSWORDS_PER_LOGIN_AND_ADDRESS),
            ("password_address", address, PASSWORDS_PER_ADDRESS),
            ("password_login", login, PASSWORDS_PER_LOGIN),
        ):
            spend_attempt(session, kind=kind, subject=subject, limits=limits, now=now)
        staff = session.scalar(select(Staff).where(Staff.login == login, Staff.active))
        known_hash = _nobodys_hash() if staff is None else staff.password_hash
    # Outside the transaction: argon2 takes a sixth of a second on purpose, and nobody shall wait for it at a lock.
    try:
        hasher.verify(known_hash, password)
    except VerificationError:
        raise WrongCode(WRONG_LOGIN) from None
    if staff is None:
        raise WrongCode(WRONG_LOGIN)
    # After the password: before it, the answer would tell whose login is a collector's.
    if staff.role == "collector" and device is None:
        raise DeviceProofRequired(WITHOUT_DEVICE)
    with atomic(session):
        # Meanwhile the account may have been closed or given another password, which ends its sign-ins: this one too.
        # A collector's row for us alone: two sign-ins at once would each see room for one device more. Rows that only
        # point to it are written meanwhile (key_share).
        as_it_was = (Staff.id == staff.id, Staff.active, Staff.password_hash == known_hash)
        alone = staff.role == "collector"
        if session.scalar(select(Staff.id).where(*as_it_was).with_for_update(read=not alone, key_share=alone)) is None:
            raise WrongCode(WRONG_LOGIN)
        opened = SignIn(staff_id=staff.id, expires_at=now + STAFF_LIFE)
        if staff.collector_key is not None:
            opened.device_id = (device and device.device_id) or uuid4()
            opened.expires_at = district.devices.sign_in_ends_at(
                staff.collector_key, network=district.network_on(service_day(now)), calendar=district.calendar, now=now
            )
            _make_room(opened, most=district.devices.most_per_collector, session=session, now=now)
        signed = _open(session, opened, now=now, role=staff.role, device=device)
    log.info("sign_in.opened", sign_in_id=str(signed.sign_in_id), role=signed.role)
    return signed


def refresh_sign_in(sign_in_id: UUID, refresh_count: int, *, session: Session, now: datetime) -> SignedIn:
    """Renew a sign-in. A refresh token works once: a second use means it was copied, and ends the sign-in.

    Raises
    ------
    NotSignedIn
        When the sign-in is over, or the token was used before.
    """
    with atomic(session):
        live = update(SignIn).where(SignIn.id == sign_in_id, SignIn.ended_at.is_(None), SignIn.expires_at > now)
        renewed = live.where(SignIn.refresh_count == refresh_count).values(refresh_count=refresh_count + 1)
        ok = rows_met(session, renewed) == 1
        if not ok:
            session.execute(live.values(ended_at=now))
        row = session.get(SignIn, sign_in_id, populate_existing=True)
        person = find_principal(sign_in_id, session=session, now=now)
    if not ok or row is None or person is None:
        raise NotSignedIn("this sign-in has ended; sign in again / 登录已失效，请重新登录")
    return _signed(row, person.role)


def sign_out(sign_in_id: UUID, *, session: Session, now: datetime) -> None:
    """End a sign-in; its tokens are dead at the next request. Doing it twice changes nothing."""
    with atomic(session):
        session.execute(update(SignIn).where(SignIn.id == sign_in_id, SignIn.ended_at.is_(None)).values(ended_at=now))


def find_sign_in(sign_in_id: UUID, *, session: Session, now: datetime) -> LiveSignIn | None:
    """A live sign-in: who it belongs to, with the role they have today, and what it is bound to."""
    row = run(session, _WHOSE, {"sign_in_id": sign_in_id, "now": now}).first()
    if row is None or (row.resident_id is None and not row.active):
        return None
    if row.resident_id is not None:
        person = Principal(id=row.resident_id, role="resident")
    else:
        person = Principal(
            id=row.staff_id, role=row.role, station_key=row.station_key, collector_key=row.collector_key,
            device_id=row.device_id,
        )  # fmt: skip
    return LiveSignIn(
        principal=person, key_thumbprint=row.key_thumbprint, browser_digest=row.browser_digest, seen_at=row.seen_at
    )


def find_principal(sign_in_id: UUID, *, session: Session, now: datetime) -> Principal | None:
    """Who a live sign-in belongs to, with the role they have today."""
    found = find_sign_in(sign_in_id, session=session, now=now)
    return found.principal if found is not None else None


@cache
def _nobodys_hash() -> str:
    """What is verified against when the login is unknown, so that the answer takes as long as for a known one."""
    return hasher.hash(secrets.token_hex(16))


def _digest(code_id: UUID, code: str) -> bytes:
    return keyring.digest(code, context=f"code:{code_id}")


def _make_room(opened: SignIn, *, most: int, session: Session, now: datetime) -> None:
    """End the sign-ins of a collector that a new one takes the place of; the row of their account is locked."""
    live = select(SignIn).where(SignIn.staff_id == opened.staff_id, SignIn.ended_at.is_(None), SignIn.expires_at > now)
    others = []
    for row in session.scalars(live.order_by(SignIn.created_at.desc(), SignIn.id)):
        if row.device_id is None or row.device_id == opened.device_id:
            row.ended_at = now
        else:
            others.append(row)
    for row in others[most - 1 :]:
        row.ended_at = now
        log.info("sign_in.replaced", sign_in_id=str(row.id))


def _open(session: Session, row: SignIn, *, now: datetime, role: Role, device: Device | None) -> SignedIn:
    """Bind a new sign-in to its device and keep it; the proof is used up with it."""
    row.id, row.refresh_count, row.created_at, row.seen_at = uuid4(), 0, now, now
    if isinstance(device, AppDevice):
        use_device_proof(session, device.proof)
        row.device_id, row.key_thumbprint = device.device_id, device.proof.thumbprint
    elif device is not None:
        row.browser_digest = browser_digest(device.secret)
    session.add(row)
    return _signed(row, role)


def _signed(row: SignIn, role: Role) -> SignedIn:
    return SignedIn(
        sign_in_id=row.id, role=role, refresh_count=row.refresh_count, expires_at=row.expires_at,
        key_thumbprint=row.key_thumbprint,
    )  # fmt: skip
