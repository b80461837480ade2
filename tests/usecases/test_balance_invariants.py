"""Each invariant of mass balances finds the breach that somebody makes behind the program's back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from uuid import uuid4

from sqlalchemy import Executable, text
from sqlalchemy.orm import Session

from recycling.models.class_average import ClassAverage, ClassAverageVersion
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.intake.resolve_trip import Resolution, resolve_trip
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.queries.invariants import Invariant, balances
from tests.invariants import assert_invariants
from tests.loads import a_keeper, a_line, a_weighing
from tests.trips import MORNING_AFTER, a_crew_day

Breach = Callable[[Session], Sequence[Executable]]


def sql(*statements: str) -> Breach:
    """The breach as it is typed into a database console."""
    return lambda _session: [text(statement) for statement in statements]


BALANCE_BREACHES: list[tuple[Invariant, Breach]] = [
    (balances.odd_trips_are_held, sql("UPDATE trip_balance SET state = 'ok' WHERE state = 'held'")),
    (balances.odd_trips_are_held, sql("UPDATE trip_balance SET doorstep_g = 900000 WHERE state = 'ok'")),
    (balances.resolutions_are_of_their_figures, sql("DELETE FROM trip_resolution")),
    (balances.resolutions_are_of_their_figures, sql("UPDATE trip_balance SET state = 'held'")),
    (balances.resolutions_are_of_their_figures, sql("UPDATE trip_resolution SET version = 2")),
    (balances.trips_are_their_tickets, sql("UPDATE trip_balance SET station_g = station_g + 1")),
    (balances.trips_are_their_tickets, sql("UPDATE trip_balance SET tickets = '[]'")),
    (
        balances.trips_are_their_tickets,
        sql("UPDATE trip_balance SET tickets = (SELECT tickets FROM trip_balance WHERE trip = 1), station_g = 41300"),
    ),
    (balances.shared_lines_have_their_average, sql("DELETE FROM class_average")),
    (balances.shared_lines_have_their_average, sql("UPDATE class_average_version SET valid_from = '2026-11-24'")),
    (
        balances.averages_begin_after_they_are_made,
        sql("UPDATE class_average_version SET made_at = '2026-11-22 16:00:00.000000'"),
    ),
]


def test_each_invariant_of_a_balanced_day_finds_its_breach(session: Session, district: District, now: datetime) -> None:
    # given a trip that passed, one that was resolved, one that is held, and a load shared by class averages
    wishes: list[dict[str, int]] = [{"fridge": 1}, {"stove": 1}, {"fridge": 2}]
    day, (one, two, three) = a_crew_day(session, district=district, now=now, wishes=wishes)
    session.add(
        ClassAverageVersion(
            month=date(2026, 11, 1), first_day=date(2025, 11, 1), last_day=date(2026, 10, 31),
            valid_from=date(2026, 11, 23), lines=50, made_at=now - timedelta(days=1),
        )
    )  # fmt: skip
    session.flush()
    for item_type in ("fan", "desk"):
        session.add(
            ClassAverage(
                month=date(2026, 11, 1), station_key="lincheng", item_type=item_type, mean_g=5_000, sd_g=500, units=20,
                lines=20,
            )
        )  # fmt: skip
    session.commit()
    weigh_in(
        a_weighing(a_line("fan"), a_line("desk"), net_g=20_000), scale_number="1", by=a_keeper(), district=district,
        session=session, now=now,
    )  # fmt: skip
    day.visit(one, 9, {"fridge": 1})
    day.unload(10)
    day.visit(two, 11, {"stove": 1})
    day.unload(12)
    day.visit(three, 13, {"fridge": 2})
    day.weigh({one: {"fridge": 1}}, 41_300, 10)
    day.weigh({two: {"stove": 1}}, 40_000, 12)
    day.balance()
    assert [trip.state for trip in day.trips()] == ["ok", "held", "held"]
    said = Resolution(version=1, reason="door_estimate", note="灶具为商用大型")
    clerk = Principal(id=uuid4(), role="clerk")
    resolve_trip(day.trips()[1].id, said, by=clerk, session=session, now=MORNING_AFTER)
    assert_invariants(session)
    for invariant, breach in BALANCE_BREACHES:
        # when one thing is changed behind the program's back
        for statement in breach(session):
            session.execute(statement)
        # then the invariant that it breaks returns the offending rows
        assert invariant.breaches(session, now), invariant.rule
        session.rollback()
    assert_invariants(session)
