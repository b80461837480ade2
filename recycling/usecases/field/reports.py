"""What a collector's device sends: the form of one record, and what each kind of it carries."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC
from typing import Any, Literal, get_args
from uuid import UUID

from recycling.errors import InvalidInput
from recycling.models.encrypted import keyring
from recycling.policy.catalogue import Condition
from recycling.policy.device_clock import DeviceClock
from recycling.policy.field_events import FieldKind
from recycling.policy.handwritten import HandSignature
from recycling.usecases.field.custody import TaggedUnit

# Why the price at the door is another one than was estimated.
PriceReason = Literal["item_differs", "condition_differs", "missing_parts", "weight_differs", "removal_needed"]
PRICE_REASONS: tuple[PriceReason, ...] = get_args(PriceReason)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedItem:
    """Units of one item type taken on board.

    ``doorstep_g`` was read off a scale at the door, ``estimated_g`` guessed; neither is ever a recovered figure.
    ``missing_parts`` counts the units that are stripped of something.
    """

    item_type: str
    units: int
    estimated_g: int | None = None
    doorstep_g: int | None = None
    condition: Condition | None = None
    missing_parts: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChange:
    """Another price than was estimated, why, and whether the resident said yes to it."""

    reason: PriceReason
    fen: int
    agreed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenProof:
    """What a collector brings along to prove a visit.

    ``photos`` are the SHA-256 of files that come by themselves, arrived or not; ``code`` what the resident told, of
    which only the outcome is kept; ``called_s`` how long the phone rang at a door that stayed shut.
    """

    photos: Sequence[str] = ()
    code: str | None = None
    signature: HandSignature | None = None
    called_s: int | None = None
    smartphone: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What a record carries beside its kind; `MUST` and `MAY` say which kind carries what."""

    reason: str | None = None
    items: Sequence[CountedItem] = ()
    price_change: PriceChange | None = None
    station_key: str | None = None
    drives: bool | None = None
    undoes: UUID | None = None
    note: str | None = None
    photo_sha256: str | None = None
    proof: GivenProof | None = None
    tags: Sequence[TaggedUnit] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldReport:
    """One record of a collector's device, under the id the device gave it.

    ``device_seq`` is the device's own count, from 1 without a gap; ``plan_version`` the version of the day's plan that
    the collector had before them; ``clock`` what the device's clocks showed.
    """

    event_id: UUID
    device_id: UUID
    device_seq: int
    plan_version: int
    booking_id: UUID | None
    kind: FieldKind
    payload: Payload = field(default_factory=Payload)
    clock: DeviceClock


# What a record must carry and what it may beyond that; a note goes with every kind.
MUST: Mapping[FieldKind, frozenset[str]] = {
    "collected": frozenset({"items"}),
    "partly": frozenset({"items", "reason"}),
    "failed": frozenset({"reason"}),
    "unload": frozenset({"station_key"}),
    "fault": frozenset({"drives"}),
    "note": frozenset({"note"}),
    "photo": frozenset({"photo_sha256"}),
    "undo": frozenset({"undoes"}),
}
MAY: Mapping[FieldKind, frozenset[str]] = {
    "arrive": frozenset({"station_key"}),
    "start": frozenset({"station_key"}),
    "collected": frozenset({"price_change", "proof", "tags"}),
    "partly": frozenset({"price_change", "proof", "tags"}),
    "failed": frozenset({"proof"}),
}
# Whether a record is about a booking: always, never (``False``), or as the case may be (``None``).
ABOUT_A_BOOKING: Mapping[FieldKind, bool | None] = {
    "shift_start": False, "shift_end": False, "on_the_way": True, "arrive": None, "start": None, "collected": True,
    "partly": True, "failed": True, "unload": False, "break_start": False, "break_end": False, "fault": False,
    "note": None, "photo": True, "undo": None,
}  # fmt: skip
NAMES = tuple(one.name for one in fields(Payload))


