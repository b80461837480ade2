"""Stock, lots, stock counts and the balance of the stations as they come in and go out."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from recycling.models.stock import COUNT_REASONS
from recycling.routes.schemas.fields import Day, Flag, QueryWhole, Schema, Text, Whole
from recycling.usecases.custody.count_stock import Counted

MOST_LINES = 100  # item types on one count; the catalogue has about fifty
MOST_UNITS = 100_000
LARGEST_G = 1_000_000_000


class StockFilterSchema(Schema):
    """Of which station; of all that the caller may see when left out."""

    station_key = Text(most=64)


class StockItemTypeSchema(Schema):
    """What lies of one item type at a station, and how long."""

    item_type = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    group = fields.String(required=True)
    units = fields.Integer(required=True)
    net_g = fields.Integer(required=True)
    lots = fields.Integer(required=True)
    oldest_day = fields.Date(required=True)
    oldest_days = fields.Integer(required=True, metadata={"description": "最长库龄（天）/ age of the oldest lot"})
    most_days = fields.Integer(required=True, metadata={"description": "存放天数上限 / days that its group may lie"})
    aged_units = fields.Integer(required=True, metadata={"description": "超期件数 / units that lie longer than that"})


class StationStockSchema(Schema):
    """One station's stock against its storage limit, what lies longest first."""

    station_key = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    storage_limit_g = fields.Integer(required=True, allow_none=True)
    stored_g = fields.Integer(required=True)
    stored_units = fields.Integer(required=True)
    share_bp = fields.Integer(required=True, allow_none=True)
    state = fields.String(required=True, validate=validate.OneOf(("within", "near", "above", "no_limit")))
    item_types = fields.List(fields.Nested(StockItemTypeSchema), required=True)


class StockSchema(Schema):
    """The stock of the stations as it is now."""

    on = fields.Date(required=True)
    stations = fields.List(fields.Nested(StationStockSchema), required=True)


class LotFilterSchema(Schema):
    """Which lots to list."""

    station_key = Text(most=64)
    item_type = Text(most=64)
    least_days = QueryWhole(least=0, most=3_650)
    cursor = Text(most=400)
    limit = QueryWhole(load_default=100, least=1, most=500)


class LotSchema(Schema):
    """What a station weighed in of one item type on one day, and what is left: in − out + adjusted."""

    station_key = fields.String(required=True)
    item_type = fields.String(required=True)
    day = fields.Date(required=True)
    days = fields.Integer(required=True)
    aged = fields.Boolean(required=True)
    in_units = fields.Integer(required=True)
    in_g = fields.Integer(required=True)
    out_units = fields.Integer(required=True)
    out_g = fields.Integer(required=True)
    adjusted_units = fields.Integer(required=True)
    adjusted_g = fields.Integer(required=True)
    left_units = fields.Integer(required=True)
    left_g = fields.Integer(required=True)


