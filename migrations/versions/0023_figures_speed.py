"""an index over the made-up tickets alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_index(
        op.f("ix_intake_ticket_made_up"), "intake_ticket", ["counts_on"], unique=False,
        postgresql_where=sa.text("made_up"), sqlite_where=sa.text("made_up = 1"),
    )  # fmt: skip


def downgrade() -> None:
    """Go down."""
    op.drop_index(op.f("ix_intake_ticket_made_up"), table_name="intake_ticket")
