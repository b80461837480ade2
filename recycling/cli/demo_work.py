"""Made-up days of work: what crews did at doors and keepers at their scales, one happening after the other.

Everything goes through the use cases, as of the instant at which it is said to have happened, and nothing happens
later than now: run again, a day goes on from where it stood.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.cli.demo_day import SEED
from recycling.models.booking import Booking
from recycling.models.people import Staff
from recycling.models.plan import Plan, PublishedPlan
from recycling.models.weighbridge import WeighedTrip
from recycling.policy.access import Principal
from recycling.policy.custody_tags import BODY_CHARS, make_tag
from recycling.policy.device_clock import DeviceClock
from recycling.policy.district import District
from recycling.policy.field_events import FieldKind
from recycling.policy.handwritten import HandSignature
from recycling.units import instant_at
from recycling.usecases.field.custody import TaggedUnit
from recycling.usecases.field.record_events import record_events
from recycling.usecases.field.reports import CountedItem, FieldReport, GivenProof, Payload
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.intake.weighing import WeighedLine, Weighing
from recycling.usecases.queries.plans import plan_in_full

DEVICES = UUID("5f0b2f8e-6f0f-4d53-9d0b-3a1d9c1f4a77")  # names made-up devices and their records
SIGNATURE = HandSignature(width=300, height=120, strokes=[(20, 60, 80, 30, 140, 90, 200, 40)])
TO_THE_SCALE_S = 600  # from the gate of a station to the ticket
TRUCK_G = 2_500_000
SCALE = "1"
LABELLED = ("fridge", "computer-desktop")  # what crews put a label on
# Of each ten made-up doors, which stay shut and which give less than was booked; of each nine, which give something
# stripped that the crew saw, and that only the station saw. The first door is that of the resident who is shown.
SHUT, LESS, STRIPPED, STRIPPED_UNSEEN = 4, 7, 2, 5
TOO_HEAVY = 1.6  # times the type table: beyond what is let pass
SHORT_LOAD, HEAVY_LOAD = "short", "heavy"  # trips whose scale will not agree with their doors
NOON_S = 12 * 3600
BEHIND_S = 2 * 3600  # that a crew comes after its plan when its van would not start


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that somebody does at an instant; done again, it changes nothing."""

    at: datetime
    do: Callable[[datetime], object]


@dataclass(frozen=True, slots=True)
class Workplace:
    """The district, its made-up people, and the session that they share."""

    district: District
    session: Session

    def keeper(self, station_key: str) -> Principal:
        """The made-up keeper of a station."""
        return self._person(Staff.station_key == station_key)

    def collector(self, collector_key: str) -> Principal:
        """The made-up account of a collector."""
        return self._person(Staff.collector_key == collector_key)

    def clerk(self, login: str) -> Principal:
        """A made-up clerk."""
        return self._person(Staff.login == login)

    def _person(self, which: Any) -> Principal:
        row = self.session.scalars(select(Staff).where(which).order_by(Staff.login).limit(1)).one()
        found = Principal(id=row.id, role=row.role, station_key=row.station_key, collector_key=row.collector_key)
        self.session.rollback()
        return found


def happen(happenings: Iterable[Happening], *, until: datetime) -> None:
    """Let things happen in the sequence of their instants, until one of them."""
    for one in sorted(happenings, key=lambda one: one.at):
        if one.at <= until:
            one.do(one.at)


def field_day(day: date, place: Workplace, *, troubled: bool) -> list[Happening]:
    """What the crews of a published day do by their routes, and the weighing of each load.

    ``troubled``: of two loads, one comes to the scale without a door's goods, one far too heavy; and the crew with most
    windows that close by noon sets out late, so that it misses some.
    """
    published = place.session.get_one(PublishedPlan, day)
    version = place.session.get_one(Plan, published.plan_id).version
    plan = plan_in_full(published.plan_id, session=place.session)
    numbers = {
        row.id: int(row.place["note"].rsplit(" ", 1)[-1])
        for row in place.session.scalars(select(Booking).where(Booking.day == day, Booking.made_up))
    }
    routes = sorted(plan["routes"], key=lambda route: str(route["vehicle_key"]))
    late = max(routes, key=partial(_morning_windows, place=place), default=None) if troubled else None
    place.session.rollback()
    happenings: list[Happening] = []
    loads: list[_Load] = []
    for route in routes:
        crew = _Crew(place, day, version, route, numbers, behind_s=BEHIND_S if route is late else 0)
        happenings += crew.records()
        loads += crew.loads()
    faults = _faults(loads, numbers) if troubled else {}
    happenings += [
        Happening(at=load.at, do=partial(_weigh, load, place, faults.get(load.key), numbers)) for load in loads
    ]
    return happenings


