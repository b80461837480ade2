"""Bad input at the command line: one line that names field and value, or a checked plan without the bad stops alone.

`main` runs in this process except where a process is what is looked at: the console script adds nothing but the clock.
Without workers, because engines only ever see what the first plan was made from.
"""

from __future__ import annotations

import gzip
import json
import math
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recycling.routing.__main__ import main
from recycling.routing.check import violations
from recycling.routing.plan import Plan, load_plan
from recycling.routing.problem import load_problem
from tests.routing.bad_input import HOSTILE, NULLABLE, Path_, a_good_day, a_matrix_day, fields, mutant, put, spelled

SECONDS = 2.0
Capture = pytest.CaptureFixture[str]
Day = dict[str, Any]


class Command:
    """``solve`` in a folder of its own."""

    def __init__(self, folder: Path, capture: Capture) -> None:
        self.folder, self._capture = folder, capture

    def solve(self, day: Day | str | bytes, name: str = "problem.json", *, seconds: float = SECONDS) -> tuple[int, str]:
        """Exit code and what was said on the error stream."""
        text = json.dumps(day) if isinstance(day, dict) else day
        problem = self.folder / name
        problem.write_bytes(text.encode() if isinstance(text, str) else text)
        began = time.monotonic()
        code = main([
            "solve", str(problem), "--seconds", str(seconds), "--workers", "0", "--out", str(self.folder / "plan.json"),
        ])  # fmt: skip
        assert time.monotonic() - began < seconds + 5
        return code, self._capture.readouterr().err

    def refused(self, day: Day | str | bytes, name: str = "problem.json") -> str:
        """The one line with which the day is refused."""
        code, said = self.solve(day, name)
        assert code == 2
        assert len(said.splitlines()) == 1, said
        return said

    def planned(self, day: Day, *, seconds: float = SECONDS) -> Plan:
        """The plan, which the checker passed."""
        assert self.solve(day, seconds=seconds) == (0, "")
        plan = load_plan(self.folder / "plan.json")
        assert violations(load_problem(self.folder / "problem.json"), plan) == []
        return plan


@pytest.fixture
def command(tmp_path: Path, capsys: Capture) -> Command:
    """The command line, in this process."""
    return Command(tmp_path, capsys)


def left_out(plan: Plan) -> dict[str, str]:
    """Stops left out, with their codes."""
    return {left.stop: left.reason for left in plan.unassigned}


@pytest.mark.parametrize("day", [a_good_day, a_matrix_day])
def test_the_day_that_is_spoilt_below_is_planned_whole(day: Callable[[], Day], command: Command) -> None:
    assert left_out(command.planned(day())) == {}


# --- one value anywhere -------------------------------------------------------------------------------------------


def taken(at: Path_, value: Any) -> bool:
    """Whether the contract lets a value stand where there was a number."""
    if at[-1] in NULLABLE and value is None:
        return True
    return ((at[0] == "locations" and value in (-1, 0.5)) or (at[0] == "travel" and value == 0.5)) and value is not True


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: json.dumps(value)[:12])
def test_no_number_of_the_problem_takes_it_and_the_line_names_both(value: Any, command: Command) -> None:
    numbers = [at for at, one in fields(a_good_day()) if isinstance(one, int | float) and not isinstance(one, bool)]
    assert len(numbers) > 100
    for at in numbers:
        if not taken(at, value):
            said = command.refused(put(a_good_day(), at, value))
            # A place on no map is named with both its numbers.
            assert said.startswith(f"{spelled(at)} is {json.dumps(value)[:77]}") or "no latitude" in said


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: json.dumps(value)[:12])
def test_no_cell_of_a_matrix_takes_it(value: Any, command: Command) -> None:
    for name in ("travel_s", "distance_m"):
        said = command.refused(put(a_matrix_day(), ("travel", name, 1, 3), value))
        assert said.startswith(f"travel.{name}[1][3] is {json.dumps(value)[:77]}")


@pytest.mark.parametrize("value", [math.nan, -1, True, "5", "", None, [], [[0]], {}], ids=json.dumps)
def test_no_object_list_text_or_flag_takes_what_is_none_of_its_kind(value: Any, command: Command) -> None:
    for at, one in fields(a_good_day()):
        nullable = at[-1] in NULLABLE and value is None
        if isinstance(one, dict | list | str | bool) and type(value) is not type(one) and not nullable:
            assert command.refused(put(a_good_day(), at, value)).startswith(f"{spelled(at)} is {json.dumps(value)}")


