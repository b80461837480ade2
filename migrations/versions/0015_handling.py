"""handling proposals, what people decided on them, and the tables that came of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "handling_version",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("seconds", sa.JSON(), nullable=False),
        sa.Column("travel_bp", sa.Integer(), nullable=True),
        sa.Column("travel_from", sa.Date(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_handling_version_number")),
        sa.CheckConstraint("(travel_bp IS NULL) = (travel_from IS NULL)", name=op.f("ck_handling_version_travel")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_handling_version")),
    )
    op.create_table(
        "handling_proposal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.Column("legs", sa.Integer(), nullable=False),
        sa.Column("trimmed", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.JSON(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("gain", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.Uuid(), nullable=False),
        sa.Column("made_by_run_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_handling_proposal_period")),
        sa.ForeignKeyConstraint(["made_by_run_id"], ["job_run.id"], name=op.f("fk_handling_proposal_made_by_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handling_proposal")),
        sa.UniqueConstraint("made_by_run_id", name=op.f("uq_handling_proposal_made_by_run_id")),
    )
    op.create_index(op.f("ix_handling_proposal_made_at"), "handling_proposal", ["made_at"], unique=False)
    op.create_table(
        "handling_decision",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("accepted", sa.JSON(), nullable=False),
        sa.Column("table_number", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["handling_proposal.id"], name=op.f("fk_handling_decision_proposal_id")
        ),
        sa.ForeignKeyConstraint(
            ["table_number"], ["handling_version.number"], name=op.f("fk_handling_decision_table_number")
        ),
        sa.PrimaryKeyConstraint("proposal_id", name=op.f("pk_handling_decision")),
        sa.UniqueConstraint("table_number", name=op.f("uq_handling_decision_table_number")),
    )


def downgrade() -> None:
    """Go down; new promises are made with the configured minutes again."""
    op.drop_table("handling_decision")
    op.drop_index(op.f("ix_handling_proposal_made_at"), table_name="handling_proposal")
    op.drop_table("handling_proposal")
    op.drop_table("handling_version")
