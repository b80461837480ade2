"""receipts of texts, webhooks as recipients, opting out, setting out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KINDS = "kind IN ('collected', 'partly', 'failed'{})"
RECIPIENTS = "recipient_kind IN ('resident', 'staff', 'bureau'{})"


def upgrade() -> None:
    """Go up."""
    op.add_column("resident", sa.Column("declined_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("doorstep_event", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_doorstep_event_kind"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_doorstep_event_kind"), KINDS.format(", 'on_the_way'"))
    with op.batch_alter_table("outbox_message", schema=None) as batch_op:
        batch_op.add_column(sa.Column("provider", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("reference", sa.String(length=128), nullable=True))
        batch_op.add_column(sa.Column("delivery", sa.String(length=16), nullable=True))
        batch_op.drop_constraint(batch_op.f("ck_outbox_message_recipient_kind"), type_="check")
        batch_op.create_check_constraint(
            batch_op.f("ck_outbox_message_recipient_kind"), RECIPIENTS.format(", 'webhook'")
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_outbox_message_delivery"), "delivery IN ('accepted', 'delivered', 'undelivered')"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_outbox_message_referred"), "(provider IS NULL) = (reference IS NULL)"
        )
        batch_op.create_index(batch_op.f("ix_outbox_message_provider_reference"), ["provider", "reference"])
    op.create_table(
        "sms_receipt",
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("receipt_id", sa.String(length=128), nullable=False),
        sa.Column("reference", sa.String(length=128), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=True),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("state IN ('accepted', 'delivered', 'undelivered')", name=op.f("ck_sms_receipt_state")),
        sa.ForeignKeyConstraint(["message_id"], ["outbox_message.id"], name=op.f("fk_sms_receipt_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_receipt")),
        sa.UniqueConstraint("provider", "receipt_id", name=op.f("uq_sms_receipt_provider_receipt_id")),
    )
    with op.batch_alter_table("sms_receipt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sms_receipt_provider_reference"), ["provider", "reference"])
        batch_op.create_index(batch_op.f("ix_sms_receipt_received_at"), ["received_at"])


def downgrade() -> None:
    """Go back; what only the newer schema can hold is deleted: webhooks still owed, and records of setting out."""
    op.drop_table("sms_receipt")
    op.execute("DELETE FROM outbox_message WHERE recipient_kind = 'webhook'")
    op.execute("DELETE FROM doorstep_event WHERE kind = 'on_the_way'")
    with op.batch_alter_table("outbox_message", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outbox_message_provider_reference"))
        for name in ("referred", "delivery", "recipient_kind"):
            batch_op.drop_constraint(batch_op.f(f"ck_outbox_message_{name}"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_outbox_message_recipient_kind"), RECIPIENTS.format(""))
        for column in ("delivery", "reference", "provider"):
            batch_op.drop_column(column)
    with op.batch_alter_table("doorstep_event", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_doorstep_event_kind"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_doorstep_event_kind"), KINDS.format(""))
    op.drop_column("resident", "declined_at")
