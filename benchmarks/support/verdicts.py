"""From results to what is printed: each instance with its planners, each line of the speed table with its verdict."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.support.instances import Instance
from benchmarks.support.lines import (
    BEST,
    BEST_KNOWN,
    DAY_MIB,
    DAY_RATIO,
    EXPONENT,
    FIRST_S,
    Line,
    Speed,
    Target,
)
from benchmarks.support.peers import PEERS
from benchmarks.support.process import GRACE_S
from benchmarks.support.runner import OURS
from benchmarks.support.store import Result
from benchmarks.table import Row, shown

Results = Mapping[str, Result]
"""Of one instance: each planner's result."""

HEADINGS = (
    "line", "instance", "seconds", "ours", *(peer.title for peer in PEERS.values()), "best known", "gap",
    "ours / best peer", "left out", "wall", "memory",
)  # fmt: skip
MISSING = "–"


def geometric_mean(ratios: Sequence[float]) -> float:
    """The mean that treats twice and half alike; NaN of nothing."""
    return math.exp(statistics.fmean(map(math.log, ratios))) if ratios else math.nan


def exponent(points: Sequence[tuple[float, float]]) -> float:
    """Slope of the line of least squares through the logarithms: y grows as x to that power; NaN of fewer than two."""
    if len(points) < 2:
        return math.nan
    return statistics.linear_regression(*([math.log(c) for c in column] for column in zip(*points, strict=True))).slope


def best_peer(results: Results) -> Result | None:
    """The cheapest valid answer that is not ours."""
    found = [r for name, r in results.items() if name != OURS and r.cost is not None]
    return min(found, key=lambda r: r.cost or 0) if found else None


def against(target: str, results: Results) -> Result | None:
    """The result that a target compares ours with."""
    found = best_peer(results) if target == BEST else results.get(target)
    return None if found is None or found.cost is None else found


def ratio(results: Results, target: str) -> float | None:
    """Our cost over the other's; ``None`` when either has none, infinity when only ours is missing."""
    mine, other = results.get(OURS), against(target, results)
    if other is None or not other.cost:
        return None
    return mine.cost / other.cost if mine is not None and mine.cost is not None else math.inf


def gap(result: Result | None, instance: Instance) -> float | None:
    """Percent above the best known cost."""
    if result is None or result.cost is None or instance.best_known is None:
        return None
    return 100 * (result.cost / instance.scale / instance.best_known - 1)


# --- instances ----------------------------------------------------------------------------------------------------


def instance_cells(
    measured: Mapping[tuple[str, str], Results], instances: Mapping[str, Instance]
) -> Iterator[tuple[str, ...]]:
    """One line per instance, cells as `HEADINGS` says; costs in the literature's unit."""
    for (line, name), results in measured.items():
        instance = instances[name]
        mine = next((r for key, r in results.items() if key.startswith(OURS)), None)
        if mine is None:
            continue
        share, above = ratio(results, BEST), gap(mine, instance)
        yield (
            line,
            name,
            f"{mine.seconds:g}",
            _cost(mine, instance),
            *(_cost(results.get(peer), instance) for peer in PEERS),
            MISSING if instance.best_known is None else f"{instance.best_known:,.2f}",
            MISSING if above is None else f"{above:.2f} %",
            MISSING if share is None else f"{share:.4f}",
            str(mine.left_out),
            f"{mine.wall_s:.1f} s",
            MISSING if mine.peak_mib is None else f"{mine.peak_mib:,.0f} MiB",
        )


def _cost(result: Result | None, instance: Instance) -> str:
    if result is None:
        return MISSING
    if result.cost is None:
        return f"{MISSING} ({result.note})" if result.note else MISSING
    cost = f"{result.cost:,}" if instance.scale == 1 else f"{result.cost / instance.scale:,.2f}"
    return f"{cost} ({result.note})" if result.note else cost


# --- lines --------------------------------------------------------------------------------------------------------


def line_rows(
    line: Line, seconds: float, measured: Mapping[str, Results], instances: Mapping[str, Instance]
) -> Iterator[Row]:
    """The verdicts of a line; nothing when it has no results."""
    if not measured:
        return
    for target in line.targets:
        if target.against == BEST_KNOWN:
            yield _gap_row(line, target, seconds, measured, instances)
        else:
            yield _ratio_row(line, target, seconds, measured)
    mine = [results[OURS] for results in measured.values() if OURS in results]
    slowest = max(one.wall_s for one in mine)
    yield Row(
        name=f"{line.title}: longest wall", figure=slowest, unit="s", target=f"<= {seconds + GRACE_S:g} s",
        ok=slowest <= seconds + GRACE_S, peer="budget", peer_figure=seconds,
    )  # fmt: skip


