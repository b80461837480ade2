"""Devices that people are signed in on: each request comes from the bound one, and lost ones are ended at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from hmac import compare_digest
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from recycling.errors import DeviceProofRefused, NotFound, NotSignedIn
from recycling.logs import logger
from recycling.models.people import SignIn, Staff, browser_digest, use_device_proof
from recycling.models.transaction import atomic, rows_met
from recycling.policy.access import Principal
from recycling.policy.device_proof import DeviceProof
from recycling.usecases.people.sign_in import LiveSignIn

log = logger(__name__)

SEEN_EVERY = timedelta(minutes=10)  # coarse, so that a request rarely writes for it

ELSEWHERE = "this sign-in belongs to another browser or device; sign in here / 登录已绑定其他设备，请在本机重新登录"


def admit_app(sign_in_id: UUID, proof: DeviceProof, *, live: LiveSignIn, session: Session, now: datetime) -> None:
    """Let a request of an app in whose proof is of the bound key, and use the proof up.

    Raises
    ------
    DeviceProofRefused
        When the proof is of another key, or was used before.
    """
    if live.key_thumbprint is None or not proof.is_of(live.key_thumbprint):
        raise DeviceProofRefused(
            "the proof is of another key than the one this sign-in is bound to; sign in again on this device"
            " / 设备签名与登录设备不符，请在本机重新登录"
        )
    with atomic(session):
        use_device_proof(session, proof)
        if _is_stale(live, now):
            _note_seen(sign_in_id, session=session, now=now)


def admit_browser(sign_in_id: UUID, secret: str, *, live: LiveSignIn, session: Session, now: datetime) -> None:
    """Let a request of a browser in that holds the secret of the sign-in.

    Raises
    ------
    NotSignedIn
        When it does not.
    """
    if live.browser_digest is None or not compare_digest(live.browser_digest, browser_digest(secret)):
        raise NotSignedIn(ELSEWHERE)
    # Others' devices are in no list.
    if live.principal.role == "collector" and _is_stale(live, now):
        with atomic(session):
            _note_seen(sign_in_id, session=session, now=now)


def end_device(sign_in_id: UUID, *, by: Principal, session: Session, now: datetime) -> None:
    """End a collector's sign-in on a device; its next request is refused. A collector ends their own only.

    Raises
    ------
    NotFound
        When there is no live one of that id that the caller may end.
    """
    crew = select(Staff.id).where(Staff.role == "collector")
    live = update(SignIn).where(
        SignIn.id == sign_in_id, SignIn.ended_at.is_(None), SignIn.expires_at > now, SignIn.staff_id.in_(crew)
    )
    if by.role == "collector":
        live = live.where(SignIn.staff_id == by.id)
    with atomic(session):
        if not rows_met(session, live.values(ended_at=now)):
            listed = "GET /my-devices" if by.role == "collector" else "GET /devices"
            raise NotFound(f"nobody is signed in on device {sign_in_id}; list them with {listed} / 未找到该登录设备")
    log.info("device.ended", sign_in_id=str(sign_in_id), by_id=str(by.id))


def end_own_sign_in(sign_in_id: UUID, *, by: Principal, session: Session, now: datetime) -> None:
    """End a resident's own sign-in; its next request is refused.

    Raises
    ------
    NotFound
        When the caller has no live one of that id.
    """
    live = update(SignIn).where(
        SignIn.id == sign_in_id, SignIn.ended_at.is_(None), SignIn.expires_at > now, SignIn.resident_id == by.id
    )
    with atomic(session):
        if not rows_met(session, live.values(ended_at=now)):
            raise NotFound(
                f"you are not signed in by {sign_in_id}; list yours with GET /my-sign-ins / 未找到该登录，请刷新后重试"
            )
    log.info("sign_in.ended", sign_in_id=str(sign_in_id))


def _is_stale(live: LiveSignIn, now: datetime) -> bool:
    return live.seen_at is None or abs(now - live.seen_at) >= SEEN_EVERY


def _note_seen(sign_in_id: UUID, *, session: Session, now: datetime) -> None:
    rows_met(session, update(SignIn).where(SignIn.id == sign_in_id).values(seen_at=now))
