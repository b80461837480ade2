"""The mass balance of a trip (趟次物料平衡): what was taken at the doors against what the station weighed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args
from uuid import UUID

from recycling.policy.checks import BP, check_range

# Where the grams of goods at a door come from, best first.
DoorSource = Literal["doorstep", "station_class_average", "type_table"]
DOOR_SOURCES: tuple[DoorSource, ...] = get_args(DoorSource)

# Why a trip is held: nothing of it was weighed; the masses are too far apart; units were taken at its doors that stand
# on none of its tickets; units stand on its tickets that were not taken at its doors.
HeldCause = Literal["not_weighed", "mass", "units_not_weighed", "units_not_collected"]
HELD_CAUSES: tuple[HeldCause, ...] = get_args(HeldCause)

Goods = tuple[UUID, str]  # a booking and an item type of it


@dataclass(frozen=True, slots=True, kw_only=True)
class TripTolerance:
    """How far door and scale may be apart before a person looks.

    Parameters
    ----------
    doorstep_bp, station_class_average_bp, type_table_bp
        Allowed share of the door's grams by where they come from, in basis points, 0 to 10000 and never falling.
    least_g
        Allowed however light the load is, grams.

    Raises
    ------
    ValueError
        When a share is out of range, or a better source is allowed more than a worse one.
    """

    doorstep_bp: int
    station_class_average_bp: int
    type_table_bp: int
    least_g: int
    source: str

    def __post_init__(self) -> None:
        for name in ("doorstep_bp", "station_class_average_bp", "type_table_bp"):
            check_range(name, getattr(self, name), least=0, most=BP)
        if not self.doorstep_bp <= self.station_class_average_bp <= self.type_table_bp:
            raise ValueError("doorstep_bp, station_class_average_bp and type_table_bp must not fall in this sequence")
        check_range("least_g", self.least_g, least=0, most=1_000_000)

    def allowed_g(self, door_g: Mapping[DoorSource, int]) -> int:
        """Grams that door and scale may differ by, rounded down; what is missing counts 0.

        Errors of one source are taken as going the same way: a load holds few item types, and a wrong unit mass is
        wrong for all its units.
        """
        return max(self.least_g, self.share_g(door_g))

    def share_g(self, door_g: Mapping[DoorSource, int]) -> int:
        """The grams that the sources alone allow, rounded down: parts of a load add up before ``least_g`` counts."""
        shares: dict[DoorSource, int] = {
            "doorstep": self.doorstep_bp,
            "station_class_average": self.station_class_average_bp,
            "type_table": self.type_table_bp,
        }
        return sum(door_g.get(source, 0) * share for source, share in shares.items()) // BP


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Goods taken at a door: units, and the grams they are put at."""

    booking_id: UUID
    item_type: str
    units: int
    mass_g: int
    source: DoorSource


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketSeen:
    """A ticket that stands, as a trip's balance reads it.

    Parameters
    ----------
    trip
        Which load of its vehicle it says it is; ``None`` when it does not.
    net_g
        Gross less tare: what was refused had been loaded too.
    units
        By booking and item type.
    """

    ticket_id: UUID
    trip: int | None
    net_g: int
    units: Mapping[Goods, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Differing:
    """Units of a booking's item type that door and tickets of a trip do not agree on."""

    booking_id: UUID
    item_type: str
    collected: int
    weighed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TripFigures:
    """What a trip comes to.

    Parameters
    ----------
    doors, units
        Bookings and units taken.
    door_g
        Grams by source, every source named.
    station_g
        Net grams of its tickets; 0 without one.
    tolerance_g
        What the two may differ by.
    tickets
        Its tickets, ascending by id.
    causes
        Why it is held; empty when it is not.
    """

    doors: int
    units: int
    door_g: Mapping[DoorSource, int]
    station_g: int
    tolerance_g: int
    tickets: tuple[UUID, ...] = ()
    differing: tuple[Differing, ...] = ()
    causes: tuple[HeldCause, ...] = field(default=())

    @property
    def difference_g(self) -> int:
        """Station less doors: below zero when goods are missing."""
        return self.station_g - sum(self.door_g.values())


def trips_of_doors(
    ended: Mapping[UUID, datetime], *, unloads: Sequence[datetime], tickets: Iterable[TicketSeen]
) -> dict[UUID, int]:
    """Which trip of its vehicle each booking was taken on, from 1.

    Parameters
    ----------
    ended
        When goods were taken, by booking.
    unloads
        When the vehicle was emptied, as its crew recorded it.
    tickets
        Those of the vehicle's day.

    Notes
    -----
    Each recorded unload ends a trip. A crew that recorded none leaves the tickets to say it: a booking belongs to the
    trip of the first ticket that names it, one on no ticket to the last.
    """
    if unloads:
        return {booking_id: 1 + sum(at <= end for at in unloads) for booking_id, end in ended.items()}
    named: dict[UUID, int] = {}
    for ticket in sorted(tickets, key=lambda one: (one.trip or 1, str(one.ticket_id))):
        for booking_id, _ in ticket.units:
            named.setdefault(booking_id, ticket.trip or 1)
    last = max(named.values(), default=1)
    return {booking_id: named.get(booking_id, last) for booking_id in ended}


def trip_of_ticket(ticket: TicketSeen, doors: Mapping[UUID, int]) -> int:
    """The trip from which most of a ticket's units come, of equals the first; without any, the one it says it is."""
    units: Counter[int] = Counter()
    for (booking_id, _), count in ticket.units.items():
        if booking_id in doors:
            units[doors[booking_id]] += count
    if not units:
        return ticket.trip or 1
    return min(units, key=lambda trip: (-units[trip], trip))


def judge_trip(taken: Sequence[Taken], tickets: Sequence[TicketSeen], *, tolerance: TripTolerance) -> TripFigures:
    """Compare the doors of a trip with its tickets.

    Parameters
    ----------
    taken
        Goods of its doors; at most one entry for a booking's item type.
    tickets
        All tickets of the trip; their net grams add up.
    """
    door_g: dict[DoorSource, int] = dict.fromkeys(DOOR_SOURCES, 0)
    collected: Counter[Goods] = Counter()
    for goods in taken:
        door_g[goods.source] += goods.mass_g
        collected[goods.booking_id, goods.item_type] += goods.units
    weighed: Counter[Goods] = Counter()
    for ticket in tickets:
        weighed.update(ticket.units)
    differing = tuple(
        Differing(booking_id=key[0], item_type=key[1], collected=collected[key], weighed=weighed[key])
        for key in sorted(collected.keys() | weighed.keys(), key=lambda key: (str(key[0]), key[1]))
        if collected[key] != weighed[key]
    )
    station_g, tolerance_g = sum(ticket.net_g for ticket in tickets), tolerance.allowed_g(door_g)
    causes: list[HeldCause] = []
    if taken and not tickets:
        causes.append("not_weighed")
    elif abs(station_g - sum(door_g.values())) > tolerance_g:
        causes.append("mass")
    if tickets and any(one.collected > one.weighed for one in differing):
        causes.append("units_not_weighed")
    if any(one.weighed > one.collected for one in differing):
        causes.append("units_not_collected")
    return TripFigures(
        doors=len({goods.booking_id for goods in taken}),
        units=sum(collected.values()),
        door_g=door_g,
        station_g=station_g,
        tolerance_g=tolerance_g,
        tickets=tuple(sorted(ticket.ticket_id for ticket in tickets)),
        differing=differing,
        causes=tuple(causes),
    )
