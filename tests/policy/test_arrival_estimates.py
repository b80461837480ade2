"""When a running route reaches its stops: from the plan, the records and the clock, with every number derived."""

from __future__ import annotations

from datetime import date, datetime
from fractions import Fraction
from typing import Any
from uuid import UUID, uuid4

import hypothesis
from hypothesis import strategies as st

from recycling.policy.arrival_estimates import (
    PRIOR_S,
    ROUND_S,
    PlannedStep,
    RouteEstimate,
    estimate_route,
    pace_of,
)
from recycling.policy.field_events import FieldKind, FieldRecord, RouteState, route_state
from recycling.units import instant_at

DAY = date(2026, 11, 24)
A, B, C = UUID(int=1), UUID(int=2), UUID(int=3)
H = 3600
MIN = 60


def at(clock: str) -> datetime:
    """An instant of the day, ``09:30``."""
    return instant_at(DAY, second(clock))


def second(clock: str) -> int:
    """Seconds after midnight of ``09:30``."""
    hours, minutes = clock.split(":")
    return int(hours) * H + int(minutes) * MIN


def a_step(kind: str, arrival: str, start: str, end: str, **fields: Any) -> PlannedStep:
    """A step by its clock."""
    return PlannedStep(
        kind=kind, arrival_s=second(arrival), start_s=second(start), end_s=second(end), **fields  # type: ignore[arg-type]  # a literal in each test
    )  # fmt: skip


# Out at 08:00; a door at 08:20, one at 09:00, lunch 11:30 to 12:00, a door that opens at 13:00, unload.
PLAN = (
    a_step("start", "08:00", "08:00", "08:00", place="lincheng"),
    a_step("pickup", "08:20", "08:20", "08:40", place=str(A), booking_id=A, window_s=(8 * H, 10 * H)),
    a_step("pickup", "09:00", "09:00", "09:30", place=str(B), booking_id=B, window_s=(8 * H, 10 * H)),
    a_step("break", "09:30", "11:30", "12:00"),
    a_step("pickup", "12:20", "13:00", "13:20", place=str(C), booking_id=C, window_s=(13 * H, 15 * H)),
    a_step("unload", "13:40", "13:40", "14:00", place="lincheng"),
    a_step("end", "14:00", "14:00", "14:00", place="lincheng"),
)


class Day:
    """Records of one vehicle's crew, counted by one device."""

    def __init__(self) -> None:
        self.records: list[FieldRecord] = []

    def record(self, kind: FieldKind, clock: str, booking_id: UUID | None = None, **fields: Any) -> Day:
        """One more record."""
        self.records.append(
            FieldRecord(
                event_id=uuid4(), device_id=UUID(int=7), device_seq=len(self.records) + 1, kind=kind, made_at=at(clock),
                vehicle_key="van", booking_id=booking_id, **fields,
            )
        )  # fmt: skip
        return self

    @property
    def state(self) -> RouteState:
        """What they come to."""
        return route_state(self.records)


def ten_minutes(origin: str, goal: str) -> int | None:
    """Ten minutes between any two places."""
    return 0 if origin == goal else 10 * MIN


def estimated(day: Day, now: str, **fields: Any) -> RouteEstimate:
    """The estimate of `PLAN` at a clock time."""
    return estimate_route(PLAN, day.state, day=DAY, now=at(now), travel=ten_minutes, **fields)


def clock(found: RouteEstimate, booking_id: UUID) -> tuple[str, str, str]:
    """Arrival, start and end of a booking's stop as clock texts."""
    one = found.of(booking_id)
    assert one is not None
    return tuple(f"{s // H:02d}:{s % H // MIN:02d}" for s in (one.arrival_s, one.start_s, one.end_s))  # type: ignore[return-value]  # three of them


def test_before_anything_is_recorded_the_plan_stands() -> None:
    found = estimated(Day(), "07:30")
    assert [(one.arrival_s, one.start_s, one.end_s) for one in found.steps] == [
        (step.arrival_s, step.start_s, step.end_s) for step in PLAN[1:]
    ]
    assert (found.no_word, found.lateness_s, found.word_s) == (False, 0, None)


def test_without_word_after_its_start_the_plan_is_shifted_by_nothing_and_marked_so() -> None:
    found = estimated(Day(), "08:30")
    # A was due at 08:20: never earlier than now. B is as planned, since nobody said that A took longer.
    assert clock(found, A) == ("08:30", "08:30", "08:40")
    assert clock(found, B) == ("09:00", "09:00", "09:30")
    assert found.no_word


