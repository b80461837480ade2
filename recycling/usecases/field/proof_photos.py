"""Take in photos of visits (凭证照片), part by part: the phone goes on where the network left it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import Conflict, InvalidInput, NotFound, UnsupportedMedia, WrongHash, WrongOffset
from recycling.logs import logger
from recycling.models.base import insert_if_absent
from recycling.models.booking import Booking
from recycling.models.counters import spend_attempt
from recycling.models.proof import (
    ProofPart,
    ProofPhoto,
    ProofUpload,
    count_proof,
    discard_upload,
    keep_proof,
    store_part,
)
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.photos import MEDIA_TYPES, media_type_of
from recycling.policy.proof_photos import Part
from recycling.usecases.bookings.photos import Decoded
from recycling.usecases.bookings.sight import visible_to
from recycling.usecases.queries.proofs import ProofProgress, kept_progress, kept_proof

log = logger(__name__)

# Begun uploads by one collector: a phone that comes back from a week without a network brings a few hundred.
UPLOADS = ((300, 3600),)
TELLING_BYTES = 12  # as many as tell a JPEG, PNG or WebP


def take_part(
    sha256: str,
    part: Part,
    content: bytes,
    *,
    booking_id: UUID,
    decode: Callable[[bytes], Decoded],
    by: Principal,
    session: Session,
    now: datetime,
) -> ProofProgress:
    """Store the next part of a photo of a visit, and keep the photo when it was the last one.

    A part that is stored already is passed over, so any part may be sent again; and a photo that is known is complete.

    Raises
    ------
    NotFound
        When the booking is on no published route of the caller.
    Conflict
        When the visit has as many photos as it may have, or is too long ago.
    WrongOffset
        When the part does not follow what is stored; says where to go on.
    WrongHash
        When the parts are not the file that was announced; all of them are dropped.
    TooManyRequests
        When the caller has begun very many within the hour.
    UnsupportedMedia, InvalidInput
        When it is no photo, or as ``decode`` judges; all parts are dropped.
    Unavailable
        When the decoder is busy; the parts are kept, and the last one may be sent again.
    """
    with atomic(session):
        booking = _open_booking(booking_id, by=by, session=session)
        standing = kept_proof(booking_id, sha256, session)
        if standing is not None:
            return kept_progress(standing)
        upload = _upload(booking, sha256, part, content, by=by, session=session, now=now)
        _store(upload, part, content, session=session, now=now)
        upload_id, stored, total = upload.id, upload.stored_bytes, upload.total_bytes
    if stored < total:
        return ProofProgress(booking_id=booking_id, sha256=sha256, stored_bytes=stored, total_bytes=total)
    return _finish(upload_id, sha256, booking_id=booking_id, decode=decode, by=by, session=session, now=now)


def _finish(
    upload_id: UUID,
    sha256: str,
    *,
    booking_id: UUID,
    decode: Callable[[bytes], Decoded],
    by: Principal,
    session: Session,
    now: datetime,
) -> ProofProgress:
    """Prove that the parts are the announced file, and put the photo that they show in their place."""
    parts = select(ProofPart.content).where(ProofPart.upload_id == upload_id).order_by(ProofPart.first_byte)
    content = b"".join(session.scalars(parts))
    session.rollback()
    try:
        check_content(content, sha256)
        # Between two transactions: it takes a second, and nobody shall wait for a lock that long.
        plain = decode(content)
    except (InvalidInput, UnsupportedMedia) as error:
        standing = _drop(upload_id, booking_id, sha256, session)
        if standing is not None:
            return kept_progress(standing)
        log.info("proof.refused", booking_id=str(booking_id), code=error.code, bytes=len(content))
        raise
    with atomic(session):
        # The lock makes two who send the last part queue, so that the second sees the first one's photo.
        _open_booking(booking_id, by=by, session=session)
        standing = kept_proof(booking_id, sha256, session)
        if standing is not None:
            return kept_progress(standing)
        if session.get(ProofUpload, upload_id) is None:
            raise Conflict("the parts of this photo were dropped meanwhile; send it again / 照片分段已失效，请重新上传")
        photo = ProofPhoto(
            id=uuid4(), booking_id=booking_id, collector_id=by.id, sha256=plain.sha256, sent_sha256=sha256,
            sent_bytes=len(content), width=plain.width, height=plain.height, size_bytes=len(plain.content),
            created_at=now, content=plain.content,
        )  # fmt: skip
        keep_proof(session, upload_id, photo)
    log.info("proof.kept", booking_id=str(booking_id), photo_id=str(photo.id), bytes=photo.size_bytes)
    return kept_progress(photo, is_new=True)


def check_content(content: bytes, sha256: str) -> None:
    """Refuse bytes that are not the announced file.

    Raises
    ------
    WrongHash
        When their digest is another one.
    """
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise WrongHash(
            f"the {len(content)} bytes that came have the SHA-256 {found}, not {sha256}; they are dropped, send the"
            " photo again from its first byte / 照片内容与编号不符，已清除，请从头重新上传"
        )


def _open_booking(booking_id: UUID, *, by: Principal, session: Session) -> Booking:
    """The booking, locked, when it takes photos from the caller."""
    # The lock makes two uploads of one booking queue, so that the second sees the first's rows. This kind lets a ticket
    # line or another row name the booking meanwhile.
    wanted = select(Booking).where(Booking.id == booking_id, visible_to(by))
    booking = session.scalar(wanted.with_for_update(key_share=True))
    if booking is None:
        raise NotFound(f"no booking {booking_id} on your route / 该预约不在你的路线上")
    if booking.place_blanked_at is not None:
        # Nothing of a person comes back after it was taken away.
        raise Conflict(
            "the time of this booking is over or its resident was erased; delete the photo from the phone"
            " / 该预约已过保存期限或居民信息已删除，请删除手机中的照片"
        )
    return booking


def _upload(
    booking: Booking, sha256: str, part: Part, content: bytes, *, by: Principal, session: Session, now: datetime
) -> ProofUpload:
    """The upload under way, or a new one that begins with this part."""
    wanted = select(ProofUpload).where(ProofUpload.booking_id == booking.id, ProofUpload.sent_sha256 == sha256)
    standing = session.scalar(wanted.with_for_update())
    if standing is not None and part.first == 0 and part.total != standing.total_bytes:
        # One file has one size, so one of the two announcements was wrong; whoever begins again is believed.
        discard_upload(session, standing.id)
        standing = None
    if standing is not None:
        return standing
    if part.first:
        raise _wrong_offset(part, stored=0)
    _check_kind(content)
    spend_attempt(session, kind="proof_photo", subject=str(by.id), limits=UPLOADS, now=now)
    count_proof(session, booking.id)
    insert_if_absent(
        session, ProofUpload, id=uuid4(), booking_id=booking.id, collector_id=by.id, sent_sha256=sha256,
        total_bytes=part.total, stored_bytes=0, changed_at=now,
    )  # fmt: skip
    return session.scalars(wanted.with_for_update()).one()


def _check_kind(content: bytes) -> None:
    """Refuse at the first bytes what is no photo, rather than after twenty megabytes of it."""
    if len(content) >= TELLING_BYTES and media_type_of(content) is None:
        raise UnsupportedMedia(
            f"the content is none of {', '.join(MEDIA_TYPES)}, whatever its name says; send the photo as JPEG"
            " / 文件内容不是 JPEG、PNG 或 WebP 照片，请转存为 JPEG 后重新上传"
        )


def _store(upload: ProofUpload, part: Part, content: bytes, *, session: Session, now: datetime) -> None:
    if part.total != upload.total_bytes:
        raise InvalidInput(
            f"the photo was announced with {upload.total_bytes} bytes and now with {part.total}; one file has one size,"
            " send it from its first byte / 同一照片的总长度前后不一致，请从头重新上传"
        )
    if part.last < upload.stored_bytes:
        return  # sent again; whether it is the same is known when the whole is proven
    if part.first != upload.stored_bytes:
        raise _wrong_offset(part, stored=upload.stored_bytes)
    store_part(session, upload, content, now=now)


def _wrong_offset(part: Part, *, stored: int) -> WrongOffset:
    return WrongOffset(
        f"the part begins at byte {part.first}, {stored} are stored; go on at byte {stored}"
        f" / 已存 {stored} 字节，请从该处继续上传",
        stored_bytes=stored,
    )


def _drop(upload_id: UUID, booking_id: UUID, sha256: str, session: Session) -> ProofPhoto | None:
    """Drop parts that are no photo; or, when somebody has kept one of them meanwhile, return that."""
    with atomic(session):
        standing = kept_proof(booking_id, sha256, session)
        if standing is None:
            discard_upload(session, upload_id)
        return standing
