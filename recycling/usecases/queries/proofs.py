"""Reading photos of visits: how far they have come, which are kept, which are still awaited, which came twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, undefer

from recycling.errors import NotFound
from recycling.models.booking import Booking
from recycling.models.proof import ProofPhoto, ProofUpload
from recycling.policy.access import Principal
from recycling.usecases.bookings.sight import visible_to
from recycling.usecases.queries.bookings import find_booking

MOST_ASKED = 500  # values of one statement's list, well within what either engine takes
MOST_REPEATED = 200  # rows of one answer; more of them is a case for the database console


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofProgress:
    """How far a photo has come. ``photo`` is there when it is kept, ``is_new`` when this part has completed it."""

    booking_id: UUID
    sha256: str
    stored_bytes: int
    total_bytes: int | None
    photo: ProofPhoto | None = None
    is_new: bool = False

    @property
    def complete(self) -> bool:
        """Whether nothing of it needs to be sent any more."""
        return self.photo is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingPhoto:
    """A photo that a record names and that has not arrived, and how much of it has."""

    booking_id: UUID
    sha256: str
    stored_bytes: int
    total_bytes: int | None
    changed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatedPhoto:
    """One picture that stands for visits of several bookings."""

    sha256: str
    booking_ids: tuple[UUID, ...]


def kept_proof(booking_id: UUID, sha256: str, session: Session) -> ProofPhoto | None:
    """The photo of a booking that was made of a file, if there is one."""
    wanted = select(ProofPhoto).where(ProofPhoto.booking_id == booking_id, ProofPhoto.sent_sha256 == sha256)
    return session.scalar(wanted)


def kept_progress(photo: ProofPhoto, *, is_new: bool = False) -> ProofProgress:
    """The progress of a photo that is kept."""
    return ProofProgress(
        booking_id=photo.booking_id, sha256=photo.sent_sha256, stored_bytes=photo.sent_bytes,
        total_bytes=photo.sent_bytes, photo=photo, is_new=is_new,
    )  # fmt: skip


def proof_progress(sha256: str, *, booking_id: UUID, by: Principal, session: Session) -> ProofProgress:
    """How many bytes of a photo are stored; of one that nobody has begun none are.

    Raises
    ------
    NotFound
        When the caller has no booking of that id.
    """
    find_booking(booking_id, by=by, session=session)
    photo = kept_proof(booking_id, sha256, session)
    if photo is not None:
        return kept_progress(photo)
    wanted = select(ProofUpload).where(ProofUpload.booking_id == booking_id, ProofUpload.sent_sha256 == sha256)
    upload = session.scalar(wanted)
    return ProofProgress(
        booking_id=booking_id, sha256=sha256, stored_bytes=0 if upload is None else upload.stored_bytes,
        total_bytes=None if upload is None else upload.total_bytes,
    )  # fmt: skip


def list_proofs(booking_id: UUID, *, by: Principal, session: Session) -> list[dict[str, Any]]:
    """The photos of a booking's visit, oldest first; to staff also on how many other bookings each picture stands.

    Raises
    ------
    NotFound
        When the caller has no booking of that id.
    """
    find_booking(booking_id, by=by, session=session)
    wanted = select(ProofPhoto).where(ProofPhoto.booking_id == booking_id)
    photos = session.scalars(wanted.order_by(ProofPhoto.created_at, ProofPhoto.id)).all()
    # A resident is not told that there are others, let alone which.
    others = None if by.role == "resident" else _others(photos, booking_id, session)
    names = ("id", "booking_id", "sha256", "sent_sha256", "width", "height", "size_bytes", "created_at")
    return [
        {name: getattr(photo, name) for name in names}
        | {"on_other_bookings": None if others is None else others.get(photo.sha256, 0)}
        for photo in photos
    ]


def find_proof(sha256: str, *, booking_id: UUID, by: Principal, session: Session) -> ProofPhoto:
    """One photo of a visit to a booking that the caller may see, with its content.

    Raises
    ------
    NotFound
        When there is none; a foreign one answers the same.
    """
    wanted = (
        select(ProofPhoto)
        .join(Booking, Booking.id == ProofPhoto.booking_id)
        .where(ProofPhoto.booking_id == booking_id, ProofPhoto.sent_sha256 == sha256, visible_to(by))
    )
    photo = session.scalar(wanted.options(undefer(ProofPhoto.content)))
    if photo is None:
        raise NotFound(f"no photo {sha256} of booking {booking_id} of yours / 未找到该照片")
    return photo


def pending_photos(named: Mapping[UUID, Iterable[str]], *, session: Session) -> list[PendingPhoto]:
    """Photos that records name and that have not arrived whole, by booking.

    ``named`` holds the SHA-256 of every photo that the records of a booking name, however often.
    """
    wanted = {(booking_id, sha256) for booking_id, hashes in named.items() for sha256 in hashes}
    asked = sorted({booking_id for booking_id, _ in wanted})
    under_way: dict[tuple[UUID, str], ProofUpload] = {}
    for begin in range(0, len(asked), MOST_ASKED):
        some = asked[begin : begin + MOST_ASKED]
        kept = select(ProofPhoto.booking_id, ProofPhoto.sent_sha256).where(ProofPhoto.booking_id.in_(some))
        wanted -= {(row.booking_id, row.sent_sha256) for row in session.execute(kept)}
        uploads = session.scalars(select(ProofUpload).where(ProofUpload.booking_id.in_(some)))
        under_way |= {(row.booking_id, row.sent_sha256): row for row in uploads}
    return [_pending(*one, under_way.get(one)) for one in sorted(wanted)]


def repeated_photos(day: date, *, session: Session) -> list[RepeatedPhoto]:
    """Pictures of a day's visits that also stand for another booking, of whatever day; a known way to fake visits.

    The visits of one linked booking are one: the same door, seen twice.
    """
    of_day = select(ProofPhoto.sha256).join(Booking, Booking.id == ProofPhoto.booking_id).where(Booking.day == day)
    stands_for = func.coalesce(Booking.part_of, Booking.id)
    twice = (
        select(ProofPhoto.sha256)
        .join(Booking, Booking.id == ProofPhoto.booking_id)
        .where(ProofPhoto.sha256.in_(of_day))
        .group_by(ProofPhoto.sha256)
        .having(func.count(stands_for.distinct()) > 1)
        .order_by(ProofPhoto.sha256)
        .limit(MOST_REPEATED)
    )
    found: dict[str, list[UUID]] = {sha256: [] for sha256 in session.scalars(twice)}
    rows = select(ProofPhoto.sha256, ProofPhoto.booking_id).where(ProofPhoto.sha256.in_(found))
    for sha256, booking_id in session.execute(rows.order_by(ProofPhoto.sha256, ProofPhoto.booking_id).distinct()):
        found[sha256].append(booking_id)
    return [RepeatedPhoto(sha256=sha256, booking_ids=tuple(ids)) for sha256, ids in found.items()]


def _others(photos: Sequence[ProofPhoto], booking_id: UUID, session: Session) -> dict[str, int]:
    counted = (
        select(ProofPhoto.sha256, func.count(ProofPhoto.booking_id.distinct()).label("others"))
        .where(ProofPhoto.sha256.in_([photo.sha256 for photo in photos]), ProofPhoto.booking_id != booking_id)
        .group_by(ProofPhoto.sha256)
    )
    return {row.sha256: row.others for row in session.execute(counted)}


def _pending(booking_id: UUID, sha256: str, upload: ProofUpload | None) -> PendingPhoto:
    return PendingPhoto(
        booking_id=booking_id,
        sha256=sha256,
        stored_bytes=0 if upload is None else upload.stored_bytes,
        total_bytes=None if upload is None else upload.total_bytes,
        changed_at=None if upload is None else upload.changed_at,
    )
