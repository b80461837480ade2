"""The checker's rules for one route: each is one generator that knows the problem, the steps and its own sums.

Reading of the step form, where the contract leaves room (and where the rules are lenient on purpose):

- ``start``: a vehicle leaves at ``end_s``. Its route begins then, or at ``start.time_s`` for a vehicle under way, whose
  ``arrival_s`` is that instant. Standing at the start, ``arrival_s < end_s``, is allowed inside shift and
  opening hours.
- A vehicle may stand still anywhere, so ``arrival_s`` may be later than the leg needs, never earlier, and service may
  start any time after arrival. How long a pickup, a break, an unload and the end take is exact.
- ``break``: at the location where the vehicle is already, or at the one it drives to next. Due ones start inside the
  window; a break that is not due may be taken at any time, since standing still always may.
- What a vehicle under way brings with it (place, time, load) is a fact: it is compared, not judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from recycling.routing.check_walk import Drive, Violation, Visit

# --- the form of a route ------------------------------------------------------------------------------------------


def first_start_last_end(drive: Drive) -> Iterator[Violation]:
    """Rule: a route begins with its one start step and finishes with its one end step (``route_form``)."""
    kinds = [v.step.kind for v in drive.visits]
    if kinds[0] != "start":
        yield drive.breach("route_form", 1, f"the first step is {kinds[0]!r}; a route begins with 'start'")
    if kinds[-1] != "end":
        yield drive.breach("route_form", 1, f"the last step is {kinds[-1]!r}; a route finishes with 'end'")
    inner = [kind for kind in kinds[1:-1] if kind in ("start", "end")]
    if inner:
        yield drive.breach("route_form", len(inner), f"{inner[0]!r} stands in the middle of the route")


def something_to_do(drive: Drive) -> Iterator[Violation]:
    """Rule: a route has a pickup; a vehicle without stops is not used and has no route (``empty_route``)."""
    if all(v.step.kind != "pickup" for v in drive.visits):
        yield drive.breach("empty_route", 1, "the route picks nothing up; a vehicle without stops is not used")


def right_places(drive: Drive) -> Iterator[Violation]:
    """Rule: a step's location is that of its stop or station, of the vehicle's start, or for a break the location
    where the vehicle is already or goes next (``wrong_location``).
    """
    for visit in drive.visits:
        if visit.step.location != visit.place:
            yield drive.breach(
                "wrong_location", 1,
                f"{_name(visit)} states location {visit.step.location}, but happens at {visit.place}", visit,
            )  # fmt: skip


def known_stations(drive: Drive) -> Iterator[Violation]:
    """Rule: a station that a step names exists (``unknown_station``), and the end names the vehicle's own
    (``wrong_end``).
    """
    for visit in drive.visits:
        named = visit.step.station
        if visit.step.kind == "unload" and visit.station is None:
            yield drive.breach("unknown_station", 1, f"no station has the key {named!r}")
        if visit.step.kind == "end" and named != drive.vehicle.end_station:
            yield drive.breach("wrong_end", 1, f"the route ends at {named!r}, not at {drive.vehicle.end_station!r}")


def begins_under_way(drive: Drive) -> Iterator[Violation]:
    """Rule: the first step of a vehicle under way arrives at the instant the problem gives (``wrong_start_time``).

    Its location is for `right_places`, its load for `right_loads`.
    """
    start = drive.vehicle.start
    arrival_s = drive.visits[0].step.arrival_s
    if start is not None and arrival_s != start.time_s:
        yield drive.breach(
            "wrong_start_time", abs(arrival_s - start.time_s),
            f"the first step arrives at {arrival_s}, but the vehicle is there at {start.time_s}",
        )  # fmt: skip


# --- the clock ----------------------------------------------------------------------------------------------------


def legs_take_their_time(drive: Drive) -> Iterator[Violation]:
    """Rule: a step's arrival is not before the previous step's end plus the leg (``too_early``). Later is allowed: the
    vehicle may have stood still before leaving.
    """
    for last, visit in pairwise(drive.visits):
        earliest = last.step.end_s + visit.travel_s
        if visit.step.arrival_s < earliest:
            yield drive.breach(
                "too_early", earliest - visit.step.arrival_s,
                f"{_name(visit)} is reached at {visit.step.arrival_s}, but {_name(last)} ends at {last.step.end_s} "
                f"and the way takes {visit.travel_s} s", visit,
            )  # fmt: skip


def nothing_before_arrival(drive: Drive) -> Iterator[Violation]:
    """Rule: a step starts at its arrival or later, and a start step does not end before it starts
    (``start_before_arrival``).
    """
    for visit in drive.visits:
        step = visit.step
        gap = step.arrival_s - step.start_s
        if step.kind == "start":
            gap = max(gap, step.start_s - step.end_s)
        if gap > 0:
            yield drive.breach(
                "start_before_arrival", gap,
                f"{_name(visit)} runs backwards: arrival {step.arrival_s}, start {step.start_s}, end {step.end_s}",
                visit,
            )  # fmt: skip


def exact_durations(drive: Drive) -> Iterator[Violation]:
    """Rule: a pickup takes its service time, an unload and an end with load on board the station's unloading time, an
    end without load nothing, a break its duration (``wrong_duration``).
    """
    for visit in drive.visits:
        want = _duration_s(drive, visit)
        took = visit.step.end_s - visit.step.start_s
        if want is not None and took != want:
            text = f"{_name(visit)} takes {took} s, not {want} s"
            yield drive.breach("wrong_duration", abs(took - want), text, visit)


def _duration_s(drive: Drive, visit: Visit) -> int | None:
    """Seconds a step must take; ``None`` when nothing says so."""
    match visit.step.kind:
        case "pickup":
            return None if visit.stop is None else visit.stop.service_s
        case "break":
            return None if drive.vehicle.break_ is None else drive.vehicle.break_.duration_s
        case "unload":
            return None if visit.station is None else visit.station.unload_s
        case "end" if visit.station is not None:
            return visit.station.unload_s if any(visit.before) else 0
    return None


def inside_windows(drive: Drive) -> Iterator[Violation]:
    """Rule: service starts inside one of the stop's windows, both ends included; it may run past the window
    (``outside_window``). The excess is the way to the nearest window.
    """
    for visit in drive.visits:
        if visit.stop is not None:
            off = _off(visit.step.start_s, visit.stop.windows_s)
            if off:
                windows = ", ".join(f"{a}–{b}" for a, b in visit.stop.windows_s)
                yield drive.breach(
                    "outside_window", off,
                    f"service at {visit.stop.key!r} starts at {visit.step.start_s}, outside {windows}", visit,
                )  # fmt: skip


def _off(instant_s: int, intervals: Sequence[tuple[int, int]]) -> int:
    """Seconds from an instant to the nearest of some closed intervals, 0 inside."""
    return min(max(a - instant_s, instant_s - b, 0) for a, b in intervals)


# --- the vehicle --------------------------------------------------------------------------------------------------


def skilled_crew(drive: Drive) -> Iterator[Violation]:
    """Rule: the vehicle has every skill a stop asks for (``missing_skill``); the excess counts the missing ones."""
    for visit in drive.visits:
        missing = () if visit.stop is None else sorted(visit.stop.skills - drive.vehicle.skills)
        if missing:
            yield drive.breach(
                "missing_skill", len(missing), f"{_name(visit)} needs {', '.join(missing)}, which the crew lacks", visit
            )


def inside_capacity(drive: Drive) -> Iterator[Violation]:
    """Rule: after each pickup the load on board, by the checker's own sum, is within capacity in every unit
    (``over_capacity``). What a vehicle under way brings may be above it; then it unloads before it picks up.
    """
    for visit in drive.visits:
        if visit.stop is None:
            continue
        for unit, on_board, most in zip(drive.problem.load_units, visit.after, drive.vehicle.capacity, strict=True):
            if on_board > most:
                yield drive.breach(
                    "over_capacity", on_board - most, f"{_name(visit)} makes {on_board} {unit} on board, {most} fit",
                    visit, unit=unit,
                )  # fmt: skip


def right_loads(drive: Drive) -> Iterator[Violation]:
    """Rule: each step states the load on board when it ends: what the start gives, plus every pickup, nothing after an
    unload and after the end (``wrong_load``).
    """
    for visit in drive.visits:
        stated = visit.step.load
        if stated != visit.after:
            short = len(stated) != len(visit.after)
            excess = 1 if short else max(abs(a - b) for a, b in zip(stated, visit.after, strict=True))
            yield drive.breach(
                "wrong_load", excess, f"{_name(visit)} states load {list(stated)}, it is {list(visit.after)}", visit
            )


def inside_shift(drive: Drive) -> Iterator[Violation]:
    """Rule: the route begins inside the shift and ends inside it, or inside the overtime allowed (``outside_shift``).

    A vehicle under way is where it is; it only may not leave before its shift begins.
    """
    first, last = drive.vehicle.shift_s
    start = drive.visits[0].step
    waits = drive.vehicle.start is not None
    begin_s = start.end_s if waits else start.arrival_s
    if begin_s < first:
        yield drive.breach("outside_shift", first - begin_s, f"the route begins at {begin_s}, the shift at {first}")
    if start.end_s > last and not waits:
        yield drive.breach("outside_shift", start.end_s - last, f"the route begins at {start.end_s}, after the shift")
    latest = last + drive.vehicle.max_overtime_s
    if drive.ended_s > latest:
        yield drive.breach(
            "outside_shift", drive.ended_s - latest,
            f"the route ends at {drive.ended_s}; with {drive.vehicle.max_overtime_s} s overtime {latest} is the latest",
        )  # fmt: skip


def inside_longest_duration(drive: Drive) -> Iterator[Violation]:
    """Rule: from leaving the start to the end of the route no more than ``max_duration_s`` pass (``too_long``)."""
    most = drive.vehicle.max_duration_s
    took = drive.ended_s - drive.begun_s
    if most is not None and took > most:
        yield drive.breach("too_long", took - most, f"the route takes {took} s, at most {most} s are allowed")


# --- the break ----------------------------------------------------------------------------------------------------


def due_break_is_taken(drive: Drive) -> Iterator[Violation]:
    """Rule: a route that begins before the break's window opens and ends after it closes has a break (``break_missed``)
    that starts inside the window (``break_outside_window``).

    Length and place of every break, due or not, are for `exact_durations` and `right_places`.
    """
    rest = drive.vehicle.break_
    if rest is None or not (drive.begun_s < rest.window_s[0] and drive.ended_s > rest.window_s[1]):
        return
    starts = [v.step.start_s for v in drive.visits if v.step.kind == "break"]
    window = f"{rest.window_s[0]}–{rest.window_s[1]}"
    if not starts:
        yield drive.breach("break_missed", rest.duration_s, f"no break in a route over all of {window}")
    elif off := min(_off(s, [rest.window_s]) for s in starts):
        yield drive.breach("break_outside_window", off, f"the break starts at {starts[0]}, outside {window}")


def no_break_without_one(drive: Drive) -> Iterator[Violation]:
    """Rule: only a vehicle that has a break takes one (``unknown_break``); others just stand still."""
    breaks = sum(v.step.kind == "break" for v in drive.visits)
    if breaks and drive.vehicle.break_ is None:
        yield drive.breach("unknown_break", breaks, "the route has a break step, but the vehicle has no break")


# --- stations -----------------------------------------------------------------------------------------------------


def unloads_where_possible(drive: Drive) -> Iterator[Violation]:
    """Rule: an unload on the way happens at a station with ``can_unload`` (``cannot_unload``). The final unload at the
    vehicle's own end station is always possible.
    """
    for visit in drive.visits:
        if visit.step.kind == "unload" and visit.station is not None and not visit.station.can_unload:
            yield drive.breach("cannot_unload", 1, f"{visit.station.key!r} takes no unload on the way")


def inside_opening_hours(drive: Drive) -> Iterator[Violation]:
    """Rule: a route starts at a station, unloads (from first to last second) and ends (final unload included) while
    the station is open (``station_closed``). Waiting for it to open is standing still, and allowed.
    """
    for visit in drive.visits:
        step, station = visit.step, visit.station
        since_s = step.start_s
        if step.kind == "start" and drive.vehicle.start is None:
            station, since_s = drive.problem.station_by_key[drive.vehicle.start_station], step.arrival_s
        if station is None:
            continue
        off = max(_off(since_s, [station.open_s]), _off(step.end_s, [station.open_s]))
        if off:
            yield drive.breach(
                "station_closed", off,
                f"{_name(visit)} lasts {since_s}–{step.end_s}, {station.key!r} is open "
                f"{station.open_s[0]}–{station.open_s[1]}", visit,
            )  # fmt: skip


# --- words ----------------------------------------------------------------------------------------------------------


def _name(visit: Visit) -> str:
    """How a sentence calls a step."""
    match visit.step.kind:
        case "pickup":
            return f"the pickup {visit.step.stop!r}"
        case "unload":
            return f"the unload at {visit.step.station!r}"
        case kind:
            return f"the {kind}"


ROUTE_RULES: tuple[Callable[[Drive], Iterator[Violation]], ...] = (
    first_start_last_end,
    something_to_do,
    right_places,
    known_stations,
    begins_under_way,
    legs_take_their_time,
    nothing_before_arrival,
    exact_durations,
    inside_windows,
    skilled_crew,
    inside_capacity,
    right_loads,
    inside_shift,
    inside_longest_duration,
    due_break_is_taken,
    no_break_without_one,
    unloads_where_possible,
    inside_opening_hours,
)