def test_a_vehicle_that_left_a_door_late_is_late_at_the_next() -> None:
    day = Day().record("shift_start", "08:00").record("arrive", "08:20", A).record("collected", "08:55", A)
    found = estimated(day, "08:56")
    # 35 minutes of service where 20 were planned: (3600 + 2100) / (3600 + 1200) = 1.1875 of the planned service.
    # The way from the start was not told of: no record of setting out, so travel runs as planned.
    assert (found.pace.service, found.pace.travel) == (Fraction(5700, 4800), Fraction(1))
    # Left at 08:55, 20 minutes to B, whose planned 30 minutes become 35:37.
    assert clock(found, B) == ("09:15", "09:15", "09:50")
    assert found.lateness_s == 15 * MIN


def test_travel_counts_from_setting_out_and_is_drawn_towards_the_plan() -> None:
    day = Day().record("on_the_way", "08:00", A).record("arrive", "08:40", A).record("collected", "09:00", A)
    found = estimated(day, "09:00")
    # 40 minutes driven where 20 were planned: (3600 + 2400) / (3600 + 1200) = 1.25; the next 20 minutes become 25.
    assert found.pace.travel == Fraction(6000, 4800)
    assert clock(found, B) == ("09:25", "09:25", "09:55")


def test_a_stop_in_progress_takes_the_rest_of_its_planned_time_and_never_ends_in_the_past() -> None:
    day = Day().record("arrive", "08:20", A)
    # begun at 08:20, planned for 20 minutes
    assert clock(estimated(day, "08:30"), A) == ("08:20", "08:20", "08:40")
    # at 08:50 it should be over: then it ends now, and B follows after its 20 minutes of travel
    found = estimated(day, "08:50")
    assert clock(found, A)[2] == "08:50"
    assert clock(found, B)[0] == "09:10"
    assert [one.under_way for one in found.steps[:2]] == [True, False]


def test_a_window_that_has_not_opened_is_waited_for_and_lunch_is_still_due() -> None:
    day = Day().record("arrive", "08:10", A).record("collected", "08:30", A)
    day.record("arrive", "08:50", B).record("collected", "09:20", B)
    found = estimated(day, "09:20")
    lunch = next(one for one in found.steps if one.step.kind == "break")
    # Lunch opens at 11:30 by the plan, which waits for it; 20 minutes later C's door, which opens at 13:00.
    assert (lunch.arrival_s, lunch.start_s, lunch.end_s) == (second("09:20"), second("11:30"), second("12:00"))
    assert clock(found, C) == ("12:20", "13:00", "13:20")


def test_a_break_under_way_ends_after_its_planned_length_and_is_not_taken_twice() -> None:
    day = Day().record("arrive", "08:20", A).record("collected", "08:40", A)
    day.record("arrive", "09:00", B).record("collected", "09:30", B).record("break_start", "11:40")
    found = estimated(day, "11:50")
    # from 11:40 for 30 minutes, then 20 to C
    assert [one.step.kind for one in found.steps] == ["break", "pickup", "unload", "end"]
    assert found.steps[0].end_s == second("12:10")
    assert clock(found, C)[0] == "12:30"
    day.record("break_end", "12:05")
    found = estimated(day, "12:06")
    assert clock(found, C)[0] == "12:25"
    assert [one.step.kind for one in found.steps] == ["pickup", "unload", "end"]


def test_out_of_sequence_the_ways_are_asked_for_and_the_rest_follows_as_planned() -> None:
    # given a crew that sets out for B first
    day = Day().record("on_the_way", "08:00", B)
    found = estimated(day, "08:02")
    # then B is ten minutes off, served 30; A ten minutes from there; lunch; and C ten minutes from A
    assert clock(found, B) == ("08:10", "08:10", "08:40")
    assert clock(found, A) == ("08:50", "08:50", "09:10")
    assert (found.stops_before(B), found.stops_before(A), found.stops_before(C)) == (0, 1, 2)
    # and a place that nobody knows takes the time of the planned leg: 20 minutes
    unknown = estimate_route(PLAN, day.state, day=DAY, now=at("08:02"), travel=lambda _a, _b: None)
    assert clock(unknown, B)[0] == "08:20"


def test_an_unload_that_was_made_is_not_made_again() -> None:
    day = Day()
    for booking_id, begun, done in ((A, "08:20", "08:40"), (B, "09:00", "09:30"), (C, "13:00", "13:20")):
        day.record("arrive", begun, booking_id).record("collected", done, booking_id)
    day.record("break_start", "11:30").record("arrive", "13:45", station_key="lincheng")
    found = estimated(day, "13:50")
    # arrived at 13:45 for 20 minutes
    assert (found.steps[0].step.kind, found.steps[0].end_s) == ("unload", second("14:05"))
    day.record("unload", "14:10", station_key="lincheng")
    assert [one.step.kind for one in estimated(day, "14:11").steps] == ["end"]


def test_stops_withdrawn_or_done_by_others_are_passed_over() -> None:
    found = estimated(Day().record("shift_start", "08:00"), "08:00", gone={A})
    # straight to B, ten minutes from the start by another way than the planned one
    assert found.of(A) is None
    assert clock(found, B)[0] == "08:10"