@dataclass(frozen=True, slots=True, kw_only=True)
class _Load:
    """What a vehicle brings to a station at the end of a trip."""

    day: date
    vehicle_key: str
    trip: int
    station_key: str
    bookings: Sequence[UUID]
    at: datetime

    @property
    def key(self) -> tuple[str, int]:
        return self.vehicle_key, self.trip


class _Crew:
    """A crew that drives its published route and records every step of it."""

    def __init__(
        self, place: Workplace, day: date, version: int, route: dict[str, Any], numbers: dict[UUID, int], *,
        behind_s: int,
    ) -> None:  # fmt: skip
        self.place, self.day, self.version, self.numbers, self.behind_s = place, day, version, numbers, behind_s
        self.vehicle_key: str = route["vehicle_key"]
        # Pickups of real people are theirs to keep.
        self.steps = [step for step in route["steps"] if step["booking_id"] is None or step["booking_id"] in numbers]
        self.by = place.collector(route["collector_key"])
        self.device_id = uuid5(DEVICES, f"{day} {self.vehicle_key}")

    def records(self) -> list[Happening]:
        """Each record as it is made, numbered without a gap."""
        return [
            Happening(at=instant_at(self.day, second + self.behind_s), do=partial(self._record, number, said))
            for number, (second, *said) in enumerate(self._said(), start=1)
        ]

    def loads(self) -> Iterator[_Load]:
        """The trips, each with where and when it is weighed."""
        on_board: list[UUID] = []
        trip = 0
        for step in self.steps:
            if step["booking_id"] is not None:
                on_board.append(step["booking_id"])
            elif step["kind"] in ("unload", "end") and on_board:
                trip += 1
                yield _Load(
                    day=self.day, vehicle_key=self.vehicle_key, trip=trip, station_key=step["station_key"],
                    bookings=tuple(on_board), at=instant_at(self.day, step["end_s"] + self.behind_s + TO_THE_SCALE_S),
                )  # fmt: skip
                on_board = []

    def _said(self) -> Iterator[tuple[int, FieldKind, UUID | None, Payload]]:
        left_s = self.steps[0]["start_s"]
        yield left_s, "shift_start", None, Payload()
        for step in self.steps[1:]:
            start_s, end_s, booking_id = step["start_s"], step["end_s"], step["booking_id"]
            if booking_id is not None:
                yield left_s, "on_the_way", booking_id, Payload()
                yield step["arrival_s"], "arrive", booking_id, Payload()
                yield start_s, "start", booking_id, Payload()
                kind, payload = self._outcome(booking_id)
                yield end_s, kind, booking_id, payload
            elif step["kind"] == "break":
                yield start_s, "break_start", None, Payload()
                yield end_s, "break_end", None, Payload()
            elif step["kind"] == "unload":
                yield end_s, "unload", None, Payload(station_key=step["station_key"])
            left_s = end_s
        yield left_s, "shift_end", None, Payload()

    def _outcome(self, booking_id: UUID) -> tuple[FieldKind, Payload]:
        number = self.numbers[booking_id]
        booking = self.place.session.get_one(Booking, booking_id)
        booked = sorted((item.item_type, item.declared_units) for item in booking.items if item.declared_units)
        self.place.session.rollback()
        if number % 10 == SHUT:
            return "failed", Payload(reason="nobody_home", proof=GivenProof(called_s=45))
        less = number % 10 == LESS and len(booked) > 1
        items = [
            CountedItem(item_type=key, units=units, missing_parts=int(number % 9 == STRIPPED and n == 0) or None)
            for n, (key, units) in enumerate(booked[:-1] if less else booked)
        ]
        tags = [
            TaggedUnit(item_type=item.item_type, tag=tag, seal=seal)
            for item in items
            for tag, seal in _labels(booking_id, item.item_type, item.units, self.place.district, self.day)
        ]
        payload = Payload(
            reason="not_presented" if less else None, items=items, tags=tags, proof=GivenProof(signature=SIGNATURE)
        )
        return "partly" if less else "collected", payload

    def _record(self, number: int, said: Sequence[Any], at: datetime) -> None:
        kind, booking_id, payload = said
        report = FieldReport(
            event_id=uuid5(self.device_id, str(number)), device_id=self.device_id, device_seq=number,
            plan_version=self.version, booking_id=booking_id, kind=kind, payload=payload,
            clock=DeviceClock(device_time=at),
        )  # fmt: skip
        record_events([report], by=self.by, district=self.place.district, session=self.place.session, now=at)


