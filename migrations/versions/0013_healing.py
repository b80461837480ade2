"""healing: disruptions of a running day, proposals for its rest, broken promises and what was taken instead."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

KINDS = "kind IN ('breakdown', 'sick', 'late', 'urgent', 'cancelled', 'station_closed', 'station_full')"
CAUSES = "cause IN ('breakdown', 'sick', 'late', 'urgent', 'cancelled', 'station_closed', 'station_full', 'asked')"


def upgrade() -> None:
    """Go up; nothing has been mended yet."""
    _disruptions()
    _proposals()
    _promises()


def _disruptions() -> None:
    op.create_table(
        "disruption",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("vehicle_key", sa.String(length=64), nullable=True),
        sa.Column("station_key", sa.String(length=64), nullable=True),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("substitutes", sa.JSON(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(KINDS, name=op.f("ck_disruption_kind")),
        sa.CheckConstraint(
            "(kind IN ('breakdown', 'sick', 'late')) = (vehicle_key IS NOT NULL)", name=op.f("ck_disruption_vehicle")
        ),
        sa.CheckConstraint(
            "(kind IN ('station_closed', 'station_full')) = (station_key IS NOT NULL)",
            name=op.f("ck_disruption_station"),
        ),
        sa.CheckConstraint(
            "(kind IN ('urgent', 'cancelled')) = (booking_id IS NOT NULL)", name=op.f("ck_disruption_booking")
        ),
        sa.CheckConstraint(
            "(kind = 'late') = (minutes IS NOT NULL) AND minutes > 0", name=op.f("ck_disruption_minutes")
        ),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_disruption_booking_id")),
        sa.ForeignKeyConstraint(["event_id"], ["field_event.event_id"], name=op.f("fk_disruption_event_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disruption")),
        sa.UniqueConstraint("event_id", name=op.f("uq_disruption_event_id")),
    )
    op.create_index(op.f("ix_disruption_day"), "disruption", ["day"], unique=False)
    op.create_index(op.f("ix_disruption_booking_id"), "disruption", ["booking_id"], unique=False)


def _proposals() -> None:
    op.create_table(
        "replan_proposal",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("base_plan_id", sa.Uuid(), nullable=False),
        sa.Column("root_plan_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("now_s", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(length=16), nullable=False),
        sa.Column("seen", sa.String(length=64), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("open_stops", sa.Integer(), nullable=False),
        sa.Column("moved", sa.Integer(), nullable=False),
        sa.Column("eased", sa.Integer(), nullable=False),
        sa.Column("broken", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(CAUSES, name=op.f("ck_replan_proposal_cause")),
        sa.CheckConstraint("moved BETWEEN eased AND open_stops AND eased >= 0", name=op.f("ck_replan_proposal_moved")),
        sa.CheckConstraint("broken >= 0 AND left_out >= 0", name=op.f("ck_replan_proposal_counts")),
        sa.CheckConstraint("plan_id <> base_plan_id", name=op.f("ck_replan_proposal_base")),
        *(
            sa.ForeignKeyConstraint([column], ["plan.id"], name=op.f(f"fk_replan_proposal_{column}"))
            for column in ("plan_id", "base_plan_id", "root_plan_id")
        ),
        sa.PrimaryKeyConstraint("plan_id", name=op.f("pk_replan_proposal")),
    )
    for column in ("base_plan_id", "day"):
        op.create_index(op.f(f"ix_replan_proposal_{column}"), "replan_proposal", [column], unique=False)


def _promises() -> None:
    op.create_table(
        "broken_promise",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("pickup_window", sa.String(length=64), nullable=False),
        sa.Column("expected_before_s", sa.Integer(), nullable=True),
        sa.Column("expected_after_s", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("alternatives", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["replan_proposal.plan_id"], name=op.f("fk_broken_promise_plan_id")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_broken_promise_booking_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broken_promise")),
        sa.UniqueConstraint("booking_id", "plan_id", name=op.f("uq_broken_promise_booking_id_plan_id")),
    )
    for column in ("plan_id", "day"):
        op.create_index(op.f(f"ix_broken_promise_{column}"), "broken_promise", [column], unique=False)
    op.create_table(
        "taken_alternative",
        sa.Column("promise_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["promise_id"], ["broken_promise.id"], name=op.f("fk_taken_alternative_promise_id")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_taken_alternative_booking_id")),
        sa.PrimaryKeyConstraint("promise_id", name=op.f("pk_taken_alternative")),
        sa.UniqueConstraint("booking_id", name=op.f("uq_taken_alternative_booking_id")),
    )


def downgrade() -> None:
    """Go down; mid-day versions stay as plans without their reasons."""
    op.drop_table("taken_alternative")
    for column in ("plan_id", "day"):
        op.drop_index(op.f(f"ix_broken_promise_{column}"), table_name="broken_promise")
    op.drop_table("broken_promise")
    for column in ("base_plan_id", "day"):
        op.drop_index(op.f(f"ix_replan_proposal_{column}"), table_name="replan_proposal")
    op.drop_table("replan_proposal")
    for column in ("booking_id", "day"):
        op.drop_index(op.f(f"ix_disruption_{column}"), table_name="disruption")
    op.drop_table("disruption")
