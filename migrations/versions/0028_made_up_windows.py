"""judged windows say whether they were made up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up; until now made-up windows were not judged."""
    with op.batch_alter_table("kept_window") as window:
        window.add_column(sa.Column("made_up", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Go down; what was made up goes, since nothing would say so any more."""
    op.execute("DELETE FROM kept_window WHERE made_up")
    with op.batch_alter_table("kept_window") as window:
        window.drop_column("made_up")
