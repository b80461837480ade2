"""Field events as they come in, and what became of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args
from uuid import UUID

import marshmallow as ma
from marshmallow import fields, validate

from recycling.policy.catalogue import CONDITIONS
from recycling.policy.custody_tags import LONGEST_AS_READ
from recycling.policy.device_clock import DeviceClock
from recycling.policy.failed_visits import FollowUp
from recycling.policy.field_events import FIELD_KINDS
from recycling.policy.proof_photos import MOST_PROOFS
from recycling.routes.schemas.fields import Day, Flag, Instant, QueryWhole, Schema, Text, Whole
from recycling.routes.schemas.proofs import SignatureSchema
from recycling.usecases.bookings.promise import MOST_ITEM_TYPES
from recycling.usecases.field.custody import TaggedUnit
from recycling.usecases.field.record_events import MOST_EVENTS, MOST_UNITS, Answered
from recycling.usecases.field.reports import (
    PRICE_REASONS,
    CountedItem,
    FieldReport,
    GivenProof,
    Payload,
    PriceChange,
)

HEAVIEST_G = 10_000_000  # no household hands over ten tonnes of one item type at once
DEAREST_FEN = 100_000_00
LONGEST_COUNT = 2**31 - 1  # of a device; a hundred records a day take sixty thousand years
MOST_NOTE = 500
SHA256 = r"\A[0-9a-f]{64}\Z"
MOST_UNITS_TAGGED = 100
LONGEST_UPTIME_MS = 2**53  # exact in JSON


class CountedItemSchema(Schema):
    """Units of one item type taken on board; the masses are never a recovered figure."""

    item_type = Text(required=True, most=64, metadata={"description": "品类 / key of GET /item-types"})
    units = Whole(required=True, least=1, most=MOST_UNITS)
    estimated_g = Whole(
        load_default=None, allow_none=True, least=1, most=HEAVIEST_G, metadata={"description": "估重 / guessed"}
    )
    doorstep_g = Whole(
        load_default=None, allow_none=True, least=1, most=HEAVIEST_G,
        metadata={"description": "上门秤重 / read off a scale at the door"},
    )  # fmt: skip
    condition = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(CONDITIONS))
    missing_parts = Whole(
        load_default=None, allow_none=True, least=0, most=MOST_UNITS,
        metadata={"description": "缺件数 / units that are stripped of something"},
    )  # fmt: skip

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> CountedItem:
        """Build the domain's form."""
        return CountedItem(**fields_)


class PriceChangeSchema(Schema):
    """Another price than was estimated, why, and the resident's yes."""

    reason = fields.String(required=True, validate=validate.OneOf(PRICE_REASONS))
    fen = Whole(required=True, least=-DEAREST_FEN, most=DEAREST_FEN)
    agreed = Flag(required=True)

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> PriceChange:
        """Build the domain's form."""
        return PriceChange(**fields_)


class GivenProofSchema(Schema):
    """What proves the visit; a photo is named by the SHA-256 of its file and comes by itself."""

    photos = fields.List(
        fields.String(validate=validate.Regexp(SHA256)), load_default=tuple, validate=validate.Length(0, MOST_PROOFS)
    )
    code = fields.String(load_default=None, allow_none=True, validate=validate.Regexp(r"\A[0-9]{6}\Z"))
    signature = fields.Nested(SignatureSchema, load_default=None, allow_none=True)
    called_s = Whole(load_default=None, allow_none=True, least=0, most=3600)
    smartphone = Flag(load_default=True)

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> GivenProof:
        """Build the domain's form."""
        return GivenProof(**fields_)


class TaggedUnitSchema(Schema):
    """One unit with its label as it was read, and its numbered seal where it holds somebody's data."""

    item_type = Text(required=True, most=64)
    tag = Text(required=True, most=LONGEST_AS_READ)
    seal = Text(load_default=None, allow_none=True, most=LONGEST_AS_READ)

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> TaggedUnit:
        """Build the domain's form."""
        return TaggedUnit(**fields_)


