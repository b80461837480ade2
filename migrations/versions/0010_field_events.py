"""field events: everything of a collector's day, with device, sequence and clock; what was published when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

KINDS = (
    "kind IN ('shift_start', 'shift_end', 'on_the_way', 'arrive', 'start', 'collected', 'partly', 'failed', 'unload',"
    " 'break_start', 'break_end', 'fault', 'note', 'photo', 'undo')"
)
OLD_KINDS = "kind IN ('collected', 'partly', 'failed', 'on_the_way')"

INDEXES = (["booking_id"], ["received_at"], ["device_id", "device_seq"], ["day", "vehicle_key"])

# What was recorded before devices had names: the collector stands for the device, which counts
# from the first record on.
CARRY = """
    INSERT INTO field_event (event_id, day, vehicle_key, plan_version, booking_id, collector_id, device_id, device_seq,
        kind, reason, items, payload, words, device_time, made_at, skew_s, quarantined, counts_on, received_at,
        fingerprint)
    SELECT e.event_id, b.day,
        COALESCE((SELECT r.vehicle_key FROM route r JOIN published_plan p ON p.plan_id = r.plan_id
            JOIN route_stop s ON s.route_id = r.id WHERE s.booking_id = b.id AND p.day = b.day), ''),
        COALESCE((SELECT n.version FROM plan n JOIN published_plan p ON p.plan_id = n.id WHERE p.day = b.day), 1),
        e.booking_id, e.collector_id, e.collector_id,
        ROW_NUMBER() OVER (PARTITION BY e.collector_id ORDER BY e.device_time, e.event_id),
        e.kind, e.reason, e.items, NULL, NULL, e.device_time, {least}(e.device_time, e.received_at), NULL, false, b.day,
        e.received_at, e.fingerprint
    FROM doorstep_event e JOIN booking b ON b.id = e.booking_id
"""


def upgrade() -> None:
    """Go up; records keep their ids, and what is published now counts as published once."""
    op.create_table(
        "publication",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_publication_plan_id")),
        sa.PrimaryKeyConstraint("plan_id", name=op.f("pk_publication")),
    )
    op.create_index(op.f("ix_publication_day"), "publication", ["day"], unique=False)
    op.execute(
        "INSERT INTO publication (plan_id, day, at, by_id)"
        " SELECT plan_id, day, published_at, published_by_id FROM published_plan"
    )
    op.create_table(
        "field_event",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("vehicle_key", sa.String(length=64), nullable=False),
        sa.Column("plan_version", sa.Integer(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("collector_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("device_seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=True),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.Column("device_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("skew_s", sa.Integer(), nullable=True),
        sa.Column("quarantined", sa.Boolean(), nullable=False),
        sa.Column("counts_on", sa.Date(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint(KINDS, name=op.f("ck_field_event_kind")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_field_event_booking_id")),
        sa.ForeignKeyConstraint(["collector_id"], ["staff.id"], name=op.f("fk_field_event_collector_id")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_field_event")),
    )
    for columns in INDEXES:
        op.create_index(op.f(f"ix_field_event_{'_'.join(columns)}"), "field_event", columns, unique=False)
    postgresql = op.get_bind().dialect.name == "postgresql"
    op.execute(CARRY.format(least="LEAST" if postgresql else "MIN"))
    with op.batch_alter_table("doorstep_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_doorstep_event_booking_id"))
    op.drop_table("doorstep_event")
    op.create_table(
        "field_event_clash",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("collector_id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["field_event.event_id"], name=op.f("fk_field_event_clash_event_id")),
        sa.ForeignKeyConstraint(["collector_id"], ["staff.id"], name=op.f("fk_field_event_clash_collector_id")),
        sa.PrimaryKeyConstraint("event_id", "fingerprint", name=op.f("pk_field_event_clash")),
    )
    op.create_index(op.f("ix_field_event_clash_booking_id"), "field_event_clash", ["booking_id"], unique=False)
    op.create_table(
        "field_flag",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["event_id"], ["field_event.event_id"], name=op.f("fk_field_flag_event_id")),
        sa.PrimaryKeyConstraint("event_id", "code", name=op.f("pk_field_flag")),
    )
    op.create_index(op.f("ix_field_flag_settled_at"), "field_flag", ["settled_at"], unique=False)
    op.create_table(
        "field_ruling",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["field_event.event_id"], name=op.f("fk_field_ruling_event_id")),
        sa.PrimaryKeyConstraint("event_id", "number", name=op.f("pk_field_ruling")),
    )


def downgrade() -> None:
    """Go down; of the records only what the older state knew is left."""
    op.drop_table("field_ruling")
    op.drop_index(op.f("ix_field_flag_settled_at"), table_name="field_flag")
    op.drop_table("field_flag")
    op.drop_index(op.f("ix_field_event_clash_booking_id"), table_name="field_event_clash")
    op.drop_table("field_event_clash")
    op.create_table(
        "doorstep_event",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("collector_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("device_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint(OLD_KINDS, name=op.f("ck_doorstep_event_kind")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_doorstep_event_booking_id")),
        sa.ForeignKeyConstraint(["collector_id"], ["staff.id"], name=op.f("fk_doorstep_event_collector_id")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_doorstep_event")),
    )
    with op.batch_alter_table("doorstep_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_doorstep_event_booking_id"), ["booking_id"], unique=False)
    op.execute(
        "INSERT INTO doorstep_event SELECT event_id, booking_id, collector_id, kind, reason, items, device_time,"
        " received_at, fingerprint FROM field_event WHERE kind IN ('collected', 'partly', 'failed', 'on_the_way')"
        " AND booking_id IS NOT NULL AND NOT quarantined"
    )
    for columns in INDEXES:
        op.drop_index(op.f(f"ix_field_event_{'_'.join(columns)}"), table_name="field_event")
    op.drop_table("field_event")
    op.drop_index(op.f("ix_publication_day"), table_name="publication")
    op.drop_table("publication")
