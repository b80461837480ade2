"""Where a vehicle is while it drives to a door that waits for it (途中位置): one row a vehicle, and no trail."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Uuid, delete
from sqlalchemy.orm import Mapped, Session, mapped_column

from recycling.models.base import Base, UtcDateTime, insert_into, key_column, table_of
from recycling.models.encrypted import EncryptedJson
from recycling.models.transaction import rows_met, run


class VehiclePosition(Base):
    """The one place of a vehicle that is on its way to a booking: a newer one overwrites it.

    ``point`` holds ``{"lat": float, "lon": float, "accuracy_m": int}`` (WGS-84), encrypted: a crew's whereabouts are
    sensitive (PIPL art. 28). It is deleted when the vehicle arrives or sets out for elsewhere, and not shown after
    ``kept_until``.
    """

    __tablename__ = "vehicle_position"

    vehicle_key: Mapped[str] = key_column(primary_key=True)
    booking_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("booking.id"), index=True)
    point: Mapped[dict[str, Any]] = mapped_column(EncryptedJson("vehicle_position.point"))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    kept_until: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


def keep_position(
    session: Session, vehicle_key: str, *, booking_id: UUID, point: dict[str, Any], made_at: datetime,
    kept_until: datetime,
) -> None:  # fmt: skip
    """Put a place over the one before it; an older one, that was under way longer, changes nothing."""
    row = insert_into(session, VehiclePosition)
    newer = {name: row.excluded[name] for name in ("booking_id", "point", "made_at", "kept_until")}
    older = table_of(VehiclePosition).c.made_at <= row.excluded.made_at
    run(
        session,
        row.on_conflict_do_update(index_elements=["vehicle_key"], set_=newer, where=older),
        {
            "vehicle_key": vehicle_key, "booking_id": booking_id, "point": point, "made_at": made_at,
            "kept_until": kept_until,
        },
    )  # fmt: skip


def forget_positions(
    session: Session, *, vehicles: Collection[str] = (), bookings: Collection[UUID] = (),
    over_at: datetime | None = None,
) -> int:  # fmt: skip
    """Delete the places of vehicles, on the way to bookings, or whose time is over at an instant; how many."""
    gone = 0
    if vehicles:
        of_them = VehiclePosition.vehicle_key.in_(sorted(vehicles))
        gone += rows_met(session, delete(VehiclePosition).where(of_them))
    if bookings:
        to_them = VehiclePosition.booking_id.in_(sorted(bookings))
        gone += rows_met(session, delete(VehiclePosition).where(to_them))
    if over_at is not None:
        gone += rows_met(session, delete(VehiclePosition).where(VehiclePosition.kept_until <= over_at))
    return gone
