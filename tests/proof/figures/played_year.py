"""A year at some stations: doors, walk-ins and all other ways, refusals, corrections, withdrawals, months closed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from recycling.models.booking import BookedItem, Booking, BookingChange
from recycling.models.field import FieldEvent
from recycling.models.intake import Channel
from recycling.models.recovery import close_month, month_of
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.catalogue import ItemType
from recycling.policy.district import District
from recycling.units import instant_at
from recycling.usecases.intake.correct_ticket import correct_ticket
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.intake.weighing import WeighedLine, Weighing
from recycling.usecases.reporting.goal_report import make_goal_report
from tests.builders import a_resident
from tests.loads import a_keeper
from tests.planned_days import a_collector

CLOSES_ON = 5  # day of the month on which the month before is reported and closed
OPENS_S, EVERY_S, EVENING_S = 8 * 3600, 600, 20 * 3600
BROUGHT: tuple[Channel, ...] = ("walk_in", "walk_in", "bin", "trade_in", "pool")
LOOKED_BACK = timedelta(days=50)  # how far corrections reach: into closed months as well
CLERK = UUID(int=5)
SMALL_G = 45_000  # what one keeper withdraws alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A ticket that nothing has replaced yet."""

    id: UUID
    station_key: str
    counts_on: date
    weighing: Weighing


