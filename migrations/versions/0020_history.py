"""declared history, baselines confirmed by two people, stored forecasts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "declared_upload",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("form", sa.String(length=16), nullable=False),
        sa.Column("source_document", sa.String(length=200), nullable=False),
        sa.Column("figures", sa.Integer(), nullable=False),
        sa.Column("first_month", sa.Date(), nullable=False),
        sa.Column("last_month", sa.Date(), nullable=False),
        sa.Column("uploaded_by_id", sa.Uuid(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number >= 1 AND figures >= 1", name=op.f("ck_declared_upload_counts")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_declared_upload")),
    )
    op.create_table(
        "declared_figure",
        sa.Column("upload_number", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("item_group", sa.String(length=64), nullable=False),
        sa.Column("item_type", sa.String(length=64), nullable=False),
        sa.Column("town_key", sa.String(length=64), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=True),
        sa.Column("mass_g", sa.BigInteger(), nullable=True),
        sa.Column("source_document", sa.String(length=200), nullable=False),
        sa.CheckConstraint("units IS NOT NULL OR mass_g IS NOT NULL", name=op.f("ck_declared_figure_amounts")),
        sa.CheckConstraint("units >= 0 AND mass_g >= 0", name=op.f("ck_declared_figure_not_negative")),
        sa.ForeignKeyConstraint(
            ["upload_number"], ["declared_upload.number"], name=op.f("fk_declared_figure_upload_number")
        ),
        sa.PrimaryKeyConstraint(
            "upload_number", "month", "item_group", "item_type", "town_key", name=op.f("pk_declared_figure")
        ),
    )
    op.create_index(op.f("ix_declared_figure_month"), "declared_figure", ["month"], unique=False)
    _baselines()
    op.create_table(
        "goal_forecast",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("scope", sa.String(length=80), nullable=False),
        sa.Column("measure", sa.String(length=8), nullable=False),
        sa.Column("part", sa.String(length=16), nullable=False),
        sa.Column("part_key", sa.String(length=64), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("recovered", sa.BigInteger(), nullable=False),
        sa.Column("declared", sa.BigInteger(), nullable=False),
        sa.Column("projected", sa.BigInteger(), nullable=False),
        sa.Column("percentiles", sa.JSON(), nullable=False),
        sa.Column("errors_bp", sa.JSON(), nullable=False),
        sa.Column("levers", sa.JSON(), nullable=False),
        sa.Column("months_own", sa.Integer(), nullable=False),
        sa.Column("months_declared", sa.Integer(), nullable=False),
        sa.Column("months_missing", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("measure IN ('units', 'mass')", name=op.f("ck_goal_forecast_measure")),
        sa.CheckConstraint("part IN ('district', 'town', 'item_type')", name=op.f("ck_goal_forecast_part")),
        sa.CheckConstraint(
            "method IN ('seasonal', 'trend', 'straight_line', 'year_over')", name=op.f("ck_goal_forecast_method")
        ),
        sa.CheckConstraint(
            "months_own >= 0 AND months_declared >= 0 AND months_missing >= 0", name=op.f("ck_goal_forecast_months")
        ),
        sa.CheckConstraint("(part = 'district') = (part_key = '')", name=op.f("ck_goal_forecast_part_key")),
        sa.PrimaryKeyConstraint("day", "scope", "measure", "part", "part_key", name=op.f("pk_goal_forecast")),
    )


def _baselines() -> None:
    op.create_table(
        "baseline_proposal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("scope_key", sa.String(length=64), nullable=False),
        sa.Column("scope_version", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("mass_g", sa.BigInteger(), nullable=False),
        sa.Column("source_document", sa.String(length=200), nullable=False),
        sa.Column("document_sha256", sa.String(length=64), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("proposed_by_id", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("version >= 1 AND scope_version >= 1", name=op.f("ck_baseline_proposal_versions")),
        sa.CheckConstraint("units >= 1 AND mass_g >= 1", name=op.f("ck_baseline_proposal_amounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_baseline_proposal")),
        sa.UniqueConstraint("scope_key", "year", "version", name=op.f("uq_baseline_proposal_scope_key_year_version")),
        sa.UniqueConstraint("id", "proposed_by_id", name=op.f("uq_baseline_proposal_id_proposed_by_id")),
    )
    op.create_table(
        "baseline_confirmation",
        sa.Column("baseline_id", sa.Uuid(), nullable=False),
        sa.Column("proposed_by_id", sa.Uuid(), nullable=False),
        sa.Column("confirmed_by_id", sa.Uuid(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.CheckConstraint("confirmed_by_id <> proposed_by_id", name=op.f("ck_baseline_confirmation_two_people")),
        sa.ForeignKeyConstraint(
            ["baseline_id", "proposed_by_id"],
            ["baseline_proposal.id", "baseline_proposal.proposed_by_id"],
            name=op.f("fk_baseline_confirmation_baseline_id_proposed_by_id"),
        ),
        sa.PrimaryKeyConstraint("baseline_id", name=op.f("pk_baseline_confirmation")),
    )


def downgrade() -> None:
    """Go down."""
    for table in ("goal_forecast", "baseline_confirmation", "baseline_proposal", "declared_figure", "declared_upload"):
        op.drop_table(table)
