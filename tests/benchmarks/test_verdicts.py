"""The speed table's arithmetic: means of ratios, gaps, growth, and what an answer that never came does to them."""

import math
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.planner import CHART, Wish, keep
from benchmarks.support.chart import drawn
from benchmarks.support.instances import Instance, district
from benchmarks.support.lines import BEST, BEST_KNOWN, LINES, SPEEDS, Line, Target, chosen
from benchmarks.support.runner import Bench
from benchmarks.support.store import Result, Store, code_of
from benchmarks.support.verdicts import exponent, geometric_mean, instance_cells, line_rows, ratio, speed_rows
from recycling.routing.problem import Problem
from tests.routing.hand import a_problem, a_station, a_stop, a_vehicle


def a_result(planner: str, cost: int | None, **changes: object) -> Result:
    parts: dict[str, object] = {
        "key": planner, "planner": planner, "instance": "day", "seconds": 20.0, "cost": cost, "wall_s": 20.5,
        "peak_mib": 300.0, "trace": () if cost is None else ((1.0, 2 * cost), (9.0, cost)),
    }  # fmt: skip
    return Result(**parts | changes)  # type: ignore[arg-type]  # a builder: each name has its own type


def a_line(*targets: Target) -> Line:
    return Line(key="x", title="some work", seconds=20, peers=("pyvrp", "vroom"), targets=targets)


def a_day(**results: int | None) -> dict[str, Result]:
    return {name: a_result(name, cost) for name, cost in results.items()}


def test_ratios_are_averaged_so_that_twice_and_half_cancel() -> None:
    assert geometric_mean([2.0, 0.5]) == pytest.approx(1.0)
    assert math.isnan(geometric_mean([]))


def test_growth_is_the_power_that_fits_all_sizes() -> None:
    assert exponent([(500, 1.0), (1_000, 4.0), (10_000, 400.0)]) == pytest.approx(2.0)
    assert math.isnan(exponent([(500, 1.0)]))


def test_a_line_is_judged_against_the_best_peer_of_each_instance() -> None:
    # given two days on which another peer is best each time: ratios 0.9 and 1.0
    measured = {"a": a_day(ours=90, pyvrp=100, vroom=120), "b": a_day(ours=80, pyvrp=95, vroom=80)}

    # when judged against 0.95 and against 0.94
    row, _ = line_rows(a_line(Target(against=BEST, most=0.95)), 20, measured, {})
    harder, _ = line_rows(a_line(Target(against=BEST, most=0.94)), 20, measured, {})

    # then the mean is the root of 0.9, with the digits that the target is about
    assert row.figure == pytest.approx(math.sqrt(0.9))
    assert row.cells()[:3] == ("some work, 20 s, 2 instances", "0.9487 x best peer", "<= 0.950 x best peer")
    assert (row.ok, harder.ok) == (True, False)


def test_an_answer_of_ours_that_never_came_fails_the_line_and_a_peers_is_passed_over() -> None:
    lost = {"a": a_day(ours=None, pyvrp=100), "b": a_day(ours=80, pyvrp=100)}
    both = {"a": a_day(ours=None, pyvrp=None), "b": a_day(ours=80, pyvrp=100)}
    alone = {"a": a_day(ours=90, pyvrp=None), "b": a_day(ours=80, pyvrp=100)}

    line = a_line(Target(against="pyvrp", most=1.0))
    assert not next(line_rows(line, 20, lost, {})).ok
    assert not next(line_rows(line, 20, both, {})).ok
    row = next(line_rows(line, 20, alone, {}))
    assert row.ok
    assert row.figure == pytest.approx(0.8)
    assert ratio(alone["a"], BEST) is None


def test_a_line_nobody_else_answered_is_not_passed() -> None:
    row = next(line_rows(a_line(Target(against=BEST, most=1.0)), 20, {"a": a_day(ours=90, pyvrp=None)}, {}))

    assert not row.ok


def _unread() -> Problem:
    raise AssertionError("nobody needs the problem for this")


def test_gaps_are_percent_above_the_best_known_cost_in_the_literatures_unit() -> None:
    # given costs a thousand times those that were published, 1 % and 3 % above
    instances = {
        name: Instance(name=name, family="mdvrptw", load=_unread, scale=1000, best_known=known)
        for name, known in (("a", 100.0), ("b", 200.0))
    }
    measured = {"a": a_day(ours=101_000, pyvrp=103_000), "b": a_day(ours=206_000, pyvrp=202_000)}

    line = a_line(Target(against=BEST_KNOWN, most=2.0))
    row = next(line_rows(line, 20, measured, instances))
    cells = list(instance_cells({("x", name): results for name, results in measured.items()}, instances))

    assert row.figure == pytest.approx(2.0)
    assert row.peer_figure == pytest.approx(2.0)
    assert cells[0][3:5] == ("101.00", "103.00")
    assert cells[0][8:11] == ("100.00", "1.00 %", "0.9806")

    # and with nobody beside ours, only the figure
    assert next(line_rows(replace(line, peers=()), 20, measured, instances)).peer_figure is None

    # and a missing answer must not look like a small gap
    lost = measured | {"b": a_day(ours=None, pyvrp=202_000)}
    assert not next(line_rows(a_line(Target(against=BEST_KNOWN, most=2.0)), 20, lost, instances)).ok


