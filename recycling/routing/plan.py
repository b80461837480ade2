"""The planner's answer: routes with their steps, what was left out and why, and its JSON form ``recycling.plan/1``."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from recycling.routing import fields as read

FORMAT = "recycling.plan/1"

StepKind = Literal["start", "pickup", "break", "unload", "end"]
Reason = Literal["missing_skill", "over_capacity", "outside_windows", "fleet_full", "invalid"]
STEP_KINDS: tuple[StepKind, ...] = ("start", "pickup", "break", "unload", "end")
REASONS: tuple[Reason, ...] = ("missing_skill", "over_capacity", "outside_windows", "fleet_full", "invalid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing a vehicle does: in ``start_s…end_s`` at ``location``, having arrived at ``arrival_s``.

    Parameters
    ----------
    stop
        Key of the stop for a pickup, else ``None``.
    station
        Key of the station for an unload and for the end, else ``None``.
    load
        Load on board when the step ends, one amount per load unit.
    """

    kind: StepKind
    location: int
    arrival_s: int
    start_s: int
    end_s: int
    load: tuple[int, ...]
    stop: str | None = None
    station: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """All steps of one vehicle, from ``start`` to ``end``."""

    vehicle: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unassigned:
    """A stop left out: a coded reason, a sentence, and the smallest change found that would let it in."""

    stop: str
    reason: Reason
    detail: str
    cheapest_fix: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a plan costs, part by part; ``total`` is their sum."""

    total: int
    fixed: int
    travel: int
    distance: int
    overtime: int
    preferences: int
    skipped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How the plan was found: wall seconds, what each engine contributed, seed, proven lower bound if any."""

    seconds: float
    engines: Mapping[str, int] = field(default_factory=dict)
    seed: int | None = None
    lower_bound: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The day's routes and the stops left out."""

    cost: Cost
    routes: tuple[Route, ...]
    unassigned: tuple[Unassigned, ...]
    search: Search


NO_COST = Cost(total=0, fixed=0, travel=0, distance=0, overtime=0, preferences=0, skipped=0)
COST_PARTS = ("total", "fixed", "travel", "distance", "overtime", "preferences", "skipped")


def load_plan(path: Path) -> Plan:
    """Read a plan file, gzipped when its name ends in ``.gz``.

    Raises
    ------
    InvalidProblem
        When the file cannot be read or breaks the format.
    """
    return plan_from_json(read.json_file(path))


def save_plan(plan: Plan, path: Path) -> None:
    """Write a plan file, gzipped when its name ends in ``.gz``."""
    text = json.dumps(plan_to_json(plan), ensure_ascii=False, separators=(",", ":"))
    path.write_bytes(gzip.compress(text.encode(), mtime=0) if path.suffix == ".gz" else text.encode())


def plan_from_json(raw: Any) -> Plan:
    """Build a plan from decoded JSON. Only the form is read here; whether it keeps the rules is for `check.py`.

    Raises
    ------
    InvalidProblem
        Naming the first field that is missing, unknown or of a wrong type.
    """
    top = read.keys("plan", raw, "format", "cost", "routes", "unassigned", "search")
    if top["format"] != FORMAT:
        read.refuse("format", top["format"], f"{FORMAT!r}, which this checker reads")
    cost = read.keys("cost", top["cost"], *COST_PARTS)
    search = read.keys("search", top["search"], "seconds", "engines", "seed", "lower_bound")
    engines = read.mapping("search.engines", search["engines"])
    return Plan(
        cost=Cost(**{part: read.total(f"cost.{part}", cost[part]) for part in COST_PARTS}),
        routes=tuple(_route(i, r) for i, r in enumerate(read.items("routes", top["routes"]))),
        unassigned=tuple(_unassigned(i, u) for i, u in enumerate(read.items("unassigned", top["unassigned"]))),
        search=Search(
            seconds=read.number("search.seconds", search["seconds"]),
            engines={name: read.count(f"search.engines.{name}", n) for name, n in engines.items()},
            seed=_maybe("search.seed", search["seed"]),
            lower_bound=_maybe("search.lower_bound", search["lower_bound"]),
        ),
    )


def _maybe(name: str, value: Any) -> int | None:
    return None if value is None else read.total(name, value)


def _route(index: int, raw: Any) -> Route:
    at = f"routes[{index}]"
    r = read.keys(at, raw, "vehicle", "steps")
    return Route(
        vehicle=read.text(f"{at}.vehicle", r["vehicle"]),
        steps=tuple(_step(f"{at}.steps[{i}]", s) for i, s in enumerate(read.items(f"{at}.steps", r["steps"]))),
    )


def _step(at: str, raw: Any) -> Step:
    kind = raw.get("kind") if isinstance(raw, dict) else None
    if kind not in STEP_KINDS:
        read.refuse(f"{at}.kind", kind, f"one of {', '.join(STEP_KINDS)}")
    named = {"pickup": "stop", "unload": "station", "end": "station"}.get(kind)
    extra = () if named is None else (named,)
    s = read.keys(at, raw, "kind", *extra, "location", "arrival_s", "start_s", "end_s", "load")
    return Step(
        kind=kind,
        location=read.count(f"{at}.location", s["location"]),
        arrival_s=read.total(f"{at}.arrival_s", s["arrival_s"]),
        start_s=read.total(f"{at}.start_s", s["start_s"]),
        end_s=read.total(f"{at}.end_s", s["end_s"]),
        load=read.counts(f"{at}.load", s["load"]),
        stop=read.text(f"{at}.stop", s["stop"]) if named == "stop" else None,
        station=read.text(f"{at}.station", s["station"]) if named == "station" else None,
    )


def _unassigned(index: int, raw: Any) -> Unassigned:
    at = f"unassigned[{index}]"
    u = read.keys(at, raw, "stop", "reason", "detail", "cheapest_fix")
    if u["reason"] not in REASONS:
        read.refuse(f"{at}.reason", u["reason"], f"one of {', '.join(REASONS)}")
    fix = None if u["cheapest_fix"] is None else read.mapping(f"{at}.cheapest_fix", u["cheapest_fix"])
    if not isinstance(u["detail"], str):
        read.refuse(f"{at}.detail", u["detail"], "a text")
    return Unassigned(stop=read.text(f"{at}.stop", u["stop"]), reason=u["reason"], detail=u["detail"], cheapest_fix=fix)


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """The plan as JSON-ready values; reading them back gives an equal plan."""
    return {
        "format": FORMAT,
        "cost": {part: getattr(plan.cost, part) for part in COST_PARTS},
        "routes": [{"vehicle": r.vehicle, "steps": [_step_json(s) for s in r.steps]} for r in plan.routes],
        "unassigned": [
            {
                "stop": u.stop,
                "reason": u.reason,
                "detail": u.detail,
                "cheapest_fix": None if u.cheapest_fix is None else dict(u.cheapest_fix),
            }
            for u in plan.unassigned
        ],
        "search": {
            "seconds": plan.search.seconds,
            "engines": dict(plan.search.engines),
            "seed": plan.search.seed,
            "lower_bound": plan.search.lower_bound,
        },
    }


def _step_json(step: Step) -> dict[str, Any]:
    named = {"stop": step.stop} if step.kind == "pickup" else {}
    if step.kind in ("unload", "end"):
        named = {"station": step.station}
    return {
        "kind": step.kind,
        **named,
        "location": step.location,
        "arrival_s": step.arrival_s,
        "start_s": step.start_s,
        "end_s": step.end_s,
        "load": list(step.load),
    }
