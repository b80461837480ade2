"""photos, codes and labels that prove a visit and follow what it took along."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "custody_clash",
        sa.Column("label", sa.String(length=8), nullable=False),
        sa.Column("text", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("item_type", sa.String(length=64), nullable=False),
        sa.Column("collector_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("label IN ('tag', 'seal')", name=op.f("ck_custody_clash_label")),
        sa.CheckConstraint(
            "reason IN ('elsewhere', 'other_item', 'unreadable', 'untagged')", name=op.f("ck_custody_clash_reason")
        ),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_custody_clash_booking_id")),
        sa.ForeignKeyConstraint(["collector_id"], ["staff.id"], name=op.f("fk_custody_clash_collector_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custody_clash")),
    )
    op.create_index(op.f("ix_custody_clash_booking_id"), "custody_clash", ["booking_id"], unique=False)
    op.create_index(op.f("ix_custody_clash_label_text"), "custody_clash", ["label", "text"], unique=False)
    op.create_index("uq_custody_clash_said_once", "custody_clash", ["event_id", "label", "text", "reason"], unique=True)
    op.create_table(
        "custody_tag",
        sa.Column("tag", sa.String(length=14), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("item_type", sa.String(length=64), nullable=False),
        sa.Column("collector_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_custody_tag_booking_id")),
        sa.ForeignKeyConstraint(["collector_id"], ["staff.id"], name=op.f("fk_custody_tag_collector_id")),
        sa.PrimaryKeyConstraint("tag", name=op.f("pk_custody_tag")),
    )
    op.create_index(op.f("ix_custody_tag_booking_id"), "custody_tag", ["booking_id"], unique=False)
    op.create_table(
        "door_code",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.LargeBinary(), nullable=False),
        sa.Column("wrong_tries", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("wrong_tries BETWEEN 0 AND 5", name=op.f("ck_door_code_wrong_tries")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_door_code_booking_id")),
        sa.PrimaryKeyConstraint("booking_id", name=op.f("pk_door_code")),
    )
    op.create_table(
        "proof_count",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.CheckConstraint("used BETWEEN 0 AND 12", name=op.f("ck_proof_count_used")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_proof_count_booking_id")),
        sa.PrimaryKeyConstraint("booking_id", name=op.f("pk_proof_count")),
    )
    op.create_table(
        "proof_photo",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("collector_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("sent_sha256", sa.String(length=64), nullable=False),
        sa.Column("sent_bytes", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "width >= 1 AND height >= 1 AND size_bytes >= 1 AND sent_bytes >= 1", name=op.f("ck_proof_photo_amounts")
        ),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_proof_photo_booking_id")),
        sa.ForeignKeyConstraint(["collector_id"], ["staff.id"], name=op.f("fk_proof_photo_collector_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proof_photo")),
        sa.UniqueConstraint("booking_id", "sent_sha256", name=op.f("uq_proof_photo_booking_id_sent_sha256")),
    )
    op.create_index(op.f("ix_proof_photo_sha256"), "proof_photo", ["sha256"], unique=False)
    op.create_table(
        "proof_upload",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("collector_id", sa.Uuid(), nullable=False),
        sa.Column("sent_sha256", sa.String(length=64), nullable=False),
        sa.Column("total_bytes", sa.Integer(), nullable=False),
        sa.Column("stored_bytes", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("stored_bytes BETWEEN 0 AND total_bytes", name=op.f("ck_proof_upload_stored")),
        sa.CheckConstraint("total_bytes BETWEEN 1 AND 20971520", name=op.f("ck_proof_upload_total")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_proof_upload_booking_id")),
        sa.ForeignKeyConstraint(["collector_id"], ["staff.id"], name=op.f("fk_proof_upload_collector_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proof_upload")),
        sa.UniqueConstraint("booking_id", "sent_sha256", name=op.f("uq_proof_upload_booking_id_sent_sha256")),
    )
    op.create_index(op.f("ix_proof_upload_changed_at"), "proof_upload", ["changed_at"], unique=False)
    op.create_table(
        "custody_seal",
        sa.Column("seal", sa.String(length=24), nullable=False),
        sa.Column("tag", sa.String(length=14), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tag"], ["custody_tag.tag"], name=op.f("fk_custody_seal_tag")),
        sa.PrimaryKeyConstraint("seal", name=op.f("pk_custody_seal")),
    )
    op.create_index(op.f("ix_custody_seal_tag"), "custody_seal", ["tag"], unique=False)
    op.create_table(
        "proof_part",
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("first_byte", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("first_byte >= 0 AND size_bytes >= 1", name=op.f("ck_proof_part_span")),
        sa.ForeignKeyConstraint(["upload_id"], ["proof_upload.id"], name=op.f("fk_proof_part_upload_id")),
        sa.PrimaryKeyConstraint("upload_id", "first_byte", name=op.f("pk_proof_part")),
    )


def downgrade() -> None:
    """Go back; photos, codes and labels are lost."""
    for table in (
        "proof_part",
        "custody_seal",
        "proof_upload",
        "proof_photo",
        "proof_count",
        "door_code",
        "custody_tag",
        "custody_clash",
    ):
        op.drop_table(table)
