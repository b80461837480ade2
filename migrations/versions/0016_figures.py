"""dated adjustments of tickets, chains of tickets and audit rows, figures by month, closed months."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

AMOUNTS = ("units", "recovered_g", "ticket_lines")
KEYS = ("station_key", "town_key", "item_type", "channel", "provenance")
REASONS = ("waste", "wet", "hazardous", "not_accepted", "foreign_matter", "other")


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def upgrade() -> None:
    """Go up. Tickets that stand keep an empty mac: nobody vouched for them when they were written."""
    with op.batch_alter_table("scale") as scale:
        scale.add_column(sa.Column("last_mac", sa.LargeBinary(length=32), nullable=False, server_default=""))
    _tickets()
    with op.batch_alter_table("intake_line") as line:
        line.add_column(sa.Column("missing_parts", sa.Integer(), nullable=False, server_default="0"))
        line.alter_column("provenance", type_=sa.String(length=24), existing_nullable=False)
        line.drop_constraint(op.f("ck_intake_line_provenance"), type_="check")
        line.create_check_constraint(
            op.f("ck_intake_line_provenance"),
            _one_of("provenance", ("weighed", "station_class_average", "type_table")),
        )
        line.create_check_constraint(op.f("ck_intake_line_missing_parts"), "missing_parts BETWEEN 0 AND units")
    with op.batch_alter_table("daily_recovery") as fact:
        fact.drop_constraint(op.f("ck_daily_recovery_amounts"), type_="check")
        fact.create_check_constraint(op.f("ck_daily_recovery_lines"), "ticket_lines > 0")
        fact.alter_column("provenance", type_=sa.String(length=24), existing_nullable=False)
    _months()
    op.create_table(
        "audit_row",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("actor_role", sa.String(length=16), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_row")),
    )
    for column in ("at", "action", "subject"):
        op.create_index(op.f(f"ix_audit_row_{column}"), "audit_row", [column], unique=False)
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.Column("last_mac", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )


def _tickets() -> None:
    with op.batch_alter_table("intake_ticket") as ticket:
        ticket.add_column(sa.Column("counts_on", sa.Date(), nullable=True))
        ticket.add_column(sa.Column("refused_reason", sa.String(length=16), nullable=True))
        ticket.add_column(sa.Column("trip", sa.Integer(), nullable=True))
        ticket.add_column(sa.Column("counters_id", sa.Uuid(), nullable=True))
        ticket.add_column(sa.Column("mac", sa.LargeBinary(length=32), nullable=False, server_default=""))
    op.execute("UPDATE intake_ticket SET counts_on = day")
    if op.get_bind().dialect.name == "sqlite":  # whose default is an empty text, and no empty mac
        op.execute("UPDATE intake_ticket SET mac = x''")
        op.execute("UPDATE scale SET last_mac = x''")
    op.execute("UPDATE intake_ticket SET refused_reason = 'other' WHERE refused_g > 0")
    with op.batch_alter_table("intake_ticket") as ticket:
        ticket.alter_column("counts_on", existing_type=sa.Date(), nullable=False)
        ticket.drop_constraint(op.f("ck_intake_ticket_channel"), type_="check")
        ticket.create_check_constraint(
            op.f("ck_intake_ticket_channel"), _one_of("channel", ("door", "walk_in", "bin", "trade_in", "pool"))
        )
        ticket.create_check_constraint(op.f("ck_intake_ticket_refused_reason"), _one_of("refused_reason", REASONS))
        ticket.create_check_constraint(
            op.f("ck_intake_ticket_refusal_has_reason"), "refused_g = 0 OR refused_reason IS NOT NULL"
        )
        ticket.create_check_constraint(
            op.f("ck_intake_ticket_trip"), "trip IS NULL OR (trip >= 1 AND vehicle_key IS NOT NULL)"
        )
        ticket.create_check_constraint(
            op.f("ck_intake_ticket_adjustment"),
            "counters_id IS NULL OR (corrects_id IS NOT NULL AND counts_on > day)",
        )
        ticket.create_check_constraint(op.f("ck_intake_ticket_counts_on"), "counters_id IS NOT NULL OR counts_on = day")
        ticket.create_foreign_key(op.f("fk_intake_ticket_counters_id"), "intake_ticket", ["counters_id"], ["id"])
        ticket.create_index(op.f("ix_intake_ticket_counters_id"), ["counters_id"], unique=False)
        ticket.create_index(op.f("ix_intake_ticket_counts_on_station_key"), ["counts_on", "station_key"], unique=False)


def _months() -> None:
    op.create_table(
        "monthly_recovery",
        sa.Column("month", sa.Date(), nullable=False),
        *(sa.Column(key, sa.String(length=64), nullable=False) for key in KEYS[:3]),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("provenance", sa.String(length=24), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("recovered_g", sa.BigInteger(), nullable=False),
        sa.Column("ticket_lines", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("month", *KEYS, name=op.f("pk_monthly_recovery")),
    )
    month = "CAST(date_trunc('month', day) AS DATE)"
    if op.get_bind().dialect.name == "sqlite":
        month = "date(day, 'start of month')"
    keys = ", ".join(KEYS)
    sums = ", ".join(f"SUM({amount})" for amount in AMOUNTS)
    op.execute(
        f"INSERT INTO monthly_recovery (month, {keys}, {', '.join(AMOUNTS)})"  # noqa: S608  # no value from outside
        f" SELECT {month}, {keys}, {sums} FROM daily_recovery GROUP BY {month}, {keys}"
    )
    op.create_table(
        "closed_month",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_by_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_closed_month")),
    )


def downgrade() -> None:
    """Go down; adjustments of closed months count for the day of their original again, as the figures then say."""
    op.drop_table("audit_head")
    op.drop_table("audit_row")
    op.drop_table("closed_month")
    op.drop_table("monthly_recovery")
    op.execute("UPDATE intake_line SET provenance = 'type_table' WHERE provenance = 'station_class_average'")
    op.execute("UPDATE intake_ticket SET channel = 'walk_in' WHERE channel NOT IN ('door', 'walk_in')")
    op.execute("DELETE FROM daily_recovery")
    keys = ", ".join(KEYS)
    op.execute(
        f"INSERT INTO daily_recovery (day, {keys}, {', '.join(AMOUNTS)})"  # noqa: S608  # no value from outside
        f" SELECT t.day, {keys}, SUM(l.units), SUM(l.net_g), COUNT(*)"
        " FROM intake_ticket t JOIN intake_line l ON l.ticket_id = t.id"
        " WHERE NOT EXISTS (SELECT 1 FROM intake_ticket newer WHERE newer.corrects_id = t.id)"
        f" GROUP BY t.day, {keys}"
    )
    with op.batch_alter_table("daily_recovery") as fact:
        fact.drop_constraint(op.f("ck_daily_recovery_lines"), type_="check")
        fact.create_check_constraint(
            op.f("ck_daily_recovery_amounts"), "units > 0 AND recovered_g > 0 AND ticket_lines > 0"
        )
        fact.alter_column("provenance", type_=sa.String(length=16), existing_nullable=False)
    with op.batch_alter_table("intake_line") as line:
        line.drop_constraint(op.f("ck_intake_line_missing_parts"), type_="check")
        line.drop_constraint(op.f("ck_intake_line_provenance"), type_="check")
        line.create_check_constraint(
            op.f("ck_intake_line_provenance"), _one_of("provenance", ("weighed", "type_table"))
        )
        line.alter_column("provenance", type_=sa.String(length=16), existing_nullable=False)
        line.drop_column("missing_parts")
    with op.batch_alter_table("intake_ticket") as ticket:
        ticket.drop_index(op.f("ix_intake_ticket_counts_on_station_key"))
        ticket.drop_index(op.f("ix_intake_ticket_counters_id"))
        ticket.drop_constraint(op.f("fk_intake_ticket_counters_id"), type_="foreignkey")
        for name in ("counts_on", "adjustment", "trip", "refusal_has_reason", "refused_reason", "channel"):
            ticket.drop_constraint(op.f(f"ck_intake_ticket_{name}"), type_="check")
        ticket.create_check_constraint(op.f("ck_intake_ticket_channel"), _one_of("channel", ("door", "walk_in")))
        for column in ("mac", "counters_id", "trip", "refused_reason", "counts_on"):
            ticket.drop_column(column)
    with op.batch_alter_table("scale") as scale:
        scale.drop_column("last_mac")