class PayloadSchema(Schema):
    """What a record carries; which kind may carry what, the refusal says."""

    reason = Text(
        load_default=None, allow_none=True, most=32, metadata={"description": "原因 / code of GET /failed-visit-codes"}
    )
    items = fields.List(
        fields.Nested(CountedItemSchema), load_default=tuple, validate=validate.Length(0, MOST_ITEM_TYPES)
    )
    price_change = fields.Nested(PriceChangeSchema, load_default=None, allow_none=True)
    station_key = Text(load_default=None, allow_none=True, most=64)
    drives = Flag(
        load_default=None, allow_none=True, metadata={"description": "车辆能否继续行驶 / the vehicle still drives"}
    )
    undoes = fields.UUID(load_default=None, allow_none=True, metadata={"description": "撤销的记录 / event taken back"})
    note = Text(load_default=None, allow_none=True, most=MOST_NOTE)
    photo_sha256 = fields.String(
        load_default=None, allow_none=True, validate=validate.Regexp(SHA256)
    )  # fmt: skip

    proof = fields.Nested(GivenProofSchema, load_default=None, allow_none=True)
    tags = fields.List(
        fields.Nested(TaggedUnitSchema), load_default=tuple, validate=validate.Length(0, MOST_UNITS_TAGGED)
    )

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> Payload:
        """Build the domain's form."""
        return Payload(**fields_)


class ClockSchema(Schema):
    """What the device's clocks showed: the one people can set, and the one that runs since the device was started."""

    device_time = Instant(required=True, metadata={"example": "2026-11-24T08:31:00+08:00"})
    monotonic_ms = Whole(load_default=None, allow_none=True, least=0, most=LONGEST_UPTIME_MS)
    boot_id = Text(load_default=None, allow_none=True, most=64)

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> DeviceClock:
        """Build the domain's form."""
        return DeviceClock(**fields_)


class FieldEventSchema(Schema):
    """One record under an id that the device made; sent again unchanged it does nothing more."""

    event_id = fields.UUID(required=True)
    device_id = fields.UUID(required=True)
    device_seq = Whole(
        required=True, least=1, most=LONGEST_COUNT, metadata={"description": "设备内序号 / the device's own count"}
    )
    plan_version = Whole(required=True, least=1, most=LONGEST_COUNT)
    booking_id = fields.UUID(load_default=None, allow_none=True)
    kind = fields.String(required=True, validate=validate.OneOf(FIELD_KINDS))
    payload = fields.Nested(PayloadSchema, load_default=Payload)
    device_time = Instant(required=True, metadata={"example": "2026-11-24T08:31:00+08:00"})
    monotonic_ms = Whole(load_default=None, allow_none=True, least=0, most=LONGEST_UPTIME_MS)
    boot_id = Text(load_default=None, allow_none=True, most=64)

    @ma.post_load
    def make(self, fields_: dict[str, Any], **_: Any) -> FieldReport:
        """Build the domain's form."""
        clock = DeviceClock(**{name: fields_.pop(name) for name in ("device_time", "monotonic_ms", "boot_id")})
        return FieldReport(clock=clock, **fields_)


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed:
    """A record that cannot be read: what it called itself, if that much is readable, and what is wrong with it."""

    event_id: UUID | None
    detail: str


class EachAlone(fields.List[Any]):
    """A list whose members are read each by itself: one that cannot be read takes nothing from the others."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> list[Any]:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        return [self._one(each) for each in value]

    def _one(self, value: Any) -> FieldReport | Malformed:
        try:
            report: FieldReport = self.inner.deserialize(value)
        except ma.ValidationError as error:
            return Malformed(event_id=_event_id(value), detail=_listed(error.messages))
        return report


def _event_id(value: Any) -> UUID | None:
    try:
        return UUID(value["event_id"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


MOST_SAID = 400  # characters: a record with a thousand wrong fields gets a short answer


def _listed(messages: Any) -> str:
    """Names of the wrong fields with what is wrong; never their values, which may be about people."""
    said = "; ".join(_lines("", messages))
    return said if len(said) <= MOST_SAID else said[: MOST_SAID - 1] + "…"


def _lines(name: str, messages: Any) -> list[str]:
    if isinstance(messages, Mapping):
        return [
            line for key, value in messages.items() for line in _lines(f"{name}.{key}" if name else str(key), value)
        ]
    texts = messages if isinstance(messages, list) else [messages]
    return [f"{name}: {text}" for text in texts]


class FieldEventsSchema(Schema):
    """Records of one device, in any sequence; ``sent`` is what its clocks show as it sends them."""

    events = EachAlone(
        fields.Nested(FieldEventSchema), required=True, validate=validate.Length(1, MOST_EVENTS)
    )  # fmt: skip
    sent = fields.Nested(ClockSchema, load_default=None, allow_none=True)


class EventAnswerSchema(Schema):
    """What became of one record: accepted, stood there already, clashes with what is known, or breaks a rule.

    ``status`` is what HTTP would say of it alone: 201, 200, 409, or 4xx for a refusal. A record that clashes is kept,
    and a person looks at it, unless its id is taken: then both are kept and the first counts.
    """

    event_id = fields.UUID(required=True, allow_none=True)
    answer = fields.String(required=True, validate=validate.OneOf(get_args(Answered)))
    status = fields.Integer(required=True)
    code = fields.String(required=True, allow_none=True)
    detail = fields.String(required=True, allow_none=True)
    retryable = fields.Boolean(required=True)
    plan_version = fields.Integer(
        required=True, allow_none=True, metadata={"description": "改计入的计划版本 / the version it now counts for"}
    )
    flags = fields.List(fields.String(), required=True)


class SeqSpanSchema(Schema):
    """Numbers that have not come, both ends included."""

    first = fields.Integer(required=True)
    last = fields.Integer(required=True)


class DeviceGapsSchema(Schema):
    """How far a device's count has come to us, and what of it is missing: send that again."""

    device_id = fields.UUID(required=True)
    highest_seq = fields.Integer(required=True)
    missing = fields.List(fields.Nested(SeqSpanSchema), required=True)


