"""the running day: one place for each vehicle on its way, and the ledger of promised windows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

CAUSES = "cause IN ('late', 'early', 'breakdown', 'vehicle_full', 'customer', 'no_record')"


def upgrade() -> None:
    """Go up; nobody is on their way yet, and past days are judged on demand."""
    op.create_table(
        "vehicle_position",
        sa.Column("vehicle_key", sa.String(length=64), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("point", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kept_until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_vehicle_position_booking_id")),
        sa.PrimaryKeyConstraint("vehicle_key", name=op.f("pk_vehicle_position")),
    )
    for column in ("booking_id", "kept_until"):
        op.create_index(op.f(f"ix_vehicle_position_{column}"), "vehicle_position", [column], unique=False)
    op.create_table(
        "kept_window",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("vehicle_key", sa.String(length=64), nullable=False),
        sa.Column("village_code", sa.String(length=12), nullable=False),
        sa.Column("pickup_window", sa.String(length=64), nullable=False),
        sa.Column("opens_s", sa.Integer(), nullable=False),
        sa.Column("closes_s", sa.Integer(), nullable=False),
        sa.Column("started_s", sa.Integer(), nullable=True),
        sa.Column("late_s", sa.Integer(), nullable=True),
        sa.Column("cause", sa.String(length=16), nullable=True),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(CAUSES, name=op.f("ck_kept_window_cause")),
        sa.CheckConstraint("opens_s <= closes_s", name=op.f("ck_kept_window_window")),
        sa.CheckConstraint("(started_s IS NULL) = (late_s IS NULL)", name=op.f("ck_kept_window_started")),
        sa.CheckConstraint(
            "cause IS NOT NULL OR (late_s IS NOT NULL AND late_s = 0)", name=op.f("ck_kept_window_kept")
        ),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_kept_window_booking_id")),
        sa.PrimaryKeyConstraint("booking_id", name=op.f("pk_kept_window")),
    )
    op.create_index(op.f("ix_kept_window_day"), "kept_window", ["day"], unique=False)


def downgrade() -> None:
    """Go down; the ledger can be made again from the records."""
    op.drop_index(op.f("ix_kept_window_day"), table_name="kept_window")
    op.drop_table("kept_window")
    for column in ("booking_id", "kept_until"):
        op.drop_index(op.f(f"ix_vehicle_position_{column}"), table_name="vehicle_position")
    op.drop_table("vehicle_position")
