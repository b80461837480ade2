"""Invariants of what is kept beside booked items."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session

from recycling.models.photo import Photo, PhotoCount
from recycling.models.proof import ProofCount, ProofPart, ProofPhoto, ProofUpload
from recycling.usecases.queries.invariants.rule import Breaches, differences, invariant


@invariant("I-31", "照片计数 = 照片张数 / a booking's counter of photos is the number of its photos")
def photos_are_counted(session: Session, _now: datetime) -> Breaches:
    """Bookings whose counter says another number than there are photos."""
    counted = select(PhotoCount.booking_id, PhotoCount.used)
    return differences(session, 1, counted, select(Photo.booking_id, func.count()).group_by(Photo.booking_id))


@invariant("I-42", "凭证照片计数 = 已存与上传中之和 / a visit's counter of photos is those kept and those under way")
def proofs_are_counted(session: Session, _now: datetime) -> Breaches:
    """Bookings whose counter says another number than there are photos of the visit and uploads together."""
    rows = union_all(select(ProofPhoto.booking_id), select(ProofUpload.booking_id)).subquery()
    there = select(rows.c.booking_id, func.count()).group_by(rows.c.booking_id)
    counted = select(ProofCount.booking_id, ProofCount.used).where(ProofCount.used > 0)
    return differences(session, 1, counted, there)


@invariant("I-43", "上传分段相连 / the parts of an upload come to the bytes that it says are stored")
def parts_come_to_their_upload(session: Session, _now: datetime) -> Breaches:
    """Uploads whose parts have another sum than ``stored_bytes``."""
    stored = select(ProofUpload.id, ProofUpload.stored_bytes).where(ProofUpload.stored_bytes > 0)
    parts = select(ProofPart.upload_id, func.sum(ProofPart.size_bytes)).group_by(ProofPart.upload_id)
    return differences(session, 1, stored, parts)
