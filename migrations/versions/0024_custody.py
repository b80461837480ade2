"""steps of labels by instant, for the anchors; where a label's unit is; labels found again, units sent back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

KINDS = ("door", "vehicle", "station", "lot", "outlet", "reweighed", "adjusted", "missing")
MORE_KINDS = (*KINDS, "found", "returned")
REASONS = ("miscounted", "found", "lost", "stolen", "damaged", "other", "ticket_corrected")
MORE_REASONS = (*REASONS, "returned")
SOURCE = "(count_id IS NULL) = (reason = 'ticket_corrected')"
ANY_SOURCE = "(count_id IS NULL) = (reason IN ('ticket_corrected', 'returned'))"


def upgrade() -> None:
    """Go up. Labels are where their newest hand-over or count has left them."""
    op.create_index(op.f("ix_custody_event_at"), "custody_event", ["at"], unique=False)
    _one_of("custody_event", "kind", MORE_KINDS)
    with op.batch_alter_table("weighed_tag") as tag:
        tag.add_column(sa.Column("hand_over_id", sa.Uuid(), nullable=True))
        tag.add_column(sa.Column("count_id", sa.Uuid(), nullable=True))
        tag.create_foreign_key(op.f("fk_weighed_tag_hand_over_id"), "hand_over", ["hand_over_id"], ["id"])
        tag.create_foreign_key(op.f("fk_weighed_tag_count_id"), "stock_count", ["count_id"], ["id"])
        tag.create_check_constraint(op.f("ck_weighed_tag_left_once"), "hand_over_id IS NULL OR count_id IS NULL")
    op.execute(
        "UPDATE weighed_tag SET hand_over_id = (SELECT h.hand_over_id FROM hand_over_tag h"
        " WHERE h.tag = weighed_tag.tag) WHERE stands"
    )
    op.execute(
        "UPDATE weighed_tag SET count_id = (SELECT t.count_id FROM stock_count_tag t"
        " JOIN stock_count c ON c.id = t.count_id LEFT JOIN stock_count_decision d ON d.count_id = c.id"
        " WHERE t.tag = weighed_tag.tag AND (NOT c.held OR d.approved) LIMIT 1)"
        " WHERE stands AND hand_over_id IS NULL"
    )
    with op.batch_alter_table("hand_over_tag") as tag:
        tag.drop_constraint(op.f("pk_hand_over_tag"), type_="primary")
        tag.create_primary_key(op.f("pk_hand_over_tag"), ["tag", "hand_over_id"])
    with op.batch_alter_table("stock_count_tag") as tag:
        tag.add_column(sa.Column("found", sa.Boolean(), nullable=False, server_default=sa.false()))
    _one_of("stock_adjustment", "reason", MORE_REASONS)
    with op.batch_alter_table("stock_adjustment") as change:
        change.add_column(sa.Column("hand_over_id", sa.Uuid(), nullable=True))
        change.create_foreign_key(op.f("fk_stock_adjustment_hand_over_id"), "hand_over", ["hand_over_id"], ["id"])
        change.create_index(op.f("ix_stock_adjustment_hand_over_id"), ["hand_over_id"], unique=False)
        change.drop_constraint(op.f("ck_stock_adjustment_has_source"), type_="check")
        change.create_check_constraint(op.f("ck_stock_adjustment_has_source"), ANY_SOURCE)
        change.create_check_constraint(
            op.f("ck_stock_adjustment_has_hand_over"), "(hand_over_id IS NOT NULL) = (reason = 'returned')"
        )


def downgrade() -> None:
    """Go down; refused by the constraints of before when something came back or was found again."""
    with op.batch_alter_table("stock_adjustment") as change:
        change.drop_constraint(op.f("ck_stock_adjustment_has_hand_over"), type_="check")
        change.drop_constraint(op.f("ck_stock_adjustment_has_source"), type_="check")
        change.create_check_constraint(op.f("ck_stock_adjustment_has_source"), SOURCE)
        change.drop_index(op.f("ix_stock_adjustment_hand_over_id"))
        change.drop_constraint(op.f("fk_stock_adjustment_hand_over_id"), type_="foreignkey")
        change.drop_column("hand_over_id")
    _one_of("stock_adjustment", "reason", REASONS)
    with op.batch_alter_table("stock_count_tag") as tag:
        tag.drop_column("found")
    with op.batch_alter_table("hand_over_tag") as tag:
        tag.drop_constraint(op.f("pk_hand_over_tag"), type_="primary")
        tag.create_primary_key(op.f("pk_hand_over_tag"), ["tag"])
    with op.batch_alter_table("weighed_tag") as tag:
        tag.drop_constraint(op.f("ck_weighed_tag_left_once"), type_="check")
        tag.drop_constraint(op.f("fk_weighed_tag_count_id"), type_="foreignkey")
        tag.drop_constraint(op.f("fk_weighed_tag_hand_over_id"), type_="foreignkey")
        tag.drop_column("count_id")
        tag.drop_column("hand_over_id")
    _one_of("custody_event", "kind", KINDS)
    op.drop_index(op.f("ix_custody_event_at"), table_name="custody_event")


def _one_of(table: str, column: str, values: tuple[str, ...]) -> None:
    name = op.f(f"ck_{table}_{column}")
    with op.batch_alter_table(table) as changed:
        changed.drop_constraint(name, type_="check")
        changed.create_check_constraint(name, f"{column} IN ({', '.join(map(repr, values))})")
