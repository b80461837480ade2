"""inputs of goal reports, their signatures, their files as published, and what was found different since."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up. Reports from before keep empty inputs: what they were made of was not written down."""
    with op.batch_alter_table("goal_report") as report:
        report.alter_column("period", type_=sa.String(length=24), existing_nullable=False)
        report.add_column(sa.Column("reason", sa.String(length=200), nullable=False, server_default=""))
        report.add_column(sa.Column("inputs", sa.JSON(), nullable=False, server_default="{}"))
        report.add_column(sa.Column("inputs_sha256", sa.String(length=64), nullable=False, server_default=""))
        report.add_column(sa.Column("made_by_id", sa.Uuid(), nullable=False, server_default=NOBODY))
    with op.batch_alter_table("goal_report") as report:
        for name in ("reason", "inputs", "inputs_sha256", "made_by_id"):
            report.alter_column(name, server_default=None)
    op.create_table(
        "report_signature",
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("signed_by_id", sa.Uuid(), nullable=False),
        sa.Column("signed_by_role", sa.String(length=16), nullable=False),
        sa.Column("signed_by_name", sa.String(length=64), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.CheckConstraint("place IN (1, 2)", name=op.f("ck_report_signature_place")),
        sa.ForeignKeyConstraint(["report_id"], ["goal_report.id"], name=op.f("fk_report_signature_report_id")),
        sa.PrimaryKeyConstraint("report_id", "place", name=op.f("pk_report_signature")),
        sa.UniqueConstraint("report_id", "signed_by_id", name=op.f("uq_report_signature_report_id_signed_by_id")),
    )
    op.create_table(
        "report_file",
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("form", sa.String(length=8), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("made_with", sa.JSON(), nullable=False),
        sa.CheckConstraint("form IN ('json', 'csv', 'xlsx', 'pdf')", name=op.f("ck_report_file_form")),
        sa.ForeignKeyConstraint(["report_id"], ["goal_report.id"], name=op.f("fk_report_file_report_id")),
        sa.PrimaryKeyConstraint("report_id", "form", name=op.f("pk_report_file")),
    )
    op.create_table(
        "report_check",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("differences", sa.JSON(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=True),
        sa.Column("found_sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["report_id"], ["goal_report.id"], name=op.f("fk_report_check_report_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_check")),
        sa.UniqueConstraint("report_id", "found_sha256", name=op.f("uq_report_check_report_id_found_sha256")),
    )


def downgrade() -> None:
    """Go down. Reports of other periods than months have no name that fits, and go."""
    for table in ("report_check", "report_file", "report_signature"):
        op.drop_table(table)
    op.execute("DELETE FROM goal_report WHERE length(period) > 7 OR period NOT LIKE '____-__' OR period LIKE '%Q%'")
    with op.batch_alter_table("goal_report") as report:
        for name in ("made_by_id", "inputs_sha256", "inputs", "reason"):
            report.drop_column(name)
        report.alter_column("period", type_=sa.String(length=16), existing_nullable=False)


NOBODY = "00000000000000000000000000000000"
