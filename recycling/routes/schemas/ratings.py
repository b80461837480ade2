"""Ratings as they come in and go out, and figures of many."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from recycling.policy.ratings import LONGEST_WORDS, MOST_STARS, RATING_REASONS
from recycling.routes.schemas.fields import Schema, Text, Whole
from recycling.usecases.bookings.rate_visit import Verdict

REASONS = {"description": "评价原因代码 / coded reasons"}


class RateVisitSchema(Schema):
    """What a resident says of a visit; sent again, it takes the place of what was said before."""

    stars = Whole(required=True, least=1, most=MOST_STARS)
    reasons = fields.List(
        fields.String(validate=validate.OneOf(RATING_REASONS)),
        load_default=list,
        validate=validate.Length(max=len(RATING_REASONS)),
        metadata=REASONS,
    )
    words = Text(load_default="", least=0, most=LONGEST_WORDS, metadata={"description": "补充说明 / in own words"})

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> Verdict:
        """Build the domain's form."""
        return Verdict(**fields_)


class RatingSchema(Schema):
    """What a resident said of a visit; shown to nobody else."""

    stars = fields.Integer(required=True)
    reasons = fields.List(fields.String(), required=True, metadata=REASONS)
    words = fields.String(
        required=True, allow_none=True, metadata={"description": "null when none, or when their time is over"}
    )
    rated_at = fields.AwareDateTime(required=True)
    changed_at = fields.AwareDateTime(required=True)


class MonthFilterSchema(Schema):
    """Which month."""

    month = Text(required=True, most=7, metadata={"example": "2026-10"})


class RatingFigureSchema(Schema):
    """What enough residents said of one collector or station."""

    key = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    ratings = fields.Integer(required=True)
    mean_centistars = fields.Integer(
        required=True, metadata={"description": "平均星级 ×100 / mean stars in hundredths, rounded down"}
    )
    reasons = fields.Dict(
        keys=fields.String(), values=fields.Integer(), required=True,
        metadata={"description": "how many gave each reason, of those that enough gave"},
    )  # fmt: skip


class StationRatingSchema(RatingFigureSchema):
    """The same of a station, with what they wrote: by the alphabet, without anything that leads to a visit."""

    words = fields.List(fields.String(), required=True)


class RatingFiguresSchema(Schema):
    """What residents said of a month's visits; none before no rating of it can change."""

    month = fields.String(required=True)
    settled = fields.Boolean(required=True)
    settled_from = fields.Date(required=True)
    least_ratings = fields.Integer(required=True, metadata={"description": "少于此数不显示 / of fewer none is shown"})
    collectors = fields.List(fields.Nested(RatingFigureSchema), required=True)
    stations = fields.List(fields.Nested(StationRatingSchema), required=True)
