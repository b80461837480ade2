"""devices: sign-ins bound to a key or a browser, and the device proofs that were used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up; sign-ins there are stay unbound: browsers and collectors sign in once more."""
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.add_column(sa.Column("device_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("key_thumbprint", sa.LargeBinary(length=32), nullable=True))
        batch_op.add_column(sa.Column("browser_digest", sa.LargeBinary(length=32), nullable=True))
        batch_op.add_column(sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_check_constraint(
            batch_op.f("ck_sign_in_one_binding"), "key_thumbprint IS NULL OR browser_digest IS NULL"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_sign_in_key_of_device"), "key_thumbprint IS NULL OR device_id IS NOT NULL"
        )
    op.create_table(
        "used_device_proof",
        sa.Column("mark", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("mark", name=op.f("pk_used_device_proof")),
    )
    with op.batch_alter_table("used_device_proof", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_used_device_proof_expires_at"), ["expires_at"], unique=False)


def downgrade() -> None:
    """Go down; sign-ins that were bound end, since their tokens would then be good without their device."""
    op.execute(
        "UPDATE sign_in SET ended_at = CURRENT_TIMESTAMP"
        " WHERE ended_at IS NULL AND (key_thumbprint IS NOT NULL OR browser_digest IS NOT NULL)"
    )
    op.drop_table("used_device_proof")
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_sign_in_key_of_device"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_sign_in_one_binding"), type_="check")
        batch_op.drop_column("seen_at")
        batch_op.drop_column("browser_digest")
        batch_op.drop_column("key_thumbprint")
        batch_op.drop_column("device_id")
