"""how far a run has come and whether it is asked to stop; plans made by hand from another one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "run_progress",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("elapsed_ms", sa.Integer(), nullable=True),
        sa.Column("best_cost", sa.BigInteger(), nullable=True),
        sa.Column("stops_planned", sa.Integer(), nullable=True),
        sa.Column("stops_total", sa.Integer(), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stop_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stop_asked_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("elapsed_ms >= 0", name=op.f("ck_run_progress_elapsed")),
        sa.CheckConstraint("stops_planned BETWEEN 0 AND stops_total", name=op.f("ck_run_progress_stops")),
        sa.CheckConstraint("(told_at IS NULL) = (best_cost IS NULL)", name=op.f("ck_run_progress_told")),
        sa.CheckConstraint("(stop_asked_at IS NULL) = (stop_asked_by_id IS NULL)", name=op.f("ck_run_progress_stop")),
        sa.ForeignKeyConstraint(["run_id"], ["job_run.id"], name=op.f("fk_run_progress_run_id")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_run_progress")),
    )
    op.create_table(
        "plan_edit",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("base_plan_id", sa.Uuid(), nullable=False),
        sa.Column("moved", sa.Integer(), nullable=False),
        sa.CheckConstraint("moved >= 1", name=op.f("ck_plan_edit_moved")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_plan_edit_plan_id")),
        sa.ForeignKeyConstraint(["base_plan_id"], ["plan.id"], name=op.f("fk_plan_edit_base_plan_id")),
        sa.PrimaryKeyConstraint("plan_id", name=op.f("pk_plan_edit")),
    )
    op.create_index(op.f("ix_plan_edit_base_plan_id"), "plan_edit", ["base_plan_id"], unique=False)


def downgrade() -> None:
    """Go down."""
    op.drop_table("plan_edit")
    op.drop_table("run_progress")