class EventAnswersSchema(Schema):
    """One answer per record, in the sequence in which they were sent."""

    events = fields.List(fields.Nested(EventAnswerSchema), required=True)
    devices = fields.List(fields.Nested(DeviceGapsSchema), required=True)
    server_time = fields.AwareDateTime(required=True)


class FlagFilterSchema(Schema):
    """Which flagged records: of one day or all; those that wait, or those that were ruled on."""

    day = Day()
    settled = fields.Boolean(load_default=False, truthy={"true"}, falsy={"false"})
    limit = QueryWhole(load_default=50, least=1, most=200)
    cursor = Text(most=256)


class FieldFlagSchema(Schema):
    """Why a person has to look at a record; ``settled_at`` is when somebody ruled on it."""

    code = fields.String(required=True)
    why_zh = fields.String(required=True)
    why_en = fields.String(required=True)
    at = fields.AwareDateTime(required=True)
    settled_at = fields.AwareDateTime(required=True, allow_none=True)


class RulingSchema(Schema):
    """Whether a record counts, and why one thinks so."""

    counts = Flag(required=True)
    note = Text(required=True, most=MOST_NOTE)


class RuledSchema(Schema):
    """A ruling as it stands in the log; its note goes when the time of words about people is over."""

    counts = fields.Boolean(required=True)
    note = fields.String(required=True, allow_none=True)

    number = fields.Integer(required=True)
    by_id = fields.UUID(required=True)
    at = fields.AwareDateTime(required=True)


class ClashSchema(Schema):
    """What came later under the id of this record, whole."""

    received_at = fields.AwareDateTime(required=True)
    content = fields.Dict(keys=fields.String(), required=True)


class FlaggedEventSchema(Schema):
    """A record with what is to be looked at; ``made_at`` is when it happened as far as we can tell."""

    event_id = fields.UUID(required=True)
    day = fields.Date(required=True)
    vehicle_key = fields.String(required=True)
    plan_version = fields.Integer(required=True)
    booking_id = fields.UUID(required=True, allow_none=True)
    booking_state = fields.String(required=True, allow_none=True)
    collector_id = fields.UUID(required=True)
    device_id = fields.UUID(required=True)
    device_seq = fields.Integer(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(FIELD_KINDS))
    reason = fields.String(required=True, allow_none=True)
    items = fields.List(fields.Dict(keys=fields.String()), required=True)
    note = fields.String(required=True, allow_none=True)
    proof = fields.Dict(keys=fields.String(), required=True, allow_none=True)
    device_time = fields.AwareDateTime(required=True)
    made_at = fields.AwareDateTime(required=True)
    skew_s = fields.Integer(required=True, allow_none=True)
    quarantined = fields.Boolean(required=True)
    counts_on = fields.Date(required=True)
    received_at = fields.AwareDateTime(required=True)
    flags = fields.List(fields.Nested(FieldFlagSchema), required=True)
    rulings = fields.List(fields.Nested(RuledSchema), required=True)
    clashes = fields.List(fields.Nested(ClashSchema), required=True)


class FlaggedEventsSchema(Schema):
    """A page of flagged records."""

    field_events = fields.List(fields.Nested(FlaggedEventSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class FailedVisitCodeSchema(Schema):
    """Why a visit failed or stayed incomplete, what proves it, and what follows."""

    code = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    for_failed = fields.Boolean(required=True)
    for_partly = fields.Boolean(required=True)
    proof_zh = fields.String(required=True)
    proof_en = fields.String(required=True)
    next_step_zh = fields.String(required=True)
    next_step_en = fields.String(required=True)
    follow_up = fields.String(
        required=True, validate=validate.OneOf(get_args(FollowUp)), metadata={"description": "后续办法 / what follows"}
    )


class FailedVisitCodesSchema(Schema):
    """All codes."""

    failed_visit_codes = fields.List(fields.Nested(FailedVisitCodeSchema), required=True)
