"""limits on live bookings, no-shows.

The tables begin empty. Addresses are encrypted and their digests keyed, so that SQL cannot fill them: after this step
run `flask limits rebuild`. Until then bookings made before do not count against anybody, and giving back what they
never took changes nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "live_count",
        sa.Column("scope", sa.String(length=80), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("cap", sa.Integer(), nullable=False),
        sa.CheckConstraint("used BETWEEN 0 AND cap", name=op.f("ck_live_count_used")),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_live_count")),
    )
    op.create_table(
        "live_item",
        sa.Column("address_digest", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("item_type", sa.String(length=64), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_live_item_booking_id")),
        sa.PrimaryKeyConstraint("address_digest", "day", "item_type", name=op.f("pk_live_item")),
    )
    with op.batch_alter_table("live_item", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_live_item_booking_id"), ["booking_id"], unique=False)
    op.create_table(
        "no_show",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_no_show_booking_id")),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"], name=op.f("fk_no_show_resident_id")),
        sa.PrimaryKeyConstraint("booking_id", name=op.f("pk_no_show")),
    )
    with op.batch_alter_table("no_show", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_no_show_resident_id_day"), ["resident_id", "day"], unique=False)


def downgrade() -> None:
    """Go down."""
    for table in ("no_show", "live_item", "live_count"):
        op.drop_table(table)
