"""steps of labels by instant, for the anchors."""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_index(op.f("ix_custody_event_at"), "custody_event", ["at"], unique=False)


def downgrade() -> None:
    """Go down."""
    op.drop_index(op.f("ix_custody_event_at"), table_name="custody_event")
