"""dated changes of fleet, crews, station hours and service days; which of them a day's routes know."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

KINDS = "'vehicle_out', 'collector_away', 'other_vehicle', 'shift_moved', 'station_hours', 'day_closed', 'day_opened'"


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "day_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("vehicle_key", sa.String(length=64), nullable=True),
        sa.Column("collector_key", sa.String(length=64), nullable=True),
        sa.Column("station_key", sa.String(length=64), nullable=True),
        sa.Column("from_s", sa.Integer(), nullable=True),
        sa.Column("to_s", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("mark", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.Uuid(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(f"kind IN ({KINDS})", name=op.f("ck_day_change_kind")),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_day_change_span")),
        sa.CheckConstraint("number >= 1 AND version >= 1", name=op.f("ck_day_change_numbers")),
        sa.CheckConstraint("(from_s IS NULL) = (to_s IS NULL) AND from_s < to_s", name=op.f("ck_day_change_hours")),
        sa.CheckConstraint("(ends_on IS NULL) = (ended_at IS NULL)", name=op.f("ck_day_change_ended_at")),
        sa.CheckConstraint("(ends_on IS NULL) = (ended_by_id IS NULL)", name=op.f("ck_day_change_ended_by")),
        sa.CheckConstraint("ends_on BETWEEN first_day AND last_day", name=op.f("ck_day_change_ends_on")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_day_change")),
        sa.UniqueConstraint("number", name=op.f("uq_day_change_number")),
    )
    op.create_index(op.f("ix_day_change_last_day"), "day_change", ["last_day"], unique=False)
    with op.batch_alter_table("day_ledger") as day:
        day.add_column(sa.Column("change_number", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Go down; every day is driven as the files say again."""
    with op.batch_alter_table("day_ledger") as day:
        day.drop_column("change_number")
    op.drop_index(op.f("ix_day_change_last_day"), table_name="day_change")
    op.drop_table("day_change")