def _named(line: Line, seconds: float, count: int) -> str:
    return f"{line.title}, {seconds:g} s, {count} instance{'' if count == 1 else 's'}"


def _ratio_row(line: Line, target: Target, seconds: float, measured: Mapping[str, Results]) -> Row:
    ratios = [one for one in (ratio(results, target.against) for results in measured.values()) if one is not None]
    mean = geometric_mean(ratios)
    title = PEERS[target.against].title if target.against in PEERS else target.against
    unanswered = any(OURS in results and results[OURS].cost is None for results in measured.values())
    return Row(
        name=_named(line, seconds, len(ratios)), figure=mean, unit=f"x {title}", places=4,
        target=f"<= {target.most:.3f} x {title}", ok=mean <= target.most and not unanswered,
    )  # fmt: skip


def _gap_row(
    line: Line, target: Target, seconds: float, measured: Mapping[str, Results], instances: Mapping[str, Instance]
) -> Row:
    def mean(planner: str) -> float | None:
        gaps = [gap(results.get(planner), instances[name]) for name, results in measured.items()]
        known = [one for one in gaps if one is not None]
        return statistics.fmean(known) if known else None

    # An instance without an answer of ours has no gap to count; it must not look like a good one.
    unanswered = any(OURS in results and results[OURS].cost is None for results in measured.values())
    figure, first = mean(OURS), next(iter(line.peers), None)
    return Row(
        name=f"{_named(line, seconds, len(measured))}: mean gap to best known",
        figure=math.nan if figure is None else figure, unit="%", places=2, target=f"<= {shown(target.most)} %",
        ok=figure is not None and figure <= target.most and not unanswered,
        peer="" if first is None else PEERS[first].title, peer_figure=None if first is None else mean(first),
    )  # fmt: skip


# --- our own speed ------------------------------------------------------------------------------------------------


def speed_rows(speed: Speed, seconds: float, measured: Mapping[str, Results]) -> Iterator[Row]:
    """The verdicts on first plans, or on the largest day."""
    found = {int(name.split("-")[1]): result for name, results in measured.items() for result in results.values()}
    if speed.workers:
        for result in found.values():
            yield from _largest_day(result, seconds)
        return
    for size, limit_s in FIRST_S.items():
        if size in found:
            wall_s = found[size].wall_s
            yield Row(
                name=f"first checked plan, {size:,} stops, start-up included", figure=wall_s, unit="s",
                target=f"<= {limit_s:g} s", ok=wall_s <= limit_s and found[size].cost is not None,
            )  # fmt: skip
    points = sorted((size, one.search_s) for size, one in found.items() if one.search_s)
    if len(points) >= 2:
        slope = exponent(points)
        yield Row(
            name=f"time to first plan, {points[0][0]:,} to {points[-1][0]:,} stops, start-up left out", figure=slope,
            unit="th power of n", places=2, target=f"<= {EXPONENT}",
            ok=slope <= EXPONENT and all(one.cost is not None for one in found.values()),
        )  # fmt: skip


def _largest_day(result: Result, seconds: float) -> Iterator[Row]:
    if result.peak_mib is not None:
        yield Row(
            name="10,000 stops: memory of all processes", figure=result.peak_mib, unit="MiB",
            target=f"<= {DAY_MIB:,.0f} MiB", ok=result.peak_mib <= DAY_MIB,
        )  # fmt: skip
    first = result.trace[0][1] if result.trace else None
    share = result.cost / first if result.cost is not None and first else math.nan
    yield Row(
        name=f"10,000 stops, {seconds:g} s: cost over the first plan's", figure=share, unit="", places=4,
        target=f"<= {DAY_RATIO}", ok=share <= DAY_RATIO,
    )  # fmt: skip
    yield Row(
        name=f"10,000 stops, {seconds:g} s: wall", figure=result.wall_s, unit="s", target=f"<= {seconds + GRACE_S:g} s",
        ok=result.wall_s <= seconds + GRACE_S, peer="budget", peer_figure=seconds,
    )  # fmt: skip