def test_a_planner_that_overstays_is_short_however_cheap() -> None:
    late = {"a": a_day(pyvrp=100) | {"ours": a_result("ours", 50, wall_s=26.0)}}

    *_, wall = line_rows(a_line(Target(against=BEST, most=1.0)), 20, late, {})

    assert (wall.figure, wall.target, wall.ok) == (26.0, "<= 25 s", False)


def test_first_plans_and_the_largest_day_have_lines_of_their_own() -> None:
    first, largest = SPEEDS
    plans = {
        f"full-{n}-51": {"ours": a_result("ours", 9, wall_s=w, search_s=w - 0.5)}
        for n, w in ((500, 1.5), (1000, 2.5), (10_000, 31.0))
    }
    day = {"full-10000-51": {"ours": a_result("ours", 90, trace=((20.0, 100), (500.0, 90)), peak_mib=5000.0)}}

    quick, slow, growth = speed_rows(first, 120, plans)
    memory, cost, wall = speed_rows(largest, 600, day)

    assert [row.ok for row in (quick, slow, growth)] == [True, False, True]
    # and a size without a plan is no proof of slow growth
    unplanned = plans | {"full-10000-51": {"ours": a_result("ours", None, wall_s=125.0)}}
    assert not [*speed_rows(first, 120, unplanned)][-1].ok

    assert [row.ok for row in (memory, cost, wall)] == [False, True, True]
    assert cost.figure == pytest.approx(0.9)


def test_parts_are_chosen_by_name_and_an_unknown_one_is_told_the_others() -> None:
    lines, speeds = chosen(["full-200", "first"])

    assert ([line.key for line in lines], [speed.key for speed in speeds]) == (["full-200"], ["first"])
    assert [line.key for line in chosen([])[0]] == [line.key for line in LINES if line.usual]
    with pytest.raises(ValueError, match="PART names 'full-201'; the parts are one_trip-200"):
        chosen(["full-201"])


def test_only_a_run_of_everything_at_the_full_budget_is_kept() -> None:
    assert Wish.of({"INSTANCES": "somewhere"}).whole
    assert not Wish.of({"BUDGET": "0.1"}).whole
    assert not Wish.of({"PART": "first"}).whole
    assert Wish.of({"BUDGET": "0.5"}).seconds(LINES[0]) == 10
    with pytest.raises(ValueError, match="BUDGET is -1"):
        Wish.of({"BUDGET": "-1"})


def _ignored(_: float) -> None:
    return None


def test_a_measured_planner_is_not_measured_again_until_code_problem_or_seconds_change(tmp_path: Path) -> None:
    # given our planner measured on a day
    day = a_problem((0, 600), (a_station("home", 0),), (a_vehicle("van"),), (a_stop("a", 1),))
    path = tmp_path / "results.jsonl"
    result = Bench("day", day, tmp_path, Store(path)).ours(3.0, workers=0, tick=_ignored)

    # then the plan was checked and priced: 1,000 for the van, 600 there and back
    assert (result.cost, result.note, result.left_out) == (2_200, "", 0)
    assert result.trace[-1][1] == 2_200
    assert result.search_s is not None

    # and another process finds it, for the same seconds and problem only
    again = Bench("day", day, tmp_path, Store(path))
    assert again.measured("ours-first", 3.0) == result
    assert again.measured("ours-first", 4.0) is None
    assert Bench("day", district(5, 1, "full").load(), tmp_path, Store(path)).measured("ours-first", 3.0) is None
    assert Bench("day", day, tmp_path, Store(path, fresh=True)).measured("ours-first", 3.0) is None
    assert code_of("recycling/routing") != code_of("benchmarks/support/peers")


def test_a_whole_run_keeps_verdicts_instances_and_chart_and_a_quick_look_keeps_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a page, and one day measured
    page = tmp_path / "benchmarks.md"
    page.write_text("# Speed\n", encoding="utf-8")
    results = a_day(ours=250_000, pyvrp=260_000)
    monkeypatch.setattr("benchmarks.planner._last", {("full-1000", "full-1000-41"): results})
    rows = list(line_rows(a_line(Target(against=BEST, most=0.97)), 60, {"a": results}, {}))
    for name in ("PART", "BUDGET", "INSTANCES"):
        monkeypatch.delenv(name, raising=False)

    # when it was a quick look, then nothing is written
    monkeypatch.setenv("BUDGET", "0.1")
    keep(rows, page=page)
    assert page.read_text(encoding="utf-8") == "# Speed\n"

    # when it was everything, then verdict, day and drawing are there
    monkeypatch.delenv("BUDGET")
    keep(rows, page=page)
    text = page.read_text(encoding="utf-8")
    assert "| 0.9615 x best peer | <= 0.970 x best peer |" in text
    assert "| full-1000 | full-1000-41 | 20 | 250,000 | 260,000 |" in text
    assert "ours 250,000" in (tmp_path / CHART).read_text(encoding="utf-8")
    assert f"({CHART})" in text


def test_the_chart_draws_every_planner_that_answered_and_stays_well_formed() -> None:
    results = a_day(ours=90, pyvrp=100, vroom=None) | {"vrp-cli": a_result("vrp-cli", 500)}

    drawing = drawn({"one_trip-1000": results, "full-1000": results})
    picture = ElementTree.fromstring(drawing)  # noqa: S314  # our own text

    words = [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert words.count("ours 90") == words.count("PyVRP 100") == 2
    assert words.count("vrp-cli 500 ↑") == 2  # so far above the best that its line leaves the panel
    assert not any("VROOM" in (word or "") for word in words)
    assert len(list(picture.iter("{http://www.w3.org/2000/svg}path"))) == 6