def check_form(report: FieldReport) -> None:
    """Refuse a record that lacks what its kind needs or carries what it must not.

    Raises
    ------
    InvalidInput
        Naming the field.
    """
    must: frozenset[str] = MUST.get(report.kind, frozenset())
    may = must | MAY.get(report.kind, frozenset()) | {"note"}
    carried = {name for name in NAMES if getattr(report.payload, name) not in (None, ())}
    for name in sorted(must - carried):
        raise InvalidInput(f"payload.{name} is missing with kind {report.kind!r} / 缺少 payload.{name}")
    for name in sorted(carried - may):
        raise InvalidInput(
            f"payload.{name} does not go with kind {report.kind!r}; send it in a record of its own kind"
            f" / {report.kind} 记录不应带 payload.{name}"
        )
    about = ABOUT_A_BOOKING[report.kind]
    if about is not None and about != (report.booking_id is not None):
        need = "needs a booking_id" if about else "goes without a booking_id"
        raise InvalidInput(f"kind {report.kind!r} {need} / 请核对 booking_id")
    if report.kind in ("arrive", "start") and (report.booking_id is None) == (report.payload.station_key is None):
        raise InvalidInput(f"kind {report.kind!r} is at a booking or at a station: name one of them / 请注明预约或站点")


def said(report: FieldReport) -> dict[str, Any]:
    """The whole record as JSON, the same however its items were listed or its instant was written."""
    payload = {
        name: value for name in NAMES if (value := getattr(report.payload, name)) not in (None, ()) and name != "items"
    }
    if report.payload.price_change is not None:
        payload["price_change"] = asdict(report.payload.price_change)
    if report.payload.proof is not None:
        payload["proof"] = asdict(report.payload.proof)
    if report.payload.tags:
        payload["tags"] = [asdict(unit) for unit in report.payload.tags]
    if report.payload.undoes is not None:
        payload["undoes"] = str(report.payload.undoes)
    return {
        "device_id": str(report.device_id),
        "device_seq": report.device_seq,
        "plan_version": report.plan_version,
        "booking_id": None if report.booking_id is None else str(report.booking_id),
        "kind": report.kind,
        "payload": payload | {"items": items_of(report)},
        "device_time": report.clock.device_time.astimezone(UTC).isoformat(),
        "monotonic_ms": report.clock.monotonic_ms,
        "boot_id": report.clock.boot_id,
    }


def items_of(report: FieldReport) -> list[dict[str, Any]]:
    """The counted items as they are stored: ascending by item type, nothing that was not said."""
    return [
        {name: value for name, value in asdict(item).items() if value is not None}
        for item in sorted(report.payload.items, key=lambda item: item.item_type)
    ]


def fingerprint(report: FieldReport) -> bytes:
    """A keyed digest of what the record says: a code of six digits could be tried out in one without a key."""
    return keyring.digest(json.dumps(said(report), sort_keys=True), context="field_event.fingerprint")


def clashing(report: FieldReport) -> dict[str, Any]:
    """What is kept of a record whose id stands already: the whole of it but the code and the drawn signature."""
    found = said(report)
    proof = found["payload"].get("proof")
    if proof is not None:
        found["payload"]["proof"] = {
            name: value for name, value in proof.items() if name not in ("code", "signature")
        }  # fmt: skip
    return found


# Kept elsewhere: in columns of their own, with people's words, as rows of their own.
APART = frozenset({"items", "reason", "note", "proof", "tags"})


def payload_of(report: FieldReport, *, code: str | None = None) -> dict[str, Any] | None:
    """What the folds and figures read beside reason and items; ``None`` when that is nothing.

    ``code`` is what became of the resident's code; the code itself is not kept.
    """
    found: dict[str, Any] = {name: value for name, value in said(report)["payload"].items() if name not in APART}
    proof = report.payload.proof
    if proof is not None:
        found["proof"] = {
            "photos": list(proof.photos), "code": code, "signed": proof.signature is not None,
            "called_s": proof.called_s, "smartphone": proof.smartphone,
        }  # fmt: skip
    return found or None


def words_of(report: FieldReport) -> dict[str, Any] | None:
    """What may be about people, and goes when its time is over; ``None`` when that is nothing."""
    found: dict[str, Any] = {}
    if report.payload.note is not None:
        found["note"] = report.payload.note
    if report.payload.proof is not None and report.payload.proof.signature is not None:
        found["signature"] = asdict(report.payload.proof.signature)
    return found or None