def _morning_windows(route: dict[str, Any], *, place: Workplace) -> int:
    """How many of a route's pickups were promised for before noon."""
    windows = place.district.network.pickup_windows
    ids = [step["booking_id"] for step in route["steps"] if step["booking_id"] is not None]
    promised = place.session.scalars(select(Booking.pickup_window).where(Booking.id.in_(ids))).all()
    return sum(windows[key].closes_s <= NOON_S for key in promised)


def _labels(
    booking_id: UUID, item_type: str, units: int, district: District, day: date
) -> Iterator[tuple[str, str | None]]:
    """Labels for the units of one item type, with seals where they hold data: the same for the same booking."""
    if item_type not in LABELLED:
        return
    rng = random.Random(f"{booking_id} {item_type}")  # noqa: S311  # the same label again, not a secret one
    for _ in range(units):
        number = rng.getrandbits(5 * BODY_CHARS)
        sealed = district.catalogue.item_type(item_type, on=day).data_bearing
        yield make_tag(number), f"YS{number % 10**8:08d}" if sealed else None


def _faults(loads: Sequence[_Load], numbers: dict[UUID, int]) -> dict[tuple[str, int], str]:
    fit = [load.key for load in loads if len(load.bookings) > 1 and all(numbers[one] > 1 for one in load.bookings)]
    return dict(zip(fit, (SHORT_LOAD, HEAVY_LOAD), strict=False))


def _weigh(load: _Load, place: Workplace, fault: str | None, numbers: dict[UUID, int], at: datetime) -> None:
    """Weigh a load in, unless that was done."""
    session = place.session
    weighed = session.get(WeighedTrip, (load.day, load.vehicle_key, load.trip)) is not None
    lines = [] if weighed else [line for one in load.bookings for line in _lines(one, numbers[one], load.day, place)]
    session.rollback()
    if fault == SHORT_LOAD and len({line.booking_id for line in lines}) > 1:
        lines = [line for line in lines if line.booking_id != lines[-1].booking_id]
    if not lines:
        return
    kinds = [place.district.catalogue.item_type(line.item_type, on=load.day) for line in lines]
    table_g = sum(kind.unit_mass_g * line.units for kind, line in zip(kinds, lines, strict=True))
    rng = random.Random(f"{SEED}:{load.day}:{load.key}")  # noqa: S311  # the same masses again
    net_g = round(table_g * (TOO_HEAVY if fault == HEAVY_LOAD else rng.uniform(0.92, 1.08)) / 100) * 100
    weigh_in(
        Weighing(
            channel="door", gross_g=TRUCK_G + net_g, tare_g=TRUCK_G, vehicle_key=load.vehicle_key, trip=load.trip,
            lines=lines,
        ),
        scale_number=SCALE, by=place.keeper(load.station_key), district=place.district, session=session, now=at,
        made_up=True,
    )  # fmt: skip


def _lines(booking_id: UUID, number: int, day: date, place: Workplace) -> Iterator[WeighedLine]:
    """What was collected of a booking and is not weighed yet; its first item type may have come stripped."""
    items = [item for item in place.session.get_one(Booking, booking_id).items if item.collected_units]
    for n, item in enumerate(sorted(items, key=lambda item: item.item_type)):
        units = item.collected_units - item.weighed_units
        if units > 0:
            labels = _labels(booking_id, item.item_type, units, place.district, day)
            yield WeighedLine(
                item_type=item.item_type, units=units, booking_id=booking_id, tags=[tag for tag, _ in labels],
                missing_parts=int(n == 0 and number % 9 in (STRIPPED, STRIPPED_UNSEEN)),
            )  # fmt: skip
