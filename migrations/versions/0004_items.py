"""photos of booked items, their condition, and the consent to wipe them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "photo",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("sent_sha256", sa.String(length=64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("width >= 1 AND height >= 1 AND size_bytes >= 1", name=op.f("ck_photo_amounts")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_photo_booking_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photo")),
        sa.UniqueConstraint("booking_id", "sent_sha256", name=op.f("uq_photo_booking_id_sent_sha256")),
    )
    op.create_table(
        "photo_count",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.CheckConstraint("used BETWEEN 0 AND 6", name=op.f("ck_photo_count_used")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_photo_count_booking_id")),
        sa.PrimaryKeyConstraint("booking_id", name=op.f("pk_photo_count")),
    )

    # Added in place on both engines, each with its rule, so that no table is written anew. The code before this one
    # goes on working: it books items of unknown condition, without consent.
    known = sa.CheckConstraint(
        "condition IN ('unknown', 'working', 'repairable', 'scrap')", name=op.f("ck_booked_item_condition")
    )
    op.add_column(
        "booked_item", sa.Column("condition", sa.String(length=16), known, server_default="unknown", nullable=False)
    )
    op.add_column("booked_item", sa.Column("wipe_terms", sa.String(length=64), nullable=True))
    op.add_column("booked_item", sa.Column("wipe_consent_at", sa.DateTime(timezone=True), nullable=True))
    whole = sa.CheckConstraint(
        "(wipe_consent_at IS NULL) = (wipe_consent_by IS NULL) AND (wipe_consent_at IS NULL) = (wipe_terms IS NULL)",
        name=op.f("ck_booked_item_wipe_consent"),
    )
    op.add_column("booked_item", sa.Column("wipe_consent_by", sa.Uuid(), whole, nullable=True))


def downgrade() -> None:
    """Go back."""
    # The column with the rule first: a rule that names a column keeps it from being dropped on SQLite.
    for column in ("wipe_consent_by", "wipe_consent_at", "wipe_terms", "condition"):
        op.drop_column("booked_item", column)
    op.drop_table("photo_count")
    op.drop_table("photo")
