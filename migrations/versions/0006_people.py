"""people: saved addresses, consents, look-ups, erasures, and what has been blanked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "address_book",
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.CheckConstraint("used BETWEEN 0 AND 20", name=op.f("ck_address_book_used")),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"], name=op.f("fk_address_book_resident_id")),
        sa.PrimaryKeyConstraint("resident_id", name=op.f("pk_address_book")),
    )
    op.create_table(
        "saved_address",
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.LargeBinary(), nullable=False),
        sa.Column("village_code", sa.String(length=12), nullable=False),
        sa.Column("place", sa.LargeBinary(), nullable=False),
        sa.Column("place_index", sa.LargeBinary(length=32), nullable=False),
        sa.Column("floor", sa.Integer(), nullable=False),
        sa.Column("has_lift", sa.Boolean(), nullable=False),
        sa.Column("saved_by_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_saved_address_version")),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"], name=op.f("fk_saved_address_resident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_address")),
        sa.UniqueConstraint("resident_id", "place_index", name=op.f("uq_saved_address_resident_id_place_index")),
    )
    op.create_table(
        "consent",
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("how", sa.String(length=16), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("notice_version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("how IN ('phone', 'shop')", name=op.f("ck_consent_how")),
        sa.ForeignKeyConstraint(["by_id"], ["staff.id"], name=op.f("fk_consent_by_id")),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"], name=op.f("fk_consent_resident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index(op.f("ix_consent_resident_id"), "consent", ["resident_id"])
    op.create_table(
        "resident_lookup",
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=True),
        sa.Column("created", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["staff.id"], name=op.f("fk_resident_lookup_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resident_lookup")),
    )
    op.create_index(op.f("ix_resident_lookup_at"), "resident_lookup", ["at"])
    op.create_index(op.f("ix_resident_lookup_resident_id"), "resident_lookup", ["resident_id"])
    op.create_table(
        "erasure",
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("by_role", sa.String(length=16), nullable=False),
        sa.Column("bookings_kept", sa.Integer(), nullable=False),
        sa.Column("addresses_removed", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "by_role IN ('resident', 'collector', 'keeper', 'dispatcher', 'clerk', 'admin')",
            name=op.f("ck_erasure_by_role"),
        ),
        sa.CheckConstraint("(by_role = 'resident') = (by_id IS NULL)", name=op.f("ck_erasure_by_whom")),
        sa.CheckConstraint("bookings_kept >= 0 AND addresses_removed >= 0", name=op.f("ck_erasure_counts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
    )
    op.create_index(op.f("ix_erasure_at"), "erasure", ["at"])

    # Columns that may be empty are added in place on both engines; the code before this one goes on working.
    op.add_column("resident", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("booking", sa.Column("place_blanked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("plan", sa.Column("blanked_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Go back."""
    op.drop_column("plan", "blanked_at")
    op.drop_column("booking", "place_blanked_at")
    op.drop_column("resident", "erased_at")
    for table in ("erasure", "resident_lookup", "consent", "saved_address", "address_book"):
        op.drop_table(table)
