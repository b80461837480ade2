"""ways by road: matrices beside plans, answers of road engines kept for a while."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "cached_travel",
        sa.Column("engine", sa.String(length=64), nullable=False),
        sa.Column("origin", sa.LargeBinary(length=32), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cells", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cached_travel")),
    )
    with op.batch_alter_table("cached_travel", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cached_travel_asked_at"), ["asked_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_cached_travel_engine_origin"), ["engine", "origin"], unique=False)

    # Columns that may be empty are added in place on both engines; the code before this one goes on working.
    op.add_column("plan", sa.Column("travel", sa.LargeBinary(), nullable=True))
    op.add_column("plan", sa.Column("travel_cells", sa.JSON(), nullable=True))
    op.add_column("plan", sa.Column("travel_note", sa.String(length=32), nullable=True))


def downgrade() -> None:
    """Go back."""
    for column in ("travel_note", "travel_cells", "travel"):
        op.drop_column("plan", column)
    op.drop_table("cached_travel")
