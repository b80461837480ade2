"""The shared step of weighing in and correcting: judge what the keeper sends and turn it into ticket lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from recycling.errors import AlreadyWeighed, Conflict, InvalidInput
from recycling.models.booking import BookedItem, Booking
from recycling.models.class_average import averages_on
from recycling.models.intake import CHANNELS, REFUSED_REASONS, Channel, IntakeLine, RefusedReason
from recycling.models.transaction import rows_met
from recycling.policy.catalogue import ItemType
from recycling.policy.district import District
from recycling.policy.plausible_mass import check_plausible
from recycling.units import kg_text
from recycling.usecases.intake.line_masses import ExpectedMass, LineMass, line_masses

SCALE_MAX_G = 60_000_000  # the largest truck scale we expect at a station, 60 t (ours)
MOST_UNITS = 1_000  # of one item type on one line; more is a typing error (ours)
MOST_LINES = 200  # on one ticket; a truck's trip of 30 stops makes fewer (ours)
# On one ticket, which holds its station's day meanwhile: a label takes 1 to 4 ms, 200 full lines minutes (ours).
MOST_TAGS = 1_000
MOST_NAMED = 3  # item types in one message
MOST_TRIPS = 20  # of one vehicle on one day; the busiest crew makes six (ours)
WITHOUT_BOOKING = ", ".join(channel for channel in CHANNELS if channel != "door")


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighedLine:
    """So many of one item type, with its own reading where it stood on the scale alone.

    ``missing_parts`` counts the units that came stripped of something; ``tags`` are labels of units, as they were read.
    """

    item_type: str
    units: int
    net_g: int | None = None
    booking_id: UUID | None = None
    missing_parts: int = 0
    tags: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """What a keeper reads off the scale and finds on the load; ``refused_g`` is contamination sent back.

    ``trip`` tells which of the vehicle's loads of the day it is, from 1; ``reading_id`` from where the masses were
    taken off when the weighbridge has sent them.
    """

    channel: Channel
    gross_g: int
    tare_g: int
    refused_g: int = 0
    refused_reason: RefusedReason | None = None
    vehicle_key: str | None = None
    trip: int | None = None
    reading_id: UUID | None = None
    lines: Sequence[WeighedLine]

    @property
    def net_g(self) -> int:
        """Gross less tare."""
        return self.gross_g - self.tare_g


def judged_lines(
    weighing: Weighing, *, station_key: str, day: date, district: District, session: Session
) -> list[IntakeLine]:
    """Ticket lines whose grams add up to the accepted mass.

    Raises
    ------
    InvalidInput
        When masses, vehicle, item types, units or bookings of the weighing cannot be accepted.
    """
    _check_masses(weighing, district=district)
    lines = weighing.lines
    if len(lines) > MOST_LINES:
        raise InvalidInput(f"lines has {len(lines)} entries; put at most {MOST_LINES} on one ticket")
    seen: set[tuple[UUID | None, str]] = set()
    for line in lines:
        _check_line(line, channel=weighing.channel)
        if (line.booking_id, line.item_type) in seen:
            whose = f" for booking {line.booking_id}" if line.booking_id else ""
            raise InvalidInput(
                f"item_type {line.item_type!r} comes twice{whose}; give it once, with its whole units and mass"
                " / 同一品类重复，请合并为一行"
            )
        seen.add((line.booking_id, line.item_type))
    kinds = [district.catalogue.item_type(line.item_type, on=day) for line in lines]
    masses = line_masses(
        weighing.net_g - weighing.refused_g,
        readings=[line.net_g for line in lines],
        expected=_expected(lines, kinds, station_key=station_key, day=day, session=session),
    )
    _check_plausible(lines, kinds, masses)
    towns = _towns({line.booking_id for line in lines if line.booking_id is not None}, session=session)
    return [
        IntakeLine(
            position=position, item_type=line.item_type, units=line.units, net_g=mass.net_g,
            provenance=mass.provenance, missing_parts=line.missing_parts, booking_id=line.booking_id,
            town_key=station_key if line.booking_id is None else towns[line.booking_id],
        )
        for position, (line, mass) in enumerate(zip(lines, masses, strict=True))
    ]  # fmt: skip


def count_units(session: Session, *, put: Iterable[IntakeLine], take_back: Iterable[IntakeLine] = ()) -> None:
    """Count a ticket's units as weighed on their bookings, and those of the ticket it replaces as not weighed.

    This is the double-count guard: one conditional UPDATE for each booked item, with a CHECK behind it.

    Raises
    ------
    Conflict
        When nothing of the item type was collected for a booking.
    AlreadyWeighed
        When fewer collected units of it are left to weigh than the ticket names.
    """
    change: Counter[tuple[UUID, str]] = Counter()
    for lines, sign in ((put, +1), (take_back, -1)):
        for line in lines:
            if line.booking_id is not None:
                change[line.booking_id, line.item_type] += sign * line.units
    # In one sequence for everybody, so that two tickets of the same bookings queue and do not wait in a circle.
    for (booking_id, item_type), units in sorted(change.items()):
        item = BookedItem
        counted = (
            update(item)
            .where(item.booking_id == booking_id, item.item_type == item_type)
            .where((item.weighed_units + units).between(0, item.collected_units))
            .values(weighed_units=item.weighed_units + units)
        )
        if units and not rows_met(session, counted):
            raise _why_not(session, booking_id, item_type, units)


def brings_made_up(lines: Iterable[IntakeLine], *, session: Session) -> bool:
    """Whether any of the goods were collected for a made-up booking, so that their ticket is made up as well."""
    booking_ids = {line.booking_id for line in lines if line.booking_id is not None}
    made_up = select(Booking.id).where(Booking.id.in_(booking_ids), Booking.made_up).limit(1)
    return session.scalar(made_up) is not None


def _check_masses(weighing: Weighing, *, district: District) -> None:
    gross, tare = kg_text(weighing.gross_g), kg_text(weighing.tare_g)
    if not 0 <= weighing.tare_g < weighing.gross_g:
        raise InvalidInput(
            f"tare {tare} is not below gross {gross}: nothing was weighed; check both readings"
            f" / 皮重 {tare} 须小于毛重 {gross}"
        )
    if weighing.gross_g > SCALE_MAX_G:
        raise InvalidInput(
            f"gross {gross} is above {kg_text(SCALE_MAX_G)}, more than a station's scale can show; check the reading"
            f" / 毛重 {gross} 超出地磅量程"
        )
    if not 0 <= weighing.refused_g <= weighing.net_g:
        raise InvalidInput(
            f"refused {kg_text(weighing.refused_g)} is not between 0 and the net {kg_text(weighing.net_g)}"
            " / 扣杂须在 0 与净重之间"
        )
    if weighing.refused_g and weighing.refused_reason is None:
        raise InvalidInput(
            f"refused {kg_text(weighing.refused_g)} without refused_reason; give one of {', '.join(REFUSED_REASONS)}"
            " / 有扣杂须注明原因"
        )
    if weighing.trip is not None and (weighing.vehicle_key is None or not 1 <= weighing.trip <= MOST_TRIPS):
        raise InvalidInput(
            f"trip {weighing.trip}: give which load of the day it is, 1 to {MOST_TRIPS}, and vehicle_key beside it"
            f" / 趟次须为 1–{MOST_TRIPS}，并注明车辆"
        )
    if weighing.vehicle_key is not None:
        vehicle = district.network.vehicles.get(weighing.vehicle_key)
        if vehicle is None:
            raise InvalidInput(f"vehicle_key {weighing.vehicle_key!r} is no vehicle of the district / 车辆不存在")
        payload_g = district.network.vehicle_classes[vehicle.class_key].capacity_g
        if weighing.net_g > payload_g:
            raise InvalidInput(
                f"net {kg_text(weighing.net_g)} is more than {vehicle.key} may carry ({kg_text(payload_g)}); check"
                f" gross and tare / 净重超出车辆 {vehicle.key} 核定载重 {kg_text(payload_g)}"
            )


def _check_line(line: WeighedLine, *, channel: Channel) -> None:
    if not 1 <= line.units <= MOST_UNITS:
        raise InvalidInput(
            f"units {line.units} of {line.item_type!r}: give 1 to {MOST_UNITS} / 件数须为 1–{MOST_UNITS}"
        )
    if line.net_g is not None and line.net_g < 1:
        raise InvalidInput(f"net_g {line.net_g} of {line.item_type!r}: give at least 1 g, or leave it out")
    if not 0 <= line.missing_parts <= line.units:
        raise InvalidInput(
            f"missing_parts {line.missing_parts} of {line.item_type!r}: give how many of its {line.units} units came"
            " stripped / 缺件数不得超过件数"
        )
    if (channel == "door") != (line.booking_id is not None):
        raise InvalidInput(
            f"item_type {line.item_type!r}: on a door ticket every line names its booking_id, on a {WITHOUT_BOOKING}"
            f" ticket none does; this ticket is {channel} / 上门磅单须逐行注明预约，其他磅单不得注明"
        )


def _check_plausible(lines: Sequence[WeighedLine], kinds: Sequence[ItemType], masses: Sequence[LineMass]) -> None:
    """Refuse a reading that cannot be that of its goods; lines without one are judged by what is left for them all."""
    unread: list[int] = []
    for place, line in enumerate(lines):
        if line.net_g is None:
            unread.append(place)
        else:
            _check_mass(line.net_g, [line], [kinds[place]], fields="net_g")
    if unread:
        rest_g = sum(masses[place].net_g for place in unread)
        fields = "gross_g, tare_g, refused_g"
        _check_mass(rest_g, [lines[place] for place in unread], [kinds[place] for place in unread], fields=fields)


def _check_mass(mass_g: int, lines: Sequence[WeighedLine], kinds: Sequence[ItemType], *, fields: str) -> None:
    pairs = list(zip(lines, kinds, strict=True))
    named = [f"{line.units} × {kind.name_zh} {kind.key}" for line, kind in pairs]
    more = f"、… ({len(named)})" if len(named) > MOST_NAMED else ""
    check_plausible(
        mass_g,
        table_g=sum(line.units * kind.unit_mass_g for line, kind in pairs),
        goods="、".join(named[:MOST_NAMED]) + more,
        fields=fields,
    )


def _expected(
    lines: Sequence[WeighedLine], kinds: Sequence[ItemType], *, station_key: str, day: date, session: Session
) -> list[ExpectedMass]:
    """What each line would weigh; the averages are looked up only where a load is shared."""
    shared = sum(line.net_g is None for line in lines) > 1
    averages = averages_on(session, day, station_key=station_key) if shared else []
    mean_g = {average.item_type: average.mean_g for average in averages}
    return [
        ExpectedMass(mass_g=line.units * mean_g.get(kind.key, kind.unit_mass_g), averaged=kind.key in mean_g)
        for line, kind in zip(lines, kinds, strict=True)
    ]


def _towns(booking_ids: set[UUID], *, session: Session) -> dict[UUID, str]:
    """The town-level unit that each booking's goods come from."""
    found = {
        row.id: row.area for row in session.execute(select(Booking.id, Booking.area).where(Booking.id.in_(booking_ids)))
    }
    for booking_id in sorted(booking_ids - set(found)):
        raise InvalidInput(f"booking_id {booking_id} does not exist; take it from the route list / 预约不存在")
    return found


def _why_not(session: Session, booking_id: UUID, item_type: str, units: int) -> Conflict:
    """Why a booking refuses units, for the message; read after the refusal, so only the words depend on it."""
    item = session.get(BookedItem, (booking_id, item_type), populate_existing=True)
    state = session.scalar(select(Booking.state).where(Booking.id == booking_id))
    if item is None or not item.collected_units:
        return Conflict(
            f"booking {booking_id} is {state} and no {item_type} was collected for it; record the pickup first, or"
            " weigh the goods as a walk_in / 该预约未登记收运此品类，请先登记上门结果"
        )
    left = item.collected_units - item.weighed_units
    return AlreadyWeighed(
        f"booking {booking_id}: {left} of {item.collected_units} collected {item_type} are left to weigh, the ticket"
        f" brings {units} more; correct the earlier ticket if it was wrong"
        f" / 该预约已收 {item.collected_units} 件，待称重 {left} 件，本单多出 {units} 件"
    )
