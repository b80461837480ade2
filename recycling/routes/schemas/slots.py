"""Slot offers and holds as they come in and go out."""

from __future__ import annotations

from datetime import date
from typing import Any

import marshmallow as ma
from marshmallow import fields

from recycling.routes.schemas.bookings import BookPickupSchema, ForWhom, WishedItemSchema, WishSchema
from recycling.routes.schemas.fields import Flag, Schema, Text
from recycling.usecases.bookings.promise import Wish


class AskSlotsSchema(WishSchema):
    """A wish without day and window: these are what is asked for."""

    class Meta(WishSchema.Meta):
        """Left out of the wish."""

        exclude = ("day", "pickup_window")

    explain = Flag(load_default=True, metadata={"description": "说明约不上的原因 / say why windows are not offered"})

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> tuple[Wish, bool]:
        """Build the domain's form."""
        explain = fields_.pop("explain")
        return Wish(**fields_, day=date.min, pickup_window=""), explain


class AskHoldSchema(BookPickupSchema):
    """The wish as it was asked about, with the day and window chosen and the token that came with them."""

    hold_token = Text(required=True, most=64)

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> tuple[Wish, ForWhom, str]:
        """Build the domain's form."""
        token = fields_.pop("hold_token")
        whom = ForWhom(resident_id=fields_.pop("resident_id"), consent=fields_.pop("consent"))
        return Wish(**fields_), whom, token


class ChangeSchema(Schema):
    """A change that opens the window, or the nearest that can be had; tried on the same routes."""

    kind = fields.String(
        required=True,
        metadata={
            "description": "window, day, or what to make less: carry_down, no_dismantling, fewer_items, joined by _"
            " where it takes several / 换时段、换日期，或减轻作业（可组合）"
        },
    )
    zh = fields.String(required=True)
    en = fields.String(required=True)
    day = fields.Date(required=True, attribute="wish.day")
    pickup_window = fields.String(required=True, attribute="wish.pickup_window")
    floor = fields.Integer(required=True, attribute="wish.floor")
    items = fields.List(
        fields.Nested(WishedItemSchema),
        required=True,
        attribute="wish.items",
        metadata={"description": "改动后的物品 / the items that remain, as they then are"},
    )


class RefusalSchema(Schema):
    """Why a window is not offered, and what opens it, nearest first; none when nothing does."""

    binding = fields.String(required=True, metadata={"description": "no_vehicle, crew, load, time, window, no_show"})
    skill = fields.String(required=True, allow_none=True)
    zh = fields.String(required=True)
    en = fields.String(required=True)
    changes = fields.List(fields.Nested(ChangeSchema), required=True)


class SlotOfferSchema(Schema):
    """One window of a day; offered when it has a hold token."""

    pickup_window = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    offered = fields.Boolean(required=True)
    arrival_s = fields.Integer(
        required=True, allow_none=True, metadata={"description": "预计到达（当日秒）/ seconds after midnight, estimate"}
    )
    added_min = fields.Integer(
        required=True, allow_none=True, metadata={"description": "增加的行驶分钟 / driving that the visit adds"}
    )
    near = fields.Boolean(required=True, metadata={"description": "附近已有收运 / a collector passes by anyway"})
    greenest = fields.Boolean(required=True, metadata={"description": "最环保 / adds least driving of all"})
    hold_token = fields.String(required=True, allow_none=True)
    why_not = fields.Nested(RefusalSchema, required=True, allow_none=True)


class OfferedDaySchema(Schema):
    """The windows of one service day; none when its routes are already planned."""

    day = fields.Date(required=True)
    closed = fields.Boolean(required=True)
    visits = fields.Integer(
        required=True,
        metadata={"description": "同一时段内的上门次数 / visits that it takes, all in the window and one booking"},
    )
    apart_zh = fields.String(required=True, allow_none=True, metadata={"description": "哪些物品分次收运、为何"})
    apart_en = fields.String(required=True, allow_none=True, metadata={"description": "which items go apart, and why"})
    windows = fields.List(fields.Nested(SlotOfferSchema), required=True)


class SlotOffersSchema(Schema):
    """The coming service days; a note when not all of them are left to the resident who asks."""

    note_zh = fields.String(required=True, allow_none=True)
    note_en = fields.String(required=True, allow_none=True)
    days = fields.List(fields.Nested(OfferedDaySchema), required=True)


class WindowSchema(Schema):
    """A bookable interval of the service day."""

    key = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    opens_s = fields.Integer(required=True)
    closes_s = fields.Integer(required=True)


class PickupWindowsSchema(Schema):
    """The windows, and the days that can be booked now."""

    windows = fields.List(fields.Nested(WindowSchema), required=True)
    days = fields.List(fields.Date(), required=True)
