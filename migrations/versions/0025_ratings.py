"""residents rate their visits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "rating",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("stars", sa.Integer(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.Column("collector_key", sa.String(length=64), nullable=True),
        sa.Column("station_key", sa.String(length=64), nullable=True),
        sa.Column("rated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name=op.f("ck_rating_stars")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_rating_booking_id")),
        sa.PrimaryKeyConstraint("booking_id", name=op.f("pk_rating")),
    )
    op.create_index(op.f("ix_rating_day"), "rating", ["day"], unique=False)


def downgrade() -> None:
    """Go down."""
    op.drop_table("rating")
