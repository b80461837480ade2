"""Learned minutes: with wild records among them they come to the true ones, and plans made with them come true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

import numpy as np
from sqlalchemy.orm import Session

from recycling.clock import service_day
from recycling.models.handling import HandlingProposal
from recycling.policy.access import SYSTEM
from recycling.policy.district import District
from recycling.policy.handling import TRAVEL, item_part
from recycling.policy.learning import VisitSeen, held_out, median_error_s
from recycling.units import instant_at
from recycling.usecases.learning.decide_handling import Acceptance, accept_handling
from recycling.usecases.learning.in_force import facts_in_force
from recycling.usecases.learning.observations import Observed, evening_plans, observed
from recycling.usecases.learning.propose_handling import propose_handling
from recycling.usecases.learning.values import configured_values
from tests.builders import DISPATCHER
from tests.conftest import NOW
from tests.field_months import ITEMS, Month, Truth, true_values
from tests.invariants import assert_invariants
from tests.proof.harness import Proof, Size

# Service days of two trucks; from 30 visits with an item type on it is learned. Full is a month.
DAYS = {"small": 10, "full": 26, "release": 60}
DAYS_AFTER = {"small": 2, "full": 3, "release": 10}
OFF, TRAVEL_OFF = 1.4, 1.3
# Of the learned values from the truth: the middle one, and any. Some thirty visits with stairs cannot tell more.
MIDDLE_APART = {"small": 0.10, "full": 0.05, "release": 0.05}
MOST_APART = {"small": 0.35, "full": 0.20, "release": 0.15}


def test_minutes_learned_among_wild_records_are_the_true_ones(
    session: Session, district: District, size: Size, proof: Proof
) -> None:
    # given weeks in which everything took 40 % longer than configured and every leg 30 %, and one outcome in twenty was
    # tapped hours late
    truth = true_values(district, off=OFF, travel=TRAVEL_OFF)
    month = Month(session, district, truth)
    days = district.calendar.next_service_days(service_day(NOW) + timedelta(days=1), count=DAYS[size])
    month.play(days)
    session.rollback()
    # when what they teach is worked out
    proposal = propose_handling(
        days[0], days[-1], by=SYSTEM, district=month.district, session=session,
        now=instant_at(days[-1] + timedelta(days=1), 8 * 3600),
    )  # fmt: skip
    assert proposal is not None
    learned = {row["name"]: row for row in proposal.parameters if row["kept"] is None}
    # then each value with enough records is the true one, and the plain mean of the same records is fooled
    seen = observed(days[0], days[-1], district=month.district, session=session)
    true = dict(truth.seconds) | {TRAVEL: round(TRAVEL_OFF * 10_000)}
    ours = {name: row["new"] for name, row in learned.items() if name in true}
    plain = _plain(seen, sorted(ours.keys() - {TRAVEL}), configured_values(district, day=days[-1]))
    apart, plain_apart = _apart(ours, true), _apart(plain, true)
    assert {item_part(key) for key in ITEMS} <= ours.keys()
    assert TRAVEL in ours
    proof.record(
        name="learned values apart from the true ones",
        figure=f"{median(apart):.1%}, at most {max(apart):.0%}: {len(ours)} values, {proposal.visits} visits,"
        f" {proposal.trimmed} trimmed",
        target=f"≤ {MIDDLE_APART[size]:.0%}, at most {MOST_APART[size]:.0%}",
        control=f"plain least squares: {median(plain_apart):.0%}, at most {max(plain_apart):.0%}",
        ok=median(apart) <= MIDDLE_APART[size]
        and max(apart) <= MOST_APART[size]
        and median(plain_apart) > 2 * MIDDLE_APART[size],
    )
    _record_gain(proposal, proof, plain, seen)
    _record_after(month, truth, proposal, days[-1], size, proof)
    assert_invariants(session)


def _record_gain(proposal: HandlingProposal, proof: Proof, plain: Mapping[str, int], seen: Observed) -> None:
    """What the proposal says would be gained on the days it was not learned from; the plain mean on the same days."""
    held = held_out(visit.day for visit in seen.visits)
    tried = [visit for visit in seen.visits if visit.day in held]
    by_plain = median_error_s(
        (_by(visit, plain), visit.actual_s) for visit in tried if visit.counts.keys() <= plain.keys()
    )
    service, arrival = proposal.gain["service"]["held_out"], proposal.gain["arrival"]["held_out"]
    proof.record(
        name="median error of a visit, days held out",
        figure=f"{service['before_s']} s → {service['after_s']} s",
        target="at most half",
        control=f"plain least squares: {by_plain} s",
        ok=2 * service["after_s"] <= service["before_s"] and by_plain is not None and by_plain > 2 * service["after_s"],
    )
    proof.record(
        name="median error of an arrival, routes timed anew, days held out",
        figure=f"{arrival['before_s']} s → {arrival['after_s']} s",
        target="at most half",
        control=f"as planned: {arrival['before_s']} s",
        ok=2 * arrival["after_s"] <= arrival["before_s"],
    )


@dataclass(frozen=True, slots=True)
class _Errors:
    service_s: int
    arrival_s: int


def _record_after(month: Month, truth: Truth, proposal: HandlingProposal, last: date, size: Size, proof: Proof) -> None:
    """Accepted, and days booked, planned and driven with it; the control drives days of the same truth without."""
    session, district = month.session, month.district
    now = instant_at(last + timedelta(days=1), 9 * 3600)
    accept_handling(proposal.id, Acceptance(), by=DISPATCHER, district=district, session=session, now=now)
    # A factor on travel begins when no day that could be booked before is left.
    first = last + timedelta(days=district.booking_rules.horizon_days + 8)
    after_days = district.calendar.next_service_days(first, count=DAYS_AFTER[size])
    without_days = district.calendar.next_service_days(after_days[-1] + timedelta(days=1), count=DAYS_AFTER[size])
    month.district = facts_in_force(district, session=session)
    for day in after_days:
        month.play_day(day)
    after = _errors(month, after_days)
    month.district = district
    for day in without_days:
        month.play_day(day)
    without = _errors(month, without_days)
    proof.record(
        name="median error of visits and arrivals on days planned with the accepted table",
        figure=f"{after.service_s} s, {after.arrival_s} s",
        target="at most two thirds, and half, of without",
        control=f"without: {without.service_s} s, {without.arrival_s} s",
        ok=3 * after.service_s <= 2 * without.service_s and 2 * after.arrival_s <= without.arrival_s,
    )


def _errors(month: Month, days: Sequence[date]) -> _Errors:
    seen = observed(days[0], days[-1], district=month.district, session=month.session)
    planned_s = {
        stop.booking_id: stop.arrival_s
        for plan in evening_plans(month.session, days)
        for route in plan.routes
        for stop in route.stops
    }
    service_s = median_error_s((visit.planned_s, visit.actual_s) for visit in seen.visits)
    arrival_s = median_error_s((planned_s[key], came_s) for key, came_s in seen.arrived_s.items())
    month.session.rollback()
    assert service_s is not None
    assert arrival_s is not None
    return _Errors(service_s, arrival_s)


def _plain(seen: Observed, names: Sequence[str], configured: Mapping[str, int]) -> dict[str, int]:
    """The same linear form by ordinary least squares and the mean of ratios: every record counts as much as another."""
    rows = np.array([[visit.counts.get(name, 0) for name in names] for visit in seen.visits], dtype=float)
    fixed = [sum(n * configured[name] for name, n in one.counts.items() if name not in names) for one in seen.visits]
    wanted = np.array([one.actual_s - rest for one, rest in zip(seen.visits, fixed, strict=True)], dtype=float)
    found, *_ = np.linalg.lstsq(rows, wanted, rcond=None)
    return {name: round(value) for name, value in zip(names, found, strict=True)}


def _by(visit: VisitSeen, seconds: Mapping[str, int]) -> int:
    return sum(count * seconds[name] for name, count in visit.counts.items())


def _apart(found: Mapping[str, int], true: Mapping[str, int]) -> list[float]:
    return [abs(value - true[name]) / true[name] for name, value in found.items()]
