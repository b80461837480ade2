"""linked visits: one booking of several visits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up; each booking there is has one visit."""
    with op.batch_alter_table("booking", schema=None) as batch_op:
        batch_op.add_column(sa.Column("part_of", sa.Uuid(), nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_booking_part_of"), "booking", ["part_of"], ["id"])
        batch_op.create_check_constraint(batch_op.f("ck_booking_part_of"), "part_of <> id")
        batch_op.create_index(batch_op.f("ix_booking_part_of"), ["part_of"], unique=False)


def downgrade() -> None:
    """Go down; the visits of a linked booking stay, each as a booking of its own."""
    with op.batch_alter_table("booking", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_booking_part_of"))
        batch_op.drop_constraint(batch_op.f("ck_booking_part_of"), type_="check")
        batch_op.drop_constraint(batch_op.f("fk_booking_part_of"), type_="foreignkey")
        batch_op.drop_column("part_of")
