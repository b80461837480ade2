"""the waiting list; recurring pickups of enterprises."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "waiting_wish",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("consent", sa.String(length=16), nullable=True),
        sa.Column("wish", sa.LargeBinary(), nullable=False),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("offered_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("offers", sa.Integer(), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'offered', 'taken', 'lapsed', 'withdrawn')", name=op.f("ck_waiting_wish_state")
        ),
        sa.CheckConstraint(
            "(state IN ('offered', 'taken')) = (booking_id IS NOT NULL)", name=op.f("ck_waiting_wish_placed")
        ),
        sa.CheckConstraint("(state = 'offered') = (offered_until IS NOT NULL)", name=op.f("ck_waiting_wish_offered")),
        sa.CheckConstraint("version >= 1 AND offers >= 0", name=op.f("ck_waiting_wish_counts")),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"], name=op.f("fk_waiting_wish_resident_id")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_waiting_wish_booking_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiting_wish")),
        sa.UniqueConstraint("booking_id", name=op.f("uq_waiting_wish_booking_id")),
    )
    op.create_index(op.f("ix_waiting_wish_state_queued_at"), "waiting_wish", ["state", "queued_at"])
    op.create_index(op.f("ix_waiting_wish_resident_id_created_at"), "waiting_wish", ["resident_id", "created_at"])
    op.create_table(
        "waiting_day",
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("wish_id", sa.Uuid(), nullable=False),
        sa.Column("pickup_windows", sa.JSON(), nullable=False),
        sa.Column("tried_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"], name=op.f("fk_waiting_day_resident_id")),
        sa.ForeignKeyConstraint(["wish_id"], ["waiting_wish.id"], name=op.f("fk_waiting_day_wish_id")),
        sa.PrimaryKeyConstraint("resident_id", "day", name=op.f("pk_waiting_day")),
    )
    op.create_index(op.f("ix_waiting_day_wish_id"), "waiting_day", ["wish_id"])
    op.create_table(
        "recurring_pickup",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("wish", sa.LargeBinary(), nullable=False),
        sa.Column("weekdays", sa.JSON(), nullable=False),
        sa.Column("every_weeks", sa.Integer(), nullable=False),
        sa.Column("month_day", sa.Integer(), nullable=True),
        sa.Column("pickup_window", sa.String(length=64), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('active', 'paused', 'ended')", name=op.f("ck_recurring_pickup_state")),
        sa.CheckConstraint(
            "month_day IS NULL OR month_day BETWEEN 1 AND 31", name=op.f("ck_recurring_pickup_month_day")
        ),
        sa.CheckConstraint("every_weeks BETWEEN 1 AND 52 AND version >= 1", name=op.f("ck_recurring_pickup_counts")),
        sa.CheckConstraint("until IS NULL OR until >= starts_on", name=op.f("ck_recurring_pickup_span")),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"], name=op.f("fk_recurring_pickup_resident_id")),
        sa.ForeignKeyConstraint(["made_by"], ["staff.id"], name=op.f("fk_recurring_pickup_made_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recurring_pickup")),
    )
    op.create_index(op.f("ix_recurring_pickup_resident_id"), "recurring_pickup", ["resident_id"])
    op.create_index(op.f("ix_recurring_pickup_created_at_id"), "recurring_pickup", ["created_at", "id"])
    op.create_table(
        "recurring_day",
        sa.Column("recurring_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('booked', 'moved', 'unplaced', 'holiday')", name=op.f("ck_recurring_day_state")),
        sa.CheckConstraint(
            "(state IN ('booked', 'moved')) = (booking_id IS NOT NULL)", name=op.f("ck_recurring_day_booked")
        ),
        sa.ForeignKeyConstraint(["recurring_id"], ["recurring_pickup.id"], name=op.f("fk_recurring_day_recurring_id")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_recurring_day_booking_id")),
        sa.PrimaryKeyConstraint("recurring_id", "day", name=op.f("pk_recurring_day")),
        sa.UniqueConstraint("booking_id", name=op.f("uq_recurring_day_booking_id")),
    )


def downgrade() -> None:
    """Go back; bookings made from the list or a recurring pickup stay."""
    for table in ("recurring_day", "recurring_pickup", "waiting_day", "waiting_wish"):
        op.drop_table(table)
