"""Histories of two crews with wrong clocks, cloned phones and bad signal: one state, however they arrive."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.booking import BookedItem, Booking
from recycling.models.field import FieldEvent, FieldFlag
from recycling.policy.device_clock import DeviceClock
from recycling.policy.district import District
from recycling.policy.field_events import OUTCOMES, FieldKind
from recycling.units import instant_at
from recycling.usecases.field.record_events import record_events
from recycling.usecases.field.reports import CountedItem, FieldReport, Payload
from recycling.usecases.queries.invariants import bookings as invariants
from tests.builders import TOMORROW, a_resident
from tests.field_days import TwoCrews, bookings_of, two_crews
from tests.planned_days import generous
from tests.proof.harness import Proof, Size

HISTORIES = {"small": 12, "full": 1000, "release": 5000}
ARRIVALS = 3  # random ones of each history, beside the plain one
BOOKINGS = 2
NINE, NOON = instant_at(TOMORROW, 9 * 3600), instant_at(TOMORROW, 12 * 3600)
MINUTE = timedelta(minutes=1)
# Of the phones: right, seven minutes ahead (flagged), thirty hours behind (quarantined).
OFFSETS = (timedelta(), timedelta(minutes=7), -timedelta(hours=30))


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One record as somebody made it; ``again`` gives it the number of the one before, as a cloned phone does."""

    phone: int
    booking: int
    kind: FieldKind
    minute: int
    units: int
    back: int
    again: bool


RECORDS = st.lists(
    st.builds(
        Made,
        phone=st.integers(0, 3),
        booking=st.integers(0, BOOKINGS - 1),
        kind=st.sampled_from(("arrive", "start", "collected", "partly", "failed", "undo", "collected", "failed")),
        minute=st.integers(0, 40),
        units=st.integers(2, 4),
        back=st.integers(1, 5),
        again=st.booleans().flatmap(lambda one: st.booleans() if one else st.just(False)),
    ),
    min_size=3,
    max_size=14,
)
PHONES = st.tuples(*(st.tuples(st.sampled_from((0, 0, 0, 1, 2)), st.booleans()) for _ in range(4)))
State = dict[int, tuple[str, tuple[tuple[str, int], ...], tuple[tuple[int, str], ...]]]