def test_every_key_is_asked_for_and_no_other_is_taken(command: Command) -> None:
    good = a_good_day()
    for at, one in [((), good), *fields(good)]:
        if isinstance(one, dict):
            where = spelled(at) or "problem"
            said = command.refused(put(good, (*at, "colour"), 7))
            assert said.startswith(f"{where}.colour is unknown, with the value 7")
            for key in one:
                less = put(good, (*at, key), None)
                _at(less, at).pop(key)
                # without its kind, travel is of none
                want = f"{where}.{key} is " + ("null" if (where, key) == ("travel", "kind") else "missing")
                assert command.refused(less).startswith(want)


def _at(day: Day, at: Path_) -> Any:
    inner: Any = day
    for key in at:
        inner = inner[key]
    return inner


# --- what is refused ----------------------------------------------------------------------------------------------

REFUSED: Mapping[str, tuple[Path_, Any, str]] = {
    "a later format": (("format",), "recycling.problem/2", 'format is "recycling.problem/2"'),
    "no date": (("day",), "2026-02-30", 'day is "2026-02-30"'),
    "a unit twice": (("load_units",), ["g", "g"], "load_units: 'g' occurs twice"),
    "a place on no map": (("locations", 3), [91, 0], "locations[3] = [91.0, 0.0]"),
    "a ragged place": (("locations", 3), [34.8], "locations[3] is [34.8]"),
    "no places": (("locations",), [], "stations[north].location is 0; give locations"),
    "no such place": (("stops", 1, "location"), 8, "stops[b3].location is 8; give an integer from 0 to 7"),
    "no speed": (("travel", "speed_kmh"), 0, "travel.speed_kmh is 0"),
    "hardly any speed": (("travel", "speed_kmh"), 5e-324, "travel.speed_kmh is 5e-324"),
    "unknown travel": (("travel", "kind"), "teleport", 'travel.kind is "teleport"'),
    "a window that closes first": (
        ("stops", 1, "windows_s", 0), [36_000, 28_800], "stops[1].windows_s[0] is [36000, 28800]",
    ),
    "no window": (("stops", 1, "windows_s"), [], "stops[b3].windows_s is empty"),
    "a shift that ends first": (("vehicles", 0, "shift_s"), [9, 8], "vehicles[0].shift_s is [9, 8]"),
    "a break that ends first": (("vehicles", 0, "break", "window_s"), [9, 8], "vehicles[0].break.window_s is [9, 8]"),
    "a station that closes first": (("stations", 0, "open_s"), [9, 8], "stations[0].open_s is [9, 8]"),
    "a stop twice": (("stops", 1, "key"), "b2", "stops[].key: 'b2' occurs twice"),
    "a vehicle twice": (("vehicles", 1, "key"), "v1", "vehicles[].key: 'v1' occurs twice"),
    "a station twice": (("stations", 1, "key"), "north", "stations[].key: 'north' occurs twice"),
    "a skill twice": (("stops", 1, "skills"), ["lift", "lift"], "stops[1].skills: 'lift' occurs twice"),
    "an amount too few": (("stops", 1, "load"), [1], "stops[b3].load is [1]"),
    "a capacity too many": (("vehicles", 0, "capacity"), [1, 2, 3], "vehicles[v1].capacity is [1, 2, 3]"),
    "an unknown home": (("vehicles", 0, "end_station"), "west", "end_station: no station has the key 'west'"),
    "an unknown wish": (("stops", 3, "prefer", "vehicle"), "v9", "prefer.vehicle: no vehicle has the key 'v9'"),
    "an unknown lock": (("vehicles", 1, "locked"), ["b9"], "vehicles[v2].locked: no stop has the key 'b9'"),
    "a lock twice": (("vehicles", 1, "locked"), ["b2"], "vehicles[v2].locked: stop 'b2' is locked twice"),
    "a key of two lines": (("stops", 3, "prefer", "vehicle"), "a\nb", "'a\\nb'"),
    "a bell": (("vehicles", 1, "\a\x1b[2J"), 0, "vehicles[1].\\x07\\x1b[2J is unknown"),
    "half a character": (("stops", 1, "key"), "\ud800", "stops[1].key is \"\\ud800\""),
    "a ragged matrix": (("travel", "travel_s", 2), [0, 1], "travel.travel_s[2] is [0, 1]; give a list of 8"),
    "a row too few": (("travel", "distance_m"), [[0] * 8] * 7, "travel.distance_m has 7 rows; give 8"),
    "no matrix": (("travel", "travel_s"), [], "travel.travel_s has 0 rows"),
    "an unreachable cell": (("travel", "travel_s", 0, 5), None, "travel.travel_s[0][5] is null"),
    "a way to itself": (("travel", "travel_s", 4, 4), 60, "travel.travel_s[4][4] is 60"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_no_reading_is_refused_by_name_and_value(case: str, command: Command) -> None:
    at, value, said = REFUSED[case]
    day = a_matrix_day() if at[:2] in (("travel", "travel_s"), ("travel", "distance_m")) else a_good_day()
    assert said in command.refused(put(day, at, value))


def test_zeros_between_different_places_are_a_failed_answer_and_between_equal_ones_a_day(command: Command) -> None:
    day = a_matrix_day()
    for name in ("travel_s", "distance_m"):
        day["travel"][name] = [[0] * 8] * 8
    assert "travel_s and distance_m are 0 in every cell, although 8 locations differ" in command.refused(day)
    day["locations"] = [[34.8, 117.25]] * 8
    assert left_out(command.planned(day)) == {}


def test_a_doubled_json_key_is_refused_with_its_object(command: Command) -> None:
    text = json.dumps(a_good_day())
    assert command.refused('{"day": 1, ' + text[1:]).startswith("problem, its keys: 'day' occurs twice")
    twice = text.replace('"key": "b3"', '"key": "b3", "key": "b3"')
    assert command.refused(twice).startswith("stops[1], its keys: 'key' occurs twice")


GOOD = json.dumps(a_good_day()).encode()
ZIPPED = gzip.compress(GOOD)
FILES: Mapping[str, tuple[str, bytes, str]] = {
    "empty": ("problem.json", b"", "cannot be read"),
    "not UTF-8": ("problem.json", b"\xff\xfe", "cannot be read"),
    "UTF-16": ("problem.json", GOOD.decode().encode("utf-16"), "cannot be read"),
    "half": ("problem.json", GOOD[: len(GOOD) // 2], "cannot be read"),
    "deep lists": ("problem.json", b"[" * 10**6, "cannot be read"),
    "deep objects": ("problem.json", b'{"a":' * 10**6, "cannot be read"),
    "a nest as deep as can be read": ("problem.json", b'{"day":' + b"[" * 900 + b"]" * 900 + b"}", "is missing"),
    "too many digits": ("problem.json", b'{"format": ' + b"9" * 10**5 + b"}", "cannot be read"),
    "no object": ("problem.json", b"[]", "problem is []; give an object"),
    "an empty object": ("problem.json", b"{}", "problem.format is missing"),
    "half a gzip": ("problem.json.gz", ZIPPED[: len(ZIPPED) // 2], "cannot be read"),
    "a broken gzip": ("problem.json.gz", ZIPPED[:20] + b"\xff" * 40 + ZIPPED[60:], "cannot be read"),
    "a gzip without a sum": ("problem.json.gz", ZIPPED[:-8] + b"\0" * 8, "cannot be read"),
    "no gzip": ("problem.json.gz", GOOD, "cannot be read"),
    "a gzip by another name": ("problem.json", ZIPPED, "cannot be read"),
    "a name of two lines": ("a\nb.json", b"", "a\\nb.json cannot be read"),
}


@pytest.mark.parametrize("case", FILES)
def test_an_unreadable_file_is_one_line(case: str, command: Command) -> None:
    name, content, said = FILES[case]
    assert said in command.refused(content, name)
    problem = str(command.folder / name)
    assert main(["check", problem, problem]) == 2


def test_a_nest_is_named_but_not_shown_whole(command: Command) -> None:
    deep = "[" * 900 + "]" * 900
    for at in (("format",), ("travel", "kind"), ("travel",), ("stops", 1, "load", 0), ("vehicles", 0, "colour")):
        text = json.dumps(put(a_good_day(), at, "DEEP")).replace('"DEEP"', deep)
        said = command.refused(text)
        assert spelled(at) in said
        assert len(said) < 400


def test_a_matrix_file_is_read_with_suspicion(command: Command) -> None:
    travel = a_matrix_day()["travel"]
    cells = {name: np.array(travel[name]) for name in ("travel_s", "distance_m")}
    day = a_good_day() | {"travel": {"kind": "matrix_file", "path": "m.npz"}}
    path = command.folder / "m.npz"

    def saved(**changes: Any) -> Day:
        np.savez(path, **(cells | changes))
        return day

    def written(content: bytes) -> Day:
        path.write_bytes(content)
        return day

    assert "travel.path: 'm.npz' cannot be read: " in command.refused(day)
    assert left_out(command.planned(saved())) == {}
    whole = path.read_bytes()

    # a file that is none
    pickled = np.array([[{}]], dtype=object)
    assert "travel.path: 'm.npz' cannot be read" in command.refused(saved(travel_s=pickled))
    broken = (b"", b"PK", b"\x80\x04.", whole[: len(whole) // 2], whole[:100] + b"\xff" * 60 + whole[160:])
    for content in broken:
        assert "travel.path: 'm.npz' cannot be read" in command.refused(written(content))
    with path.open("wb") as file:
        np.save(file, cells["travel_s"])
    assert "travel.path: 'm.npz' cannot be read" in command.refused(day)
    np.savez(path, travel_s=cells["travel_s"])
    assert "distance_m" in command.refused(day)

    # arrays that are no matrix of whole numbers
    for dtype in ("float64", "bool", "complex64", "U3", "datetime64[s]"):
        assert "travel.path: travel_s holds" in command.refused(saved(travel_s=cells["travel_s"].astype(dtype)))
    for shape in ((), (64,), (4, 16), (8, 8, 1), (0, 8)):
        odd_shape = np.zeros(shape, dtype=np.int64)
        assert "travel.path:distance_m is " in command.refused(saved(distance_m=odd_shape))
    for value, dtype in ((-1, "int64"), (2**63, "uint64"), (10**12 + 1, "int64")):
        wrong = cells["travel_s"].astype(dtype)
        wrong[2, 5] = value
        assert f"travel.path:travel_s[2][5] is {value}" in command.refused(saved(travel_s=wrong))
    none = np.zeros((8, 8), dtype=np.int8)
    assert "are 0 in every cell" in command.refused(saved(travel_s=none, distance_m=none))

    # a path that is not relative, or leads nowhere
    saved()
    for absolute in ("/etc/passwd", str(path)):
        refusal = command.refused(put(day, ("travel", "path"), absolute))
        assert f"travel.path is {absolute!r}; give it relative" in refusal
    for nothing in (".", "sub", "../m.npz", "m.npz/x", "x" * 1000):
        assert f"travel.path: {nothing!r} cannot be read" in command.refused(put(day, ("travel", "path"), nothing))


# --- what is planned, without the bad stops -----------------------------------------------------------------------

EVERY = tuple(f"b{n}" for n in range(2, 8))
LEFT_OUT: Mapping[str, tuple[Mapping[Path_, Any], Mapping[str, str]]] = {
    "a load above every vehicle": ({("stops", 3, "load"): [10**12, 0]}, {"b5": "over_capacity"}),
    "a skill nobody has": ({("stops", 3, "skills"): ["flying"]}, {"b5": "missing_skill"}),
    "a window in the night": ({("stops", 3, "windows_s"): [[0, 1]]}, {"b5": "outside_windows"}),
    "a window in a thousand years": ({("stops", 3, "windows_s"): [[10**12, 10**12]]}, {"b5": "outside_windows"}),
    "a service without end": ({("stops", 3, "service_s"): 10**12}, {"b5": "outside_windows"}),
    "a place at the pole": ({("locations", 5): [-90, 0]}, {"b5": "outside_windows"}),
    "no vehicles": (
        {("vehicles",): [], ("stops", 3, "prefer"): None}, dict.fromkeys(EVERY, "fleet_full"),
    ),
    "no stops": ({("stops",): [], ("vehicles", 0, "locked"): []}, {}),
    "vehicles that carry nothing": (
        {("vehicles", v, "capacity"): [0, 0] for v in range(3)}, dict.fromkeys(EVERY, "over_capacity"),
    ),
    "one station never open": ({("stations", 1, "open_s"): [0, 0]}, {}),
    "no station ever open": (
        {("stations", s, "open_s"): [0, 0] for s in range(2)}, dict.fromkeys(EVERY, "outside_windows"),
    ),
    "stations that take nothing": (
        {("stations", s, "intake_limit"): [0, 0] for s in range(2)}, dict.fromkeys(EVERY, "over_capacity"),
    ),
    "a lock without the skill": (
        {("vehicles", 0, "locked"): ["b2", "b4"], ("vehicles", 0, "skills"): []}, {"b4": "missing_skill"},
    ),
    "a lock too heavy": (
        {("vehicles", 0, "capacity"): [1000, 10], ("stops", 0, "load"): [1001, 10]}, {"b2": "over_capacity"},
    ),
    "a lock out of hours": ({("stops", 1, "windows_s"): [[70_000, 70_000]]}, {"b3": "outside_windows"}),
    "a crawl": ({("travel", "speed_kmh"): 1e-15}, dict.fromkeys(EVERY, "outside_windows")),
}  # fmt: skip


@pytest.mark.parametrize("case", LEFT_OUT)
def test_bad_stops_are_left_out_by_code_and_the_rest_is_planned(case: str, command: Command) -> None:
    changes, expected = LEFT_OUT[case]
    day = a_good_day()
    for at, value in changes.items():
        day = put(day, at, value)
    assert left_out(command.planned(day)) == expected


def test_a_stop_out_of_reach_is_left_out_and_the_rest_is_planned(command: Command) -> None:
    day = a_matrix_day()
    for place in range(8):
        for a, b in ((place, 5), (5, place)):
            day["travel"]["travel_s"][a][b] = 0 if a == b else 10**12
    assert left_out(command.planned(day)) == {"b5": "outside_windows"}


def test_locks_in_a_sequence_that_cannot_be_kept_cost_one_stop(command: Command) -> None:
    # b2 opens only when b3, locked behind it, has closed
    day = put(a_good_day(), ("stops", 0, "windows_s"), [[50_000, 50_000]])
    plan = command.planned(put(day, ("stops", 1, "windows_s"), [[30_000, 31_000]]))
    assert list(left_out(plan).values()) == ["invalid"]
    assert left_out(plan).keys() <= {"b2", "b3"}


def _many(stops: int, **travel: Any) -> Day:
    day = a_good_day()
    free = {"load": [1, 0], "service_s": 30, "prefer": None, "skills": []}
    visits = [{**day["stops"][0], **free, "key": f"b{n}", "location": 2} for n in range(stops)]
    vehicles = [{**v, "locked": [], "start": None} for v in day["vehicles"]]
    return day | {"stops": visits, "vehicles": vehicles, "travel": day["travel"] | travel}


def test_500_stops_at_one_address_are_planned(command: Command) -> None:
    # 500 · 30 s is an hour and a half for each of three vehicles; the first plan, given time, ends by itself
    assert left_out(command.planned(_many(500), seconds=30)) == {}


def test_a_day_large_enough_for_parts_is_planned_at_a_crawl(command: Command) -> None:
    plan = command.planned(_many(460, speed_kmh=1e-9))
    assert set(left_out(plan).values()) == {"outside_windows"}
    assert len(plan.unassigned) == 460


# --- the process, and chance --------------------------------------------------------------------------------------


@pytest.mark.parametrize("service_s", [math.nan, 300])
def test_the_program_itself_answers_in_time_and_leaves_no_traceback(service_s: float, tmp_path: Path) -> None:
    good = put(a_good_day(), ("stops", 3, "load"), [10**12, 0])
    (tmp_path / "p.json").write_text(json.dumps(put(good, ("stops", 1, "service_s"), service_s)))
    began = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-m", "recycling.routing", "solve", str(tmp_path / "p.json"), "--seconds", str(SECONDS),
         "--out", str(tmp_path / "plan.json")],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert time.monotonic() - began < SECONDS + 5
    if math.isnan(service_s):
        assert ran.returncode == 2
        assert ran.stderr == f"stops[1].service_s is NaN; give an integer from 0 to {10**12}\n"
    else:
        assert (ran.returncode, ran.stderr) == (0, "")
        assert left_out(load_plan(tmp_path / "plan.json")) == {"b5": "over_capacity"}


@pytest.mark.parametrize("option", ["seconds=nan", "seconds=inf", "seconds=-1", "workers=-1", "seed=-1"])
def test_an_option_out_of_range_is_one_line_with_its_value(option: str, command: Command, capsys: Capture) -> None:
    command.solve(a_good_day())
    problem, plan = str(command.folder / "problem.json"), str(command.folder / "plan.json")
    assert main(["solve", problem, "--out", plan, f"--{option}"]) == 2
    said = capsys.readouterr().err
    assert option.replace("=", " is ") in said
    assert len(said.splitlines()) == 1


def test_a_plan_dearer_than_any_number_of_the_problem_is_read_again(command: Command) -> None:
    # six stops left out at 10^12 each
    day = put(a_good_day(), ("vehicles",), [])
    for n in range(6):
        day["stops"][n] |= {"skip_cost": 10**12, "prefer": None}
    assert command.planned(day).cost.total == 6 * 10**12


@pytest.mark.parametrize("first", range(0, 120, 20))
def test_a_day_spoilt_by_chance_is_refused_in_a_line_or_planned(first: int, command: Command) -> None:
    for seed in range(first, first + 20):
        code, said = command.solve(mutant(seed))
        assert code in (0, 2), seed
        assert len(said.splitlines()) == (0 if code == 0 else 1), seed
        if code == 0:
            plan = load_plan(command.folder / "plan.json")
            assert violations(load_problem(command.folder / "problem.json"), plan) == [], seed
