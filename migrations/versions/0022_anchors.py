"""anchors of the chains; what a booking asked for at each of its changes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up. Of changes that stand nobody knows what the booking asked for then: that stays empty."""
    op.create_table(
        "audit_anchor",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("before", sa.LargeBinary(length=32), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.Column("made_by_run_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("number >= 1", name=op.f("ck_audit_anchor_number")),
        sa.ForeignKeyConstraint(["made_by_run_id"], ["job_run.id"], name=op.f("fk_audit_anchor_made_by_run_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_anchor")),
        sa.UniqueConstraint("made_by_run_id", name=op.f("uq_audit_anchor_made_by_run_id")),
    )
    with op.batch_alter_table("booking_change") as change:
        change.add_column(sa.Column("day", sa.Date(), nullable=True))
        change.add_column(sa.Column("wish", sa.JSON(), nullable=True))
        change.create_index(op.f("ix_booking_change_day"), ["day"], unique=False)


def downgrade() -> None:
    """Go down; copies of the anchors outside the database stay."""
    with op.batch_alter_table("booking_change") as change:
        change.drop_index(op.f("ix_booking_change_day"))
        change.drop_column("wish")
        change.drop_column("day")
    op.drop_table("audit_anchor")