def test_a_vehicle_that_stands_or_has_gone_home_comes_to_nobody() -> None:
    for day in (Day().record("fault", "08:30", drives=False), Day().record("shift_end", "12:00")):
        found = estimated(day, "12:01")
        assert (found.stands, found.steps) == (True, ())
    # a fault with which it drives on changes nothing
    assert not estimated(Day().record("shift_start", "08:00").record("fault", "08:30", drives=True), "08:31").stands


def test_the_interval_is_rounded_outward_and_widens_with_the_time_since_the_last_word() -> None:
    day = Day().record("arrive", "08:20", A).record("collected", "08:40", A)
    one = estimated(day, "08:40").of(B)
    assert one is not None
    # 20 minutes ahead: 5 min + 15 % of 20 = 8 min; 08:52 down to 08:50, 09:08 up to 09:10
    assert (one.start_s, one.earliest_s, one.latest_s) == (second("09:00"), second("08:50"), second("09:10"))
    # an hour of silence later it is due now: 5 min + 15 % of 60 = 14 min; 09:54 up to 09:55, and not before now
    later = estimated(day, "09:40").of(B)
    assert later is not None
    assert (later.start_s, later.earliest_s, later.latest_s) == (second("09:40"), second("09:40"), second("09:55"))


def test_one_slow_door_moves_the_pace_by_no_more_than_its_share_of_an_hour() -> None:
    # an hour at a door of 20 minutes: (3600 + 3600) / (3600 + 1200) = 1.5, where the raw ratio is 3
    day = Day().record("arrive", "08:20", A).record("collected", "09:20", A)
    assert pace_of(PLAN, day.state, day=DAY, travel=ten_minutes).service == Fraction(PRIOR_S + H, PRIOR_S + 20 * MIN)
    # a door at which nothing was taken says nothing
    failed = Day().record("arrive", "08:20", A).record("failed", "08:22", A, reason="nobody_home")
    assert pace_of(PLAN, failed.state, day=DAY, travel=ten_minutes).service == 1
    # and records that cannot be true do not run away with it
    night = Day().record("arrive", "08:20", A).record("collected", "20:20", A)
    assert pace_of(PLAN, night.state, day=DAY, travel=ten_minutes).service == 2


KINDS: list[FieldKind] = ["on_the_way", "arrive", "start", "collected", "failed", "unload", "break_start", "break_end"]
RECORDS = st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from([A, B, C]), st.integers(8 * 60, 14 * 60)))


@hypothesis.given(records=RECORDS, minute=st.integers(7 * 60, 15 * 60))
def test_whatever_was_recorded_estimates_follow_each_other_and_the_clock(
    records: list[tuple[FieldKind, UUID, int]], minute: int
) -> None:
    day = Day()
    for kind, booking_id, made in sorted(records, key=lambda one: one[2]):
        about = None if kind in ("unload", "break_start", "break_end") else booking_id
        station = {"station_key": "lincheng"} if kind == "unload" else {}
        day.record(kind, f"{made // 60}:{made % 60:02d}", about, **station)
    now = max([minute, *(made for _, _, made in records)])
    found = estimated(day, f"{now // 60}:{now % 60:02d}")
    # nothing open is estimated in the past, each stop once, in ascending time, inside its own interval
    reached = 0
    for one in found.steps:
        if not one.under_way:
            assert one.arrival_s >= now * MIN
            assert one.arrival_s >= reached
            assert one.earliest_s <= one.start_s <= one.latest_s
            assert one.latest_s % ROUND_S == 0
        assert one.arrival_s <= one.start_s <= one.end_s
        assert one.end_s >= now * MIN
        reached = one.end_s
    open_ones = {A, B, C} - {booking_id for booking_id, visit in day.state.visits.items() if visit.outcome is not None}
    assert sorted(one.step.booking_id for one in found.steps if one.step.booking_id) == sorted(open_ones)
    # the same again, whatever the sequence in which the records came
    shuffled = route_state(reversed(day.records))
    again = estimate_route(
        PLAN, shuffled, day=DAY, now=at(f"{now // 60}:{now % 60:02d}"), travel=ten_minutes
    )  # fmt: skip
    assert again == found


@hypothesis.given(left=st.integers(0, 180), waits=st.integers(0, 120))
def test_later_never_becomes_earlier(left: int, waits: int) -> None:
    def b_start(done: int, now: int) -> int:
        day = Day().record("shift_start", "08:00").record("arrive", "08:20", A)
        day.record("failed", f"{8 + done // 60}:{done % 60:02d}", A, reason="no_access")
        one = estimated(day, f"{8 + now // 60}:{now % 60:02d}").of(B)
        assert one is not None
        return one.start_s

    done = 20 + left
    # neither a later outcome nor a later look brings the next stop forward
    assert b_start(done, done + waits) >= b_start(done, done)
    assert b_start(done + 1, done + 1 + waits) >= b_start(done, done + waits)
