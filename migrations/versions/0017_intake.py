"""readings of weighbridges, their keys, one ticket for a reading and a trip, corrections by two, photos of tickets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up. No ticket that stands has a reading, and none has a trip yet: both are new with this release."""
    op.create_table(
        "scale_key",
        sa.Column("station_key", sa.String(length=64), nullable=False),
        sa.Column("scale_number", sa.String(length=32), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("station_key", "scale_number", name=op.f("pk_scale_key")),
    )
    op.create_table(
        "scale_reading",
        sa.Column("station_key", sa.String(length=64), nullable=False),
        sa.Column("scale_number", sa.String(length=32), nullable=False),
        sa.Column("reading_number", sa.String(length=32), nullable=False),
        sa.Column("gross_g", sa.Integer(), nullable=False),
        sa.Column("tare_g", sa.Integer(), nullable=False),
        sa.Column("net_g", sa.Integer(), nullable=False),
        sa.Column("vehicle_key", sa.String(length=64), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_by_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("source IN ('push', 'csv')", name=op.f("ck_scale_reading_source")),
        sa.CheckConstraint("net_g = gross_g - tare_g", name=op.f("ck_scale_reading_net")),
        sa.CheckConstraint("tare_g >= 0 AND net_g > 0", name=op.f("ck_scale_reading_masses")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scale_reading")),
        sa.UniqueConstraint(
            "station_key", "scale_number", "reading_number",
            name=op.f("uq_scale_reading_station_key_scale_number_reading_number"),
        ),
    )  # fmt: skip
    op.create_index(op.f("ix_scale_reading_station_key_at"), "scale_reading", ["station_key", "at"], unique=False)
    with op.batch_alter_table("intake_ticket") as ticket:
        ticket.add_column(sa.Column("reading_id", sa.Uuid(), nullable=True))
        ticket.add_column(sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=True))
        ticket.create_foreign_key(op.f("fk_intake_ticket_reading_id"), "scale_reading", ["reading_id"], ["id"])
    op.execute("UPDATE intake_ticket SET recorded_at = weighed_at")
    with op.batch_alter_table("intake_ticket") as ticket:
        ticket.alter_column("recorded_at", existing_type=sa.DateTime(timezone=True), nullable=False)
    op.create_table(
        "weighed_reading",
        sa.Column("reading_id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["reading_id"], ["scale_reading.id"], name=op.f("fk_weighed_reading_reading_id")),
        _of_a_ticket("weighed_reading"),
        sa.PrimaryKeyConstraint("reading_id", name=op.f("pk_weighed_reading")),
        sa.UniqueConstraint("ticket_id", name=op.f("uq_weighed_reading_ticket_id")),
    )
    op.create_table(
        "weighed_trip",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("vehicle_key", sa.String(length=64), nullable=False),
        sa.Column("trip", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("trip >= 1", name=op.f("ck_weighed_trip_trip")),
        _of_a_ticket("weighed_trip"),
        sa.PrimaryKeyConstraint("day", "vehicle_key", "trip", name=op.f("pk_weighed_trip")),
        sa.UniqueConstraint("ticket_id", name=op.f("uq_weighed_trip_ticket_id")),
    )
    _corrections()
    op.create_table(
        "ticket_photo",
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("sent_sha256", sa.String(length=64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("position BETWEEN 1 AND 6", name=op.f("ck_ticket_photo_position")),
        sa.CheckConstraint("width >= 1 AND height >= 1 AND size_bytes >= 1", name=op.f("ck_ticket_photo_amounts")),
        sa.ForeignKeyConstraint(["ticket_id"], ["intake_ticket.id"], name=op.f("fk_ticket_photo_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_photo")),
        sa.UniqueConstraint("ticket_id", "sent_sha256", name=op.f("uq_ticket_photo_ticket_id_sent_sha256")),
        sa.UniqueConstraint("ticket_id", "position", name=op.f("uq_ticket_photo_ticket_id_position")),
    )


def _of_a_ticket(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["ticket_id"], ["intake_ticket.id"], name=op.f(f"fk_{table}_ticket_id"), deferrable=True, initially="DEFERRED"
    )


def _corrections() -> None:
    op.create_table(
        "correction_proposal",
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("weighing", sa.JSON(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("net_before_g", sa.Integer(), nullable=False),
        sa.Column("net_after_g", sa.Integer(), nullable=False),
        sa.Column("proposed_by_id", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["intake_ticket.id"], name=op.f("fk_correction_proposal_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction_proposal")),
        sa.UniqueConstraint("id", "proposed_by_id", name=op.f("uq_correction_proposal_id_proposed_by_id")),
    )
    for column in ("ticket_id", "proposed_at"):
        op.create_index(op.f(f"ix_correction_proposal_{column}"), "correction_proposal", [column], unique=False)
    op.create_table(
        "correction_decision",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("proposed_by_id", sa.Uuid(), nullable=False),
        sa.Column("verdict", sa.String(length=8), nullable=False),
        sa.Column("decided_by_id", sa.Uuid(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("correction_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("verdict IN ('approved', 'rejected')", name=op.f("ck_correction_decision_verdict")),
        sa.CheckConstraint("decided_by_id <> proposed_by_id", name=op.f("ck_correction_decision_by_two")),
        sa.CheckConstraint(
            "(verdict = 'approved') = (correction_id IS NOT NULL)", name=op.f("ck_correction_decision_correction")
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id", "proposed_by_id"], ["correction_proposal.id", "correction_proposal.proposed_by_id"],
            name=op.f("fk_correction_decision_proposal_id_proposed_by_id"),
        ),
        sa.ForeignKeyConstraint(
            ["correction_id"], ["intake_ticket.id"], name=op.f("fk_correction_decision_correction_id")
        ),
        sa.PrimaryKeyConstraint("proposal_id", name=op.f("pk_correction_decision")),
        sa.UniqueConstraint("correction_id", name=op.f("uq_correction_decision_correction_id")),
    )  # fmt: skip


def downgrade() -> None:
    """Go down; the tickets stay, without what the weighbridge said of them."""
    for table in ("ticket_photo", "correction_decision", "correction_proposal", "weighed_trip", "weighed_reading"):
        op.drop_table(table)
    with op.batch_alter_table("intake_ticket") as ticket:
        ticket.drop_constraint(op.f("fk_intake_ticket_reading_id"), type_="foreignkey")
        ticket.drop_column("recorded_at")
        ticket.drop_column("reading_id")
    op.drop_table("scale_reading")
    op.drop_table("scale_key")
