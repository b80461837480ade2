"""Progress towards the year's goal: integers in, integers out, and no percentage without a confirmed baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from recycling.policy.checks import BP, check_known, check_range
from recycling.policy.scope import Baseline, Goal, GoalBook, Scope, WeighProvenance
from recycling.policy.service_calendar import ServiceCalendar

# Stands wherever progress would.
NO_GOAL = "本年度无政策目标 / no goal for this year"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What was recovered in one scope from 1 January up to and including a day.

    Below zero when, early in a year, dated adjustments of the year before take off more than has come in.

    Parameters
    ----------
    units
        Accepted pieces.
    mass_by_provenance_g
        Accepted net grams by where the mass comes from; a missing source means 0.
    """

    units: int
    mass_by_provenance_g: Mapping[WeighProvenance, int]

    @property
    def mass_g(self) -> int:
        """Grams from all sources together."""
        return sum(self.mass_by_provenance_g.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenanceShare:
    """One rung of the provenance ladder: grams, and their share of the total in basis points, rounded down.

    ``share_bp`` is ``None`` when nothing was recovered, or less.
    """

    provenance: WeighProvenance
    mass_g: int
    share_bp: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Progress in one unit, pieces or grams, against a confirmed baseline.

    Parameters
    ----------
    recovered, baseline, target
        Year to date, base year, and what the whole year must reach.
    progress_bp
        ``recovered / target``, rounded down.
    pace_bp
        ``recovered / (target x elapsed share of the year)``, rounded down; 10000 is exactly on pace.
    missing
        What is still to come; 0 once the target is reached.
    needed_per_day, needed_per_working_day
        ``missing`` over the days left after this one, rounded up; ``None`` when something is missing and no such day is
        left.
    """

    recovered: int
    baseline: int
    target: int
    progress_bp: int
    pace_bp: int
    missing: int
    needed_per_day: int | None
    needed_per_working_day: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalProgress:
    """Where one scope stands at the end of a local day.

    Parameters
    ----------
    recovered, shares
        Year to date, and its mass by provenance, best source first.
    elapsed_days, year_days
        Days of the calendar year (Asia/Shanghai) gone, this one included, and in all.
    remaining_days, remaining_working_days
        Days left after this one.
    working_days_provisional
        Whether the year's swap days are unknown, so that ``remaining_working_days`` may change.
    goal
        The year's goal or milestone, or ``None`` when nobody has set one.
    baseline
        The baseline it is measured against, confirmed or not, or ``None`` when there is none.
    units, mass
        Progress in pieces and in grams; both ``None`` without a goal or without a confirmed baseline.
    labels
        Words that must stand beside the figures wherever they are shown.
    """

    day: date
    scope: Scope
    recovered: Recovered
    shares: tuple[ProvenanceShare, ...]
    elapsed_days: int
    year_days: int
    remaining_days: int
    remaining_working_days: int
    working_days_provisional: bool
    goal: Goal | None
    baseline: Baseline | None
    units: Measure | None
    mass: Measure | None
    labels: tuple[str, ...]

    @property
    def elapsed_bp(self) -> int:
        """Elapsed share of the year in basis points, rounded down."""
        return self.elapsed_days * BP // self.year_days

    @property
    def weighed_share_bp(self) -> int | None:
        """Share of the mass that stood on a scale, in basis points; ``None`` when nothing was recovered."""
        return self.shares[0].share_bp

    @property
    def baseline_state(self) -> str:
        """``confirmed``, ``provisional``, or ``absent`` when there is no baseline at all."""
        return self.baseline.state if self.baseline is not None else "absent"


def target_of(baseline: int, *, increase_bp: int) -> int:
    """Raise a baseline by basis points, rounded up to a whole unit.

    Parameters
    ----------
    baseline
        Pieces or grams of the base year, at least 1.
    increase_bp
        1500 for +15 %.

    Raises
    ------
    ValueError
        When the baseline is below 1.
    """
    check_range("baseline", baseline, least=1)
    return -(-baseline * (BP + increase_bp) // BP)


def goal_progress(
    day: date, *, scope: Scope, recovered: Recovered, goals: GoalBook, calendar: ServiceCalendar
) -> GoalProgress:
    """Judge a scope at the end of a local day against the goal of that day's calendar year.

    Parameters
    ----------
    day
        Last local day counted in ``recovered``.
    scope
        What the figures cover; the baseline must be measured in the same version.
    recovered
        Year to date, 1 January to ``day``.
    goals
        Goals and baselines in all versions.
    calendar
        For the working days left.

    Returns
    -------
    GoalProgress
        Without target, percentage and pace while the baseline is not confirmed.

    Raises
    ------
    ValueError
        When mass comes from a source that the scope does not admit.

    Notes
    -----
    Our reading of 薛政发〔2024〕5号: the recovered volume of the calendar year against the calendar year 2023, because
    the notice says 累计 where it means cumulative.
    """
    check_known("provenance", set(recovered.mass_by_provenance_g), frozenset(scope.provenance))
    new_year, new_years_eve = date(day.year, 1, 1), date(day.year, 12, 31)
    elapsed_days = (day - new_year).days + 1
    year_days = (new_years_eve - new_year).days + 1
    remaining_days = year_days - elapsed_days
    # The day itself is over, so working days are counted up to the end of the year and its own taken off.
    remaining_working_days = calendar.working_days_between(day, new_years_eve) - calendar.is_working_day(day)
    goal = goals.goal(scope, year=day.year)
    baseline = goals.baseline(scope, year=goal.baseline_year) if goal is not None else None

    def measure(figure: int, base: int, increase_bp: int) -> Measure:
        target = target_of(base, increase_bp=increase_bp)
        missing = max(0, target - figure)
        return Measure(
            recovered=figure,
            baseline=base,
            target=target,
            progress_bp=figure * BP // target,
            pace_bp=figure * year_days * BP // (target * elapsed_days),
            missing=missing,
            needed_per_day=_per_day(missing, remaining_days),
            needed_per_working_day=_per_day(missing, remaining_working_days),
        )

    units = mass = None
    if goal is not None and baseline is not None and baseline.confirmed:
        units = measure(recovered.units, baseline.units, goal.increase_bp)
        mass = measure(recovered.mass_g, baseline.mass_g, goal.increase_bp)
    return GoalProgress(
        day=day,
        scope=scope,
        recovered=recovered,
        shares=_shares(recovered),
        elapsed_days=elapsed_days,
        year_days=year_days,
        remaining_days=remaining_days,
        remaining_working_days=remaining_working_days,
        working_days_provisional=calendar.is_provisional(day.year),
        goal=goal,
        baseline=baseline,
        units=units,
        mass=mass,
        labels=_labels(goal, baseline),
    )


def _per_day(missing: int, days: int) -> int | None:
    if not missing:
        return 0
    return -(-missing // days) if days else None


def _shares(recovered: Recovered) -> tuple[ProvenanceShare, ...]:
    total_g = recovered.mass_g
    shares = []
    for provenance in WeighProvenance:
        mass_g = recovered.mass_by_provenance_g.get(provenance, 0)
        share_bp = mass_g * BP // total_g if total_g > 0 else None
        shares.append(ProvenanceShare(provenance=provenance, mass_g=mass_g, share_bp=share_bp))
    return tuple(shares)


def _labels(goal: Goal | None, baseline: Baseline | None) -> tuple[str, ...]:
    if goal is None:
        return (NO_GOAL,)
    if baseline is None:
        return tuple(filter(None, ("基准未确认（无基准） / baseline not confirmed (none recorded)", goal.label)))
    return tuple(filter(None, (baseline.label, baseline.marker, goal.label)))
