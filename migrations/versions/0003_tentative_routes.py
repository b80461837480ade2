"""promises as places in tentative routes; holds; consent noted by staff."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OLD_STATES = "state IN ('booked', 'collected', 'partly_collected', 'failed', 'cancelled')"
NEW_STATES = "state IN ('held', 'booked', 'collected', 'partly_collected', 'failed', 'cancelled')"


def upgrade() -> None:
    """Go up: days with bookings keep their row, and wait for the planner to give each booking its place."""
    days = op.get_bind().execute(sa.text("SELECT day, max(CAST(closed AS INTEGER)) FROM day_ledger GROUP BY day")).all()
    op.drop_table("window_ledger")
    op.drop_table("day_ledger")
    ledger = op.create_table(
        "day_ledger",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("improved_version", sa.Integer(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("born", sa.Uuid(), nullable=False),
        sa.CheckConstraint("version >= 0 AND improved_version <= version", name=op.f("ck_day_ledger_versions")),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_day_ledger")),
    )
    rows = [
        {
            "day": day if isinstance(day, date) else date.fromisoformat(day), "version": 1, "improved_version": 0,
            "closed": bool(closed), "born": uuid4(),
        }
        for day, closed in days
    ]  # fmt: skip
    if rows:
        op.bulk_insert(ledger, rows)
    op.create_table(
        "tentative_route",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("vehicle_key", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("route", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("day", "vehicle_key", name=op.f("pk_tentative_route")),
    )
    with op.batch_alter_table("tentative_route", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tentative_route_day_version"), ["day", "version"], unique=False)
    op.create_table(
        "station_ledger",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("station_key", sa.String(length=64), nullable=False),
        sa.Column("used_g", sa.Integer(), nullable=False),
        sa.Column("cap_g", sa.Integer(), nullable=False),
        sa.Column("used_l", sa.Integer(), nullable=False),
        sa.Column("cap_l", sa.Integer(), nullable=False),
        sa.CheckConstraint("used_g BETWEEN 0 AND cap_g", name=op.f("ck_station_ledger_grams")),
        sa.CheckConstraint("used_l BETWEEN 0 AND cap_l", name=op.f("ck_station_ledger_litres")),
        sa.PrimaryKeyConstraint("day", "station_key", name=op.f("pk_station_ledger")),
    )
    with op.batch_alter_table("booking", schema=None) as batch_op:
        batch_op.add_column(sa.Column("held_until", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("consent", sa.String(length=16), nullable=True))
        batch_op.drop_constraint(batch_op.f("ck_booking_state"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_booking_state"), NEW_STATES)
        batch_op.create_check_constraint(batch_op.f("ck_booking_held"), "(state = 'held') = (held_until IS NOT NULL)")
        batch_op.create_index(batch_op.f("ix_booking_held_until"), ["held_until"], unique=False)


def downgrade() -> None:
    """Go back; the counters of days to come start empty."""
    op.execute("DELETE FROM booked_item WHERE booking_id IN (SELECT id FROM booking WHERE state = 'held')")
    op.execute("DELETE FROM booking WHERE state = 'held'")
    with op.batch_alter_table("booking", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_booking_held_until"))
        batch_op.drop_constraint(batch_op.f("ck_booking_held"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_booking_state"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_booking_state"), OLD_STATES)
        batch_op.drop_column("consent")
        batch_op.drop_column("held_until")
    for table in ("station_ledger", "tentative_route", "day_ledger"):
        op.drop_table(table)
    op.create_table(
        "day_ledger",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("area", sa.String(length=64), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("service_used_s", sa.Integer(), nullable=False),
        sa.Column("service_cap_s", sa.Integer(), nullable=False),
        sa.Column("load_used_g", sa.Integer(), nullable=False),
        sa.Column("load_cap_g", sa.Integer(), nullable=False),
        sa.Column("load_used_l", sa.Integer(), nullable=False),
        sa.Column("load_cap_l", sa.Integer(), nullable=False),
        sa.CheckConstraint("load_used_g BETWEEN 0 AND load_cap_g", name=op.f("ck_day_ledger_grams")),
        sa.CheckConstraint("load_used_l BETWEEN 0 AND load_cap_l", name=op.f("ck_day_ledger_litres")),
        sa.CheckConstraint("service_used_s BETWEEN 0 AND service_cap_s", name=op.f("ck_day_ledger_service")),
        sa.PrimaryKeyConstraint("day", "area", name=op.f("pk_day_ledger")),
    )
    op.create_table(
        "window_ledger",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("area", sa.String(length=64), nullable=False),
        sa.Column("pickup_window", sa.String(length=64), nullable=False),
        sa.Column("places_used", sa.Integer(), nullable=False),
        sa.Column("places_cap", sa.Integer(), nullable=False),
        sa.CheckConstraint("places_used BETWEEN 0 AND places_cap", name=op.f("ck_window_ledger_places")),
        sa.PrimaryKeyConstraint("day", "area", "pickup_window", name=op.f("pk_window_ledger")),
    )
