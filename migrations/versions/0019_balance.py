"""mass balance of trips, units that came stripped, class averages of the stations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "trip_balance",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("vehicle_key", sa.String(length=64), nullable=False),
        sa.Column("trip", sa.Integer(), nullable=False),
        sa.Column("station_key", sa.String(length=64), nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in (
                "doors", "units", "doorstep_g", "class_average_g", "type_table_g", "station_g", "tolerance_g",
            )
        ),
        *(sa.Column(name, sa.JSON(), nullable=False) for name in ("tickets", "differing", "causes")),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('ok', 'held', 'resolved')", name=op.f("ck_trip_balance_state")),
        sa.CheckConstraint("trip >= 1 AND version >= 1", name=op.f("ck_trip_balance_numbers")),
        sa.CheckConstraint(
            "doorstep_g >= 0 AND class_average_g >= 0 AND type_table_g >= 0", name=op.f("ck_trip_balance_door")
        ),
        sa.CheckConstraint("station_g >= 0 AND tolerance_g >= 0", name=op.f("ck_trip_balance_station")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trip_balance")),
        sa.UniqueConstraint("day", "vehicle_key", "trip", name=op.f("uq_trip_balance_day_vehicle_key_trip")),
    )  # fmt: skip
    op.create_index(op.f("ix_trip_balance_station_key"), "trip_balance", ["station_key"], unique=False)
    op.create_index(op.f("ix_trip_balance_state_day"), "trip_balance", ["state", "day"], unique=False)
    op.create_table(
        "trip_resolution",
        sa.Column("balance_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.String(length=24), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("by_role", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "reason IN ('reweighed', 'door_estimate', 'door_record_wrong', 'unloaded_elsewhere', 'goods_missing',"
            " 'other')",
            name=op.f("ck_trip_resolution_reason"),
        ),
        sa.ForeignKeyConstraint(["balance_id"], ["trip_balance.id"], name=op.f("fk_trip_resolution_balance_id")),
        sa.PrimaryKeyConstraint("balance_id", "version", name=op.f("pk_trip_resolution")),
    )
    op.create_table(
        "missing_parts_flag",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("station_key", sa.String(length=64), nullable=False),
        sa.Column("collector_key", sa.String(length=64), nullable=True),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("ticket_id", sa.Uuid(), nullable=True),
        sa.Column("item_type", sa.String(length=64), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("door_units", sa.Integer(), nullable=True),
        sa.Column("station_units", sa.Integer(), nullable=True),
        sa.Column("agreement", sa.String(length=16), nullable=False),
        sa.CheckConstraint(
            "agreement IN ('both', 'station_only', 'door_only', 'no_door')",
            name=op.f("ck_missing_parts_flag_agreement"),
        ),
        sa.CheckConstraint("units > 0", name=op.f("ck_missing_parts_flag_units")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_missing_parts_flag_booking_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["intake_ticket.id"], name=op.f("fk_missing_parts_flag_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_missing_parts_flag")),
    )
    for name, other in (("day", "id"), ("station_key", "day"), ("collector_key", "day")):
        op.create_index(
            op.f(f"ix_missing_parts_flag_{name}_{other}"), "missing_parts_flag", [name, other], unique=False
        )
    op.create_table(
        "class_average_version",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "first_day <= last_day AND last_day < month", name=op.f("ck_class_average_version_period")
        ),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_class_average_version")),
    )  # fmt: skip
    op.create_table(
        "class_average",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("station_key", sa.String(length=64), nullable=False),
        sa.Column("item_type", sa.String(length=64), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("mean_g", "sd_g", "units", "lines")),
        sa.CheckConstraint(
            "mean_g >= 1 AND sd_g >= 0 AND lines >= 1 AND units >= lines", name=op.f("ck_class_average_amounts")
        ),
        sa.ForeignKeyConstraint(["month"], ["class_average_version.month"], name=op.f("fk_class_average_month")),
        sa.PrimaryKeyConstraint("month", "station_key", "item_type", name=op.f("pk_class_average")),
    )
    op.create_index(
        op.f("ix_class_average_station_key_item_type"), "class_average", ["station_key", "item_type"], unique=False
    )


def downgrade() -> None:
    """Go down; loads are shared by the type table again. Lines that a class average has shared stay as they are."""
    for table in ("class_average", "class_average_version", "missing_parts_flag", "trip_resolution", "trip_balance"):
        op.drop_table(table)
