"""labels at the scale and chained trails, stock by lots, counts, hand-overs to processors."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

AMOUNTS = ("in_units", "in_g", "out_units", "out_g", "adjusted_units", "adjusted_g", "left_units", "left_g")
CUSTODY_KINDS = ("door", "vehicle", "station", "lot", "outlet", "reweighed", "adjusted", "missing")
COUNT_REASONS = ("miscounted", "found", "lost", "stolen", "damaged", "other")
OUTLET_KINDS = ("reuse", "refurbish", "recovery")
RESOLUTION_CODES = ("our_scale", "their_scale", "moisture", "lost_on_the_way", "other")


def _one_of(table: str, column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(repr(value) for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{table}_{column}"))


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=64), nullable=False)


def _grams(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _id(name: str) -> sa.Column[UUID]:
    return sa.Column(name, sa.Uuid(), nullable=False)


def _at(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def upgrade() -> None:
    """Go up. Labels that stand begin without a trail; whatever tickets brought and nobody counts out lies in stock."""
    _labels()
    _lots()
    _counts()
    _hand_overs()


def _labels() -> None:
    with op.batch_alter_table("custody_tag") as tag:
        tag.add_column(sa.Column("last_number", sa.Integer(), nullable=False, server_default="0"))
        tag.add_column(sa.Column("last_mac", sa.LargeBinary(length=32), nullable=False, server_default=""))
        for column in ("booking_id", "collector_id", "event_id"):
            tag.alter_column(column, existing_type=sa.Uuid(), nullable=True)
        tag.create_check_constraint(op.f("ck_custody_tag_last_number"), "last_number >= 0")
        tag.create_check_constraint(op.f("ck_custody_tag_of_a_record"), "(collector_id IS NULL) = (event_id IS NULL)")
        tag.create_check_constraint(op.f("ck_custody_tag_from_a_door"), "event_id IS NULL OR booking_id IS NOT NULL")
    op.create_table(
        "custody_event",
        sa.Column("tag", sa.String(length=14), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        _at("at"),
        _id("by_id"),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        _one_of("custody_event", "kind", CUSTODY_KINDS),
        sa.CheckConstraint("number >= 1", name=op.f("ck_custody_event_number")),
        sa.ForeignKeyConstraint(["tag"], ["custody_tag.tag"], name=op.f("fk_custody_event_tag")),
        sa.PrimaryKeyConstraint("tag", "number", name=op.f("pk_custody_event")),
    )
    op.create_table(
        "weighed_tag",
        _id("ticket_id"),
        sa.Column("tag", sa.String(length=14), nullable=False),
        _whole("position"),
        sa.Column("stands", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id", "position"], ["intake_line.ticket_id", "intake_line.position"],
            name=op.f("fk_weighed_tag_ticket_id"),
        ),
        sa.ForeignKeyConstraint(["tag"], ["custody_tag.tag"], name=op.f("fk_weighed_tag_tag")),
        sa.PrimaryKeyConstraint("ticket_id", "tag", name=op.f("pk_weighed_tag")),
    )  # fmt: skip
    op.create_index(
        "uq_weighed_tag_standing", "weighed_tag", ["tag"], unique=True, sqlite_where=sa.text("stands"),
        postgresql_where=sa.text("stands"),
    )  # fmt: skip


def _lots() -> None:
    op.create_table(
        "stock_lot",
        _key("station_key"),
        _key("item_type"),
        sa.Column("day", sa.Date(), nullable=False),
        *(_grams(name) if name.endswith("_g") else _whole(name) for name in AMOUNTS),
        sa.Column("told_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "left_units = in_units - out_units + adjusted_units", name=op.f("ck_stock_lot_units_balance")
        ),
        sa.CheckConstraint("left_g = in_g - out_g + adjusted_g", name=op.f("ck_stock_lot_mass_balances")),
        sa.CheckConstraint(
            "in_units >= 0 AND in_g >= 0 AND out_units >= 0 AND out_g >= 0", name=op.f("ck_stock_lot_amounts")
        ),
        sa.CheckConstraint(
            "left_units >= 0 AND left_g >= left_units AND (left_units > 0 OR left_g = 0)",
            name=op.f("ck_stock_lot_left"),
        ),
        sa.PrimaryKeyConstraint("station_key", "item_type", "day", name=op.f("pk_stock_lot")),
    )
    op.create_index(
        "ix_stock_lot_left", "stock_lot", ["station_key", "item_type", "day"], unique=False,
        sqlite_where=sa.text("left_units > 0"), postgresql_where=sa.text("left_units > 0"),
    )  # fmt: skip
    op.execute(
        "INSERT INTO stock_lot (station_key, item_type, day, in_units, in_g, out_units, out_g, adjusted_units,"
        " adjusted_g, left_units, left_g)"
        " SELECT t.station_key, l.item_type, t.day, SUM(l.units), SUM(l.net_g), 0, 0, 0, 0, SUM(l.units), SUM(l.net_g)"
        " FROM intake_ticket t JOIN intake_line l ON l.ticket_id = t.id"
        " WHERE NOT EXISTS (SELECT 1 FROM intake_ticket newer WHERE newer.corrects_id = t.id)"
        " GROUP BY t.station_key, l.item_type, t.day"
    )
    op.create_table(
        "station_book",
        _key("station_key"),
        _whole("last_hand_over"),
        _whole("last_count"),
        sa.PrimaryKeyConstraint("station_key", name=op.f("pk_station_book")),
    )


def _counts() -> None:
    op.create_table(
        "stock_count",
        _id("id"),
        _key("station_key"),
        _whole("number"),
        sa.Column("day", sa.Date(), nullable=False),
        _id("counted_by_id"),
        _at("counted_at"),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_count")),
        sa.UniqueConstraint("station_key", "number", name=op.f("uq_stock_count_station_key")),
    )
    op.create_table(
        "stock_count_line",
        _id("count_id"),
        _key("item_type"),
        _whole("counted_units"),
        _grams("counted_g", nullable=True),
        _whole("booked_units"),
        _grams("booked_g"),
        _whole("units"),
        _grams("net_g"),
        sa.Column("reason", sa.String(length=24), nullable=True),
        _one_of("stock_count_line", "reason", COUNT_REASONS),
        sa.CheckConstraint(
            "counted_units >= 0 AND booked_units >= 0 AND booked_g >= 0", name=op.f("ck_stock_count_line_amounts")
        ),
        sa.CheckConstraint(
            "counted_g IS NULL OR counted_g >= counted_units", name=op.f("ck_stock_count_line_counted_g")
        ),
        sa.CheckConstraint(
            "reason IS NOT NULL OR (units = 0 AND net_g = 0)", name=op.f("ck_stock_count_line_difference_has_reason")
        ),
        sa.ForeignKeyConstraint(["count_id"], ["stock_count.id"], name=op.f("fk_stock_count_line_count_id")),
        sa.PrimaryKeyConstraint("count_id", "item_type", name=op.f("pk_stock_count_line")),
    )
    op.create_table(
        "stock_count_tag",
        _id("count_id"),
        sa.Column("tag", sa.String(length=14), nullable=False),
        _key("item_type"),
        sa.ForeignKeyConstraint(
            ["count_id", "item_type"], ["stock_count_line.count_id", "stock_count_line.item_type"],
            name=op.f("fk_stock_count_tag_count_id"),
        ),
        sa.ForeignKeyConstraint(["tag"], ["custody_tag.tag"], name=op.f("fk_stock_count_tag_tag")),
        sa.PrimaryKeyConstraint("count_id", "tag", name=op.f("pk_stock_count_tag")),
    )  # fmt: skip
    op.create_index(op.f("ix_stock_count_tag_tag"), "stock_count_tag", ["tag"], unique=False)
    op.create_table(
        "stock_count_decision",
        _id("count_id"),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        _id("counted_by_id"),
        _id("by_id"),
        _at("at"),
        sa.CheckConstraint("by_id <> counted_by_id", name=op.f("ck_stock_count_decision_second_person")),
        sa.ForeignKeyConstraint(["count_id"], ["stock_count.id"], name=op.f("fk_stock_count_decision_count_id")),
        sa.PrimaryKeyConstraint("count_id", name=op.f("pk_stock_count_decision")),
    )
    op.create_table(
        "stock_adjustment",
        _id("id"),
        _key("station_key"),
        _key("item_type"),
        sa.Column("lot_day", sa.Date(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        _whole("units"),
        _grams("net_g"),
        sa.Column("reason", sa.String(length=24), nullable=False),
        sa.Column("count_id", sa.Uuid(), nullable=True),
        sa.Column("ticket_id", sa.Uuid(), nullable=True),
        _id("by_id"),
        _at("at"),
        _one_of("stock_adjustment", "reason", (*COUNT_REASONS, "ticket_corrected")),
        sa.CheckConstraint("units <> 0 OR net_g <> 0", name=op.f("ck_stock_adjustment_something")),
        sa.CheckConstraint(
            "(count_id IS NULL) = (reason = 'ticket_corrected')", name=op.f("ck_stock_adjustment_has_source")
        ),
        sa.CheckConstraint(
            "(ticket_id IS NOT NULL) = (reason = 'ticket_corrected')", name=op.f("ck_stock_adjustment_has_ticket")
        ),
        sa.ForeignKeyConstraint(["count_id"], ["stock_count.id"], name=op.f("fk_stock_adjustment_count_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["intake_ticket.id"], name=op.f("fk_stock_adjustment_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_adjustment")),
    )
    op.create_index(op.f("ix_stock_adjustment_count_id"), "stock_adjustment", ["count_id"], unique=False)
    op.create_index(
        op.f("ix_stock_adjustment_station_key_day"), "stock_adjustment", ["station_key", "day"], unique=False
    )


def _hand_overs() -> None:
    op.create_table(
        "hand_over",
        _id("id"),
        _key("station_key"),
        _whole("number"),
        sa.Column("day", sa.Date(), nullable=False),
        _key("processor_key"),
        sa.Column("kind", sa.String(length=16), nullable=False),
        _key("licence_number"),
        sa.Column("licensed_to", sa.Date(), nullable=False),
        _grams("net_g"),
        sa.Column("plate", sa.String(length=16), nullable=False),
        sa.Column("seal", sa.String(length=24), nullable=True),
        _id("keeper_id"),
        _at("handed_at"),
        _one_of("hand_over", "kind", OUTLET_KINDS),
        sa.CheckConstraint("net_g > 0", name=op.f("ck_hand_over_net_g")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hand_over")),
        sa.UniqueConstraint("station_key", "number", name=op.f("uq_hand_over_station_key")),
    )
    op.create_index(op.f("ix_hand_over_day_station_key"), "hand_over", ["day", "station_key"], unique=False)
    op.create_table(
        "hand_over_line",
        _id("hand_over_id"),
        _whole("position"),
        _key("item_type"),
        sa.Column("lot_day", sa.Date(), nullable=False),
        _whole("units"),
        _grams("net_g"),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("data_bearing", sa.Boolean(), nullable=False),
        _one_of("hand_over_line", "kind", OUTLET_KINDS),
        sa.CheckConstraint("units > 0 AND net_g > 0", name=op.f("ck_hand_over_line_amounts")),
        sa.CheckConstraint("kind = 'recovery' OR NOT data_bearing", name=op.f("ck_hand_over_line_wiped_first")),
        sa.ForeignKeyConstraint(["hand_over_id"], ["hand_over.id"], name=op.f("fk_hand_over_line_hand_over_id")),
        sa.PrimaryKeyConstraint("hand_over_id", "position", name=op.f("pk_hand_over_line")),
    )
    op.create_index(
        op.f("ix_hand_over_line_item_type_lot_day"), "hand_over_line", ["item_type", "lot_day"], unique=False
    )
    op.create_table(
        "hand_over_tag",
        sa.Column("tag", sa.String(length=14), nullable=False),
        _id("hand_over_id"),
        sa.ForeignKeyConstraint(["tag"], ["custody_tag.tag"], name=op.f("fk_hand_over_tag_tag")),
        sa.ForeignKeyConstraint(["hand_over_id"], ["hand_over.id"], name=op.f("fk_hand_over_tag_hand_over_id")),
        sa.PrimaryKeyConstraint("tag", name=op.f("pk_hand_over_tag")),
    )
    op.create_index(op.f("ix_hand_over_tag_hand_over_id"), "hand_over_tag", ["hand_over_id"], unique=False)
    op.create_table(
        "re_weigh",
        _id("hand_over_id"),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        _grams("net_g"),
        _grams("difference_g"),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("slip", sa.String(length=64), nullable=True),
        _id("by_id"),
        _at("at"),
        sa.CheckConstraint("net_g >= 0", name=op.f("ck_re_weigh_net_g")),
        sa.ForeignKeyConstraint(["hand_over_id"], ["hand_over.id"], name=op.f("fk_re_weigh_hand_over_id")),
        sa.PrimaryKeyConstraint("hand_over_id", "number", name=op.f("pk_re_weigh")),
    )
    op.create_table(
        "re_weigh_resolution",
        _id("hand_over_id"),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=24), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        _id("weighed_by_id"),
        _id("handed_by_id"),
        _id("by_id"),
        _at("at"),
        _one_of("re_weigh_resolution", "code", RESOLUTION_CODES),
        sa.CheckConstraint(
            "by_id <> weighed_by_id AND by_id <> handed_by_id", name=op.f("ck_re_weigh_resolution_second_person")
        ),
        sa.ForeignKeyConstraint(
            ["hand_over_id", "number"], ["re_weigh.hand_over_id", "re_weigh.number"],
            name=op.f("fk_re_weigh_resolution_hand_over_id"),
        ),
        sa.PrimaryKeyConstraint("hand_over_id", "number", name=op.f("pk_re_weigh_resolution")),
    )  # fmt: skip


def downgrade() -> None:
    """Go down; labels that were first used at a scale are gone with their seals, what was handed over is forgotten."""
    for table in (
        "re_weigh_resolution", "re_weigh", "hand_over_tag", "hand_over_line", "hand_over", "stock_adjustment",
        "stock_count_decision", "stock_count_tag", "stock_count_line", "stock_count", "station_book", "stock_lot",
        "weighed_tag", "custody_event",
    ):  # fmt: skip
        op.drop_table(table)
    op.execute("DELETE FROM custody_seal WHERE tag IN (SELECT tag FROM custody_tag WHERE event_id IS NULL)")
    op.execute("DELETE FROM custody_tag WHERE event_id IS NULL")
    with op.batch_alter_table("custody_tag") as tag:
        for name in ("from_a_door", "of_a_record", "last_number"):
            tag.drop_constraint(op.f(f"ck_custody_tag_{name}"), type_="check")
        for column in ("event_id", "collector_id", "booking_id"):
            tag.alter_column(column, existing_type=sa.Uuid(), nullable=False)
        tag.drop_column("last_mac")
        tag.drop_column("last_number")