class Played:
    """Histories, each delivered several times to bookings of its own."""

    def __init__(self, session: Session, district: District, day: TwoCrews) -> None:
        self.session, self.district, self.day = session, district, day
        self.sets = 0
        self.naive_differs = self.histories = self.differs = self.events = 0

    def deliver(self, made: Sequence[Made], phones: Sequence[tuple[int, bool]], arrival: int | None) -> State:
        """Send a history to fresh bookings; what they then are, with events named by their place in the history."""
        self.sets += 1
        # Ids grow as they do in the other deliveries, so that ties between them fall alike.
        base = self.sets * 1000
        ids = [UUID(int=base + place) for place in range(BOOKINGS)]
        bookings_of(self.session, self.day, ids, now=NINE - timedelta(days=1), first_position=base)
        reports = self._reports(made, phones, base)
        for number, (phone, batch) in enumerate(_batches(reports, arrival)):
            crew = self.day.crews[phone // 2]
            offset, counts = OFFSETS[phones[phone][0]], phones[phone][1]
            now = NOON + number * MINUTE
            sent = DeviceClock(device_time=now + offset, monotonic_ms=_ms(now) if counts else None, boot_id="b")
            record_events(
                batch, by=crew[phone % 2], district=self.district, session=self.session, now=now, sent=sent
            )  # fmt: skip
        return self._state(ids, base)

    def _reports(
        self, made: Sequence[Made], phones: Sequence[tuple[int, bool]], base: int
    ) -> list[tuple[int, FieldReport]]:
        found: list[tuple[int, FieldReport]] = []
        seqs = [0] * 4
        for place, one in enumerate(made):
            at, (offset, counts) = NINE + one.minute * MINUTE, phones[one.phone]
            seqs[one.phone] += 0 if one.again and seqs[one.phone] else 1
            report = FieldReport(
                event_id=UUID(int=base + 100 + place),
                device_id=UUID(int=base + 900 + one.phone),
                device_seq=seqs[one.phone],
                plan_version=1 + one.phone // 2,
                booking_id=UUID(int=base + one.booking),
                kind=one.kind,
                payload=_payload(one, base, place),
                clock=DeviceClock(
                    device_time=at + OFFSETS[offset], monotonic_ms=_ms(at) if counts else None, boot_id="b"
                ),
            )
            found.append((one.phone, report))
        return found

    def _state(self, ids: Sequence[UUID], base: int) -> State:
        self.session.rollback()
        found: State = {}
        for place, booking_id in enumerate(ids):
            units = self.session.execute(
                select(BookedItem.item_type, BookedItem.collected_units)
                .where(BookedItem.booking_id == booking_id, BookedItem.collected_units > 0)
                .order_by(BookedItem.item_type)
            )
            flags = self.session.execute(
                select(FieldFlag.event_id, FieldFlag.code)
                .join(FieldEvent, FieldEvent.event_id == FieldFlag.event_id)
                .where(FieldEvent.booking_id == booking_id)
            )
            state = self.session.scalars(select(Booking.state).where(Booking.id == booking_id)).one()
            found[place] = (
                state,
                tuple((row.item_type, row.collected_units) for row in units),
                tuple(sorted((row.event_id.int - base, row.code) for row in flags)),
            )
        return found


def _ms(at: datetime) -> int:
    return int((at - instant_at(TOMORROW, 0)) / timedelta(milliseconds=1))


def _payload(one: Made, base: int, place: int) -> Payload:
    if one.kind == "collected":
        return Payload(items=(CountedItem(item_type="microwave", units=one.units),))
    if one.kind == "partly":
        return Payload(reason="vehicle_full", items=(CountedItem(item_type="microwave", units=1),))
    if one.kind == "failed":
        return Payload(reason="no_access")
    if one.kind == "undo":  # of one of the last records, or of one that never was
        return Payload(undoes=UUID(int=base + 100 + max(0, place - one.back)))
    return Payload()


def _batches(reports: Sequence[tuple[int, FieldReport]], arrival: int | None) -> list[tuple[int, list[FieldReport]]]:
    """Phone by phone in sequence, or at random with repetitions, cut into batches of one phone each."""
    if arrival is None:
        return [
            (phone, own) for phone in range(4) if (own := [report for sender, report in reports if sender == phone])
        ]
    chance = random.Random(arrival)  # a repeatable shuffle
    sent = [*reports, *(one for one in reports if chance.random() < 0.4)]
    chance.shuffle(sent)
    sent.sort(key=lambda one: one[0] if chance.random() < 0.5 else chance.randrange(4))
    batches: list[tuple[int, list[FieldReport]]] = []
    for phone, report in sent:
        if batches and batches[-1][0] == phone and len(batches[-1][1]) < chance.randint(1, 6):
            batches[-1][1].append(report)
        else:
            batches.append((phone, [report]))
    return batches


def _naive(reports: Sequence[tuple[int, FieldReport]], arrival: int | None) -> dict[UUID | None, str]:
    """The control: whatever arrives last holds."""
    return {
        report.booking_id: report.kind
        for _, batch in _batches(reports, arrival)
        for report in batch
        if report.kind in OUTCOMES
    }


def test_histories_come_to_one_state_however_they_arrive(
    session: Session, district: District, now: datetime, size: Size, proof: Proof
) -> None:
    district = replace(generous(district), proof_rules=())  # nothing is asked for
    # given a day on which two crews, with two phones each, had the same stops by two versions of the plan
    played = Played(session, district, two_crews(session, a_resident(session, now=now), district=district, now=now))

    @seed(20261124)
    @settings(max_examples=HISTORIES[size], deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(made=RECORDS, phones=PHONES, arrivals=st.lists(st.integers(0, 10**6), min_size=ARRIVALS, max_size=ARRIVALS))
    def history(made: list[Made], phones: Any, arrivals: list[int]) -> None:
        # when one history arrives in sequence, and at random: shuffled, repeated, cut
        plain = played.deliver(made, phones, None)
        others = [played.deliver(made, phones, arrival) for arrival in arrivals]
        played.histories += 1
        played.events += len(made)
        played.differs += any(other != plain for other in others)
        reports = played._reports(made, phones, 0)
        played.naive_differs += any(_naive(reports, arrival) != _naive(reports, None) for arrival in arrivals)
        # then every booking, every count and every flag is the same
        assert all(other == plain for other in others), (plain, others)

    history()
    broken = invariants.bookings_are_what_was_recorded.breaches(session, now)
    broken = [*broken, *invariants.device_numbers_are_unique_or_flagged.breaches(session, now)]
    proof.record(
        name="histories of a day come to one state however they arrive",
        figure=f"{played.differs} of {played.histories} histories differ, {played.events} events,"
        f" {ARRIVALS} random arrivals each; {len(broken)} rows break an invariant",
        target=f"0 of {HISTORIES[size]}, 0",
        control=f"what arrives last holds: {played.naive_differs} differ",
        ok=played.differs == 0 == len(broken) < played.naive_differs and played.histories >= HISTORIES[size],
    )