class LotListSchema(Schema):
    """A page of lots, oldest first."""

    lots = fields.List(fields.Nested(LotSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class CountedSchema(Schema):
    """What was counted of one item type; ``reason`` where it is not what the books say."""

    item_type = Text(required=True, most=64)
    units = Whole(required=True, least=0, most=MOST_UNITS)
    net_g = Whole(
        load_default=None, allow_none=True, least=0, most=LARGEST_G,
        metadata={"description": "称重（克），可不填 / in grams, where it was weighed"},
    )  # fmt: skip
    reason = fields.String(
        load_default=None, allow_none=True, validate=validate.OneOf(COUNT_REASONS),
        metadata={"description": "差异原因 / required where shelf and books differ"},
    )  # fmt: skip

    missing = fields.List(
        Text(most=100), load_default=(), validate=validate.Length(0, 1_000),
        metadata={"description": "缺失标签 / labels of units that were not found"},
    )  # fmt: skip
    found = fields.List(
        Text(most=100), load_default=(), validate=validate.Length(0, 1_000),
        metadata={"description": "寻回标签 / labels that an earlier count missed, of units among the counted"},
    )  # fmt: skip

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> Counted:
        """Build the domain's form."""
        return Counted(**fields_)


class CountStockSchema(Schema):
    """A count of the keeper's own station; what is not named was not counted."""

    lines = fields.List(fields.Nested(CountedSchema), required=True, validate=validate.Length(1, MOST_LINES))

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> list[Counted]:
        """Build the domain's form."""
        found: list[Counted] = fields_["lines"]
        return found


class DecideCountSchema(Schema):
    """Whether a held count holds, and why."""

    approved = Flag(required=True)
    note = Text(required=True, least=4, most=200)


class StockCountLineSchema(Schema):
    """One item type of a count beside the books; ``units`` and ``net_g`` are what the shelf has more."""

    item_type = fields.String(required=True)
    counted_units = fields.Integer(required=True)
    counted_g = fields.Integer(required=True, allow_none=True)
    booked_units = fields.Integer(required=True)
    booked_g = fields.Integer(required=True)
    units = fields.Integer(required=True)
    net_g = fields.Integer(required=True)
    reason = fields.String(required=True, allow_none=True)
    missing_tags = fields.List(fields.String(), required=True)
    found_tags = fields.List(fields.String(), required=True)


class StockCountDecisionSchema(Schema):
    """What the second person said."""

    approved = fields.Boolean(required=True)
    note = fields.String(required=True)
    by_id = fields.UUID(required=True)
    at = fields.AwareDateTime(required=True)


class StockCountSchema(Schema):
    """A stock count; the books follow it in the state ``done``."""

    id = fields.UUID(required=True)
    station_key = fields.String(required=True)
    number = fields.Integer(required=True)
    day = fields.Date(required=True)
    counted_by_id = fields.UUID(required=True)
    counted_at = fields.AwareDateTime(required=True)
    held = fields.Boolean(required=True)
    state = fields.String(required=True, validate=validate.OneOf(("done", "held", "rejected")))
    lines = fields.List(fields.Nested(StockCountLineSchema), required=True)
    decision = fields.Nested(StockCountDecisionSchema, required=True, allow_none=True)


class StockCountListSchema(Schema):
    """A page of stock counts, newest first."""

    stock_counts = fields.List(fields.Nested(StockCountSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class StockCountFilterSchema(Schema):
    """Which counts to list; ``state=held`` those that wait for a second person."""

    station_key = Text(most=64)
    state = fields.String(validate=validate.OneOf(("held",)))
    cursor = Text(most=400)
    limit = QueryWhole(load_default=50, least=1, most=200)


class StationBalanceFilterSchema(Schema):
    """The span, both days included, and of which station."""

    first = Day(required=True, data_key="from")
    last = Day(required=True, data_key="to")
    station_key = Text(most=64)


class BalanceRowSchema(Schema):
    """One item type at one station: opening + in − out + adjusted = closing.

    ``difference`` is what all movements come to less what lies in the lots: zero, unless the data was damaged.
    """

    item_type = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    opening_units = fields.Integer(required=True)
    opening_g = fields.Integer(required=True)
    in_units = fields.Integer(required=True)
    in_g = fields.Integer(required=True)
    out_units = fields.Integer(required=True)
    out_g = fields.Integer(required=True)
    adjusted_units = fields.Integer(required=True)
    adjusted_g = fields.Integer(required=True)
    closing_units = fields.Integer(required=True)
    closing_g = fields.Integer(required=True)
    difference_units = fields.Integer(required=True)
    difference_g = fields.Integer(required=True)


class BalancedStationSchema(Schema):
    """One station's balance by item type."""

    station_key = fields.String(required=True)
    balanced = fields.Boolean(required=True)
    item_types = fields.List(fields.Nested(BalanceRowSchema), required=True)


class StationBalanceSchema(Schema):
    """The balance of the stations over a span."""

    first = fields.Date(required=True, data_key="from")
    last = fields.Date(required=True, data_key="to")
    stations = fields.List(fields.Nested(BalancedStationSchema), required=True)
