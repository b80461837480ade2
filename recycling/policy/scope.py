"""What a figure covers (口径), what is aimed at (目标) and what it is measured against (基准)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from recycling.policy.catalogue import GROUPS
from recycling.policy.checks import check_known, check_range


class WeighProvenance(StrEnum):
    """Where a mass comes from, best first (计重来源)."""

    WEIGHED = "weighed"
    STATION_CLASS_AVERAGE = "station_class_average"
    TYPE_TABLE = "type_table"
    NATIONAL_MEAN = "national_mean"


PROVISIONAL = "provisional"
CONFIRMED = "confirmed"
BASELINE_STATES = frozenset({PROVISIONAL, CONFIRMED})

POLICY_GOAL = "policy"
INTERPOLATION = "interpolation"
GOAL_KINDS = frozenset({POLICY_GOAL, INTERPOLATION})

COUNTING_EVENTS = frozenset({"doorstep", "station_weigh_in", "handed_to_processor"})
GIVERS = frozenset({"household", "enterprise", "public_body"})
UNITS = frozenset({"units", "mass"})  # what a figure is counted in: pieces (台) or kilograms
CHANNELS = frozenset({"door", "bin", "walk_in", "trade_in", "pool"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The statistical scope (口径) attached to every figure; a change is a new version, never an edit.

    Parameters
    ----------
    groups
        Catalogue groups that count.
    givers, channels
        Whose goods count, and by which ways they come.
    counting_event
        The moment at which one item counts, once.
    area
        Keys of the town-level units whose goods count.
    unit
        ``units`` for pieces (台), ``mass`` for kilograms: what a goal of this scope is counted in. Both are kept.
    period
        What one figure sums over, with its time zone.
    stripped_items
        How goods with missing parts are treated.
    provenance
        Sources of mass that are allowed in.
    """

    key: str
    version: int
    name_zh: str
    name_en: str
    groups: tuple[str, ...]
    givers: tuple[str, ...]
    channels: tuple[str, ...]
    counting_event: str
    area: tuple[str, ...]
    unit: str
    period: str
    stripped_items: str
    provenance: tuple[str, ...]
    note_zh: str
    note_en: str

    def __post_init__(self) -> None:
        check_range("version", self.version, least=1)
        for name, allowed in (("groups", GROUPS), ("givers", GIVERS), ("channels", CHANNELS)):
            if not getattr(self, name):
                raise ValueError(f"{name} is empty, so nothing would count")
            check_known(name, set(getattr(self, name)), allowed)
        check_known("unit", {self.unit}, UNITS)
        check_known("counting_event", {self.counting_event}, COUNTING_EVENTS)
        check_known("provenance", set(self.provenance), frozenset(WeighProvenance))

    @property
    def label(self) -> str:
        """Key and version in one word, e.g. ``household-appliances/1``."""
        return f"{self.key}/{self.version}"

    def covers(self, group: str) -> bool:
        """Tell whether item types of a catalogue group count."""
        return group in self.groups


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """An increase to reach in a calendar year against the baseline year.

    Parameters
    ----------
    year
        Calendar year, Asia/Shanghai, whose recovered volume is measured.
    baseline_year
        Year it is measured against.
    increase_bp
        Wanted increase in basis points; 1500 is +15 %.
    kind
        ``policy`` when a document sets it, ``interpolation`` for our milestones between such goals.
    source
        Document and clause, or how the milestone was derived.
    """

    key: str
    scope_key: str
    year: int
    baseline_year: int
    increase_bp: int
    kind: str
    source: str

    def __post_init__(self) -> None:
        check_known("kind", {self.kind}, GOAL_KINDS)
        check_range("baseline_year", self.baseline_year, least=2000, most=2100)
        check_range("year", self.year, least=self.baseline_year + 1, most=2100)
        check_range("increase_bp", self.increase_bp, least=0, most=1_000_000)

    @property
    def label(self) -> str:
        """Words that stand beside the goal on every screen and export; empty for a goal set by policy."""
        return "插值, 非政策目标 / interpolated, not a policy goal" if self.kind == INTERPOLATION else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The recovered volume of the base year, in both units; a restatement is a new version.

    Parameters
    ----------
    state
        ``provisional`` until the bureau confirms it; no percentage is computed before that.
    units, mass_g
        Recovered units and grams of the year.
    source_document, confirmed_by, confirmed_on
        Needed once the state is ``confirmed``.
    marker
        Words that show a placeholder for what it is; empty for a real figure.
    """

    scope_key: str
    scope_version: int
    year: int
    version: int
    state: str
    units: int
    mass_g: int
    marker: str = ""
    source_document: str = ""
    confirmed_by: str = ""
    confirmed_on: date | None = None

    def __post_init__(self) -> None:
        check_range("version", self.version, least=1)
        check_range("year", self.year, least=2000, most=2100)
        check_range("units", self.units, least=1)
        check_range("mass_g", self.mass_g, least=1)
        check_known("state", {self.state}, BASELINE_STATES)
        if self.confirmed and not (self.source_document and self.confirmed_by and self.confirmed_on):
            raise ValueError("a confirmed baseline needs source_document, confirmed_by and confirmed_on")
        if self.confirmed and self.marker:
            raise ValueError(f"marker = {self.marker!r} says the baseline is made up; it cannot be confirmed as well")

    @property
    def confirmed(self) -> bool:
        """Whether the bureau has confirmed the figure."""
        return self.state == CONFIRMED

    @property
    def label(self) -> str:
        """Words that stand beside every figure drawn from it; empty once it is confirmed."""
        return "" if self.confirmed else "基准未确认 / baseline not confirmed"


@dataclass(frozen=True, slots=True)
class GoalBook:
    """All scopes, goals and baselines in all their versions.

    Raises
    ------
    ValueError
        When a version appears twice, or a goal or baseline names a scope that is not there.
    """

    scopes: tuple[Scope, ...]
    goals: tuple[Goal, ...]
    baselines: tuple[Baseline, ...]

    def __post_init__(self) -> None:
        _refuse_twice("scope", [scope.label for scope in self.scopes])
        _refuse_twice("goal", [goal.key for goal in self.goals])
        _refuse_twice("goal of scope and year", [f"{goal.scope_key} {goal.year}" for goal in self.goals])
        _refuse_twice("baseline", [f"{base.scope_key} {base.year} version {base.version}" for base in self.baselines])
        keys = {scope.key for scope in self.scopes}
        labels = {scope.label for scope in self.scopes}
        for goal in self.goals:
            if goal.scope_key not in keys:
                raise ValueError(f"goal {goal.key!r} names scope {goal.scope_key!r}, which is not defined")
        for base in self.baselines:
            if f"{base.scope_key}/{base.scope_version}" not in labels:
                wanted = f"{base.scope_key}/{base.scope_version}"
                raise ValueError(f"the baseline of {base.year} names scope {wanted!r}, which is not defined")

    def current_scopes(self) -> tuple[Scope, ...]:
        """The newest version of every scope, in the order of the file."""
        newest: dict[str, Scope] = {}
        for scope in self.scopes:
            if scope.key not in newest or scope.version > newest[scope.key].version:
                newest[scope.key] = scope
        return tuple(newest.values())

    def goal(self, scope: Scope, *, year: int) -> Goal | None:
        """The goal of a scope for a calendar year, or ``None`` when nobody has set one."""
        return next((goal for goal in self.goals if goal.scope_key == scope.key and goal.year == year), None)

    def baseline(self, scope: Scope, *, year: int) -> Baseline | None:
        """The newest baseline of a base year measured in exactly this version of the scope."""
        fitting = [
            base
            for base in self.baselines
            if (base.scope_key, base.scope_version, base.year) == (scope.key, scope.version, year)
        ]
        return max(fitting, key=lambda base: base.version, default=None)


def _refuse_twice(what: str, labels: list[str]) -> None:
    for label in labels:
        if labels.count(label) > 1:
            raise ValueError(f"{what} {label!r} is defined twice")