@dataclass(slots=True)
class PlayedYear:
    """Days one after the other; every figure comes about by the use cases that people work with."""

    session: Session
    district: District
    stations: Sequence[str]
    rng: random.Random = field(default_factory=lambda: random.Random(365))
    standing: list[Standing] = field(default_factory=list)
    closed: list[date] = field(default_factory=list)
    did: Counter[str] = field(default_factory=Counter)
    crew: UUID | None = None
    resident: Principal | None = None

    def play(self, first: date, last: date) -> None:
        """Live through a span of days, both included."""
        self.resident = a_resident(self.session, now=instant_at(first, 0))
        self.crew = a_collector(self.session, "c01", now=instant_at(first, 0)).id
        for n in range((last - first).days + 1):
            day = first + timedelta(days=n)
            for station_key in self.stations:
                self._weigh_in(day, station_key)
            self._correct(day)
            if day.day == CLOSES_ON and month_of(day) > first:
                self._close(day)

    def _weigh_in(self, day: date, station_key: str) -> None:
        loads = [self._from_doors(day)] + [self._brought() for _ in range(self.rng.choice((1, 1, 2)))]
        for n, weighing in enumerate(loads):
            ticket = weigh_in(
                weighing, scale_number=self.rng.choice("12"), by=a_keeper(station_key), district=self.district,
                session=self.session, now=instant_at(day, OPENS_S + n * EVERY_S),
            )  # fmt: skip
            self.standing.append(Standing(id=ticket.id, station_key=station_key, counts_on=day, weighing=weighing))
            self.did[weighing.channel] += 1

    def _from_doors(self, day: date) -> Weighing:
        lines = []
        for _ in range(self.rng.choice((1, 2))):
            goods = self._goods(day)
            booking_id = self._collected(day, goods)
            lines += [
                WeighedLine(item_type=kind.key, units=units, booking_id=booking_id) for kind, units in goods.items()
            ]
        return self._weighed("door", lines)

    def _brought(self) -> Weighing:
        goods = self._goods(date(2025, 1, 1))
        stripped = self.rng.random() < 0.1
        lines = [
            WeighedLine(item_type=kind.key, units=units, missing_parts=int(stripped)) for kind, units in goods.items()
        ]
        return self._weighed(self.rng.choice(BROUGHT), lines)

    def _goods(self, day: date) -> dict[ItemType, int]:
        kinds = self.rng.sample(self.district.catalogue.valid_on(day), k=self.rng.choice((1, 1, 2, 3)))
        return {kind: self.rng.choice((1, 1, 1, 2)) for kind in kinds}

    def _weighed(self, channel: Channel, lines: list[WeighedLine]) -> Weighing:
        """Half of the loads line by line, the others together; one in ten with something sent back."""
        table = {kind.key: kind.unit_mass_g for kind in self.district.catalogue.rows}
        masses = [round(table[line.item_type] * line.units * self.rng.uniform(0.8, 1.2)) for line in lines]
        if self.rng.random() < 0.5:
            lines = [replace(line, net_g=mass_g) for line, mass_g in zip(lines, masses, strict=True)]
        refused_g = self.rng.randint(100, 3000) if self.rng.random() < 0.1 else 0
        return Weighing(
            channel=channel, gross_g=sum(masses) + refused_g + 12_000, tare_g=12_000, refused_g=refused_g,
            refused_reason="waste" if refused_g else None, lines=lines,
        )  # fmt: skip

    def _correct(self, day: date) -> None:
        """One or two second thoughts a day, on tickets of this month and of closed ones."""
        recent = [one for one in self.standing if day - one.counts_on <= LOOKED_BACK]
        for one in self.rng.sample(recent, k=min(len(recent), self.rng.choice((1, 2)))):
            withdrawn = one.weighing.net_g < SMALL_G and self.rng.random() < 0.4
            weighing = None if withdrawn else self._other_reading(one.weighing)
            made = correct_ticket(
                one.id, weighing, reason="复核", by=a_keeper(one.station_key), district=self.district,
                session=self.session, now=instant_at(day, EVENING_S),
            )  # fmt: skip
            self.standing.remove(one)
            if weighing is not None:
                self.standing.append(replace(one, id=made.id, counts_on=made.counts_on, weighing=weighing))
            self.did["withdrawal" if withdrawn else "correction"] += 1
            self.did["adjustment"] += made.counters_id is not None

    def _other_reading(self, weighing: Weighing) -> Weighing:
        """The same goods, up to a twentieth lighter; together on the scale, so that the lines follow."""
        less_g = self.rng.randint(1, max(1, (weighing.net_g - weighing.refused_g) // 20))
        lines = [replace(line, net_g=None) for line in weighing.lines]
        return replace(weighing, gross_g=weighing.gross_g - less_g, lines=lines)

    def _close(self, day: date) -> None:
        month, now = month_of(month_of(day) - timedelta(days=1)), instant_at(day, EVENING_S)
        make_goal_report(f"{month:%Y-%m}", district=self.district, session=self.session, now=now)
        with atomic(self.session):
            assert close_month(self.session, month, by_id=CLERK, now=now)
        self.closed.append(month)

    def _collected(self, day: date, goods: dict[ItemType, int]) -> UUID:
        """A booking that a crew has fetched, with its record, written as the day in the field leaves it."""
        assert self.resident is not None
        assert self.crew is not None
        village = self.rng.choice(sorted(self.district.network.villages.values(), key=lambda one: one.code))
        at, booking_id = instant_at(day, OPENS_S - 3600), uuid4()
        booking = Booking(
            id=booking_id, resident_id=self.resident.id, day=day, area=village.town_key, pickup_window="all-day",
            village_code=village.code, place={"address": "某路 1 号", "lat": 34.8, "lon": 117.26, "note": ""}, floor=1,
            has_lift=False, state="collected", service_s=600, declared_g=1, declared_l=1, version=1, created_at=at,
            changed_at=at,
            items=[
                BookedItem(item_type=kind.key, declared_units=units, collected_units=units, condition="unknown")
                for kind, units in goods.items()
            ],
        )  # fmt: skip
        with atomic(self.session):
            self.session.add(booking)
            self.session.flush()
            self.session.add(
                BookingChange(
                    id=uuid4(), booking_id=booking_id, at=at, by_id=self.resident.id, by_role="resident",
                    kind="booked", state="collected", version=1,
                )
            )  # fmt: skip
            self.session.add(
                FieldEvent(
                    event_id=uuid4(), day=day, vehicle_key="lincheng-1", plan_version=1, booking_id=booking_id,
                    collector_id=self.crew, device_id=self.crew, device_seq=self.did["door event"], kind="collected",
                    items=[{"item_type": kind.key, "units": units} for kind, units in goods.items()],
                    device_time=at, made_at=at, skew_s=0, counts_on=day, received_at=at, fingerprint=bytes(32),
                )
            )  # fmt: skip
            self.did["door event"] += 1
        return booking_id
