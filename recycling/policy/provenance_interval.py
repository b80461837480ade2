"""How sure a mass is (质量区间): a 95 % interval out of where its grams come from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isqrt

from recycling.policy.checks import BP, check_range
from recycling.policy.scope import WeighProvenance
from recycling.units import kg_text

_ROOT_SCALE = 1_000  # roots of sample sizes are taken to three decimals
Z_95_PERCENT = 196  # 1.96 standard deviations either way hold 95 % of a normal distribution


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightErrors:
    """What is assumed of the errors of masses.

    Parameters
    ----------
    division_g
        Scale division, grams; a reading is rounded to it.
    type_table_bp
        Standard deviation of the type table's unit mass from the true mean of the type, as a share of it.
    spread_bp
        Standard deviation of single units about the mean of their type, as a share of it.

    Raises
    ------
    ValueError
        When one of them is out of range.
    """

    division_g: int
    type_table_bp: int
    spread_bp: int
    source: str

    def __post_init__(self) -> None:
        check_range("division_g", self.division_g, least=0, most=100_000)
        check_range("type_table_bp", self.type_table_bp, least=0, most=BP)
        check_range("spread_bp", self.spread_bp, least=0, most=2 * BP)


@dataclass(frozen=True, slots=True, kw_only=True)
class AverageError:
    """The errors of the class averages of an item type, as shares of the mean in basis points.

    Parameters
    ----------
    shared_bp
        Standard error of the mean, which all units put at it share.
    spread_bp
        Standard deviation of single units.
    """

    shared_bp: int
    spread_bp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MassPart:
    """Grams of one item type from one source; parts below zero are corrections of others.

    ``lines`` counts the ticket lines that the grams stand on.
    """

    item_type: str
    provenance: WeighProvenance
    units: int
    mass_g: int
    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MassInterval:
    """Grams between which the true mass lies 95 times in 100, both included."""

    low_g: int
    high_g: int

    @property
    def text(self) -> str:
        """The interval in words for people."""
        low, high = kg_text(self.low_g), kg_text(self.high_g)
        return (
            f"95 % 区间 {low} 至 {high}，按计重来源估计 / 95 % interval {low} to {high}, by where the weights come from"
        )


def average_error(*, mean_g: int, sd_g: int, lines: int) -> AverageError:
    """The errors of one class average, rounded up.

    Parameters
    ----------
    mean_g, sd_g
        Of single units, grams; ``mean_g`` >= 1.
    lines
        Weighings it is made of, >= 2. Not units: those of one weighing often are of one make.

    Notes
    -----
    A spread that was itself worked out from few weighings is a little too small as often as too large; the standard
    error is widened as Student's distribution is wider than the normal one, by 1 + (1.96² + 1) / 4 (lines - 1).
    """
    spread = -(-sd_g * BP // mean_g)
    free = 4 * (lines - 1)
    shared = -(-spread * _ROOT_SCALE * (free + 5) // (isqrt(lines * _ROOT_SCALE**2) * free))
    return AverageError(shared_bp=shared, spread_bp=spread)


def mass_interval(
    parts: Iterable[MassPart], *, errors: WeightErrors, averages: Mapping[str, AverageError]
) -> MassInterval:
    """The 95 % interval of the sum of parts.

    Parameters
    ----------
    parts
        Any number, several of one item type and source too.
    averages
        By item type; one that is missing is put at the errors of the type table.

    Returns
    -------
    MassInterval
        Nothing at all gives 0 to 0. ``low_g`` is below zero only where the sum itself is.

    Notes
    -----
    Errors of different item types are independent and add up in squares. Within an item type:

    * *weighed*: gross and tare are each rounded to the scale's division, uniform and independent line by line, so a
      line has variance 2 d²/12. Where that is more than the spread of the units themselves (a phone on a truck scale)
      the spread is taken: reading a scale never makes a mass less certain than not reading it.
    * *station class average* and *type table*: a share of the mean that all units have in common, the standard error
      of the average or the assumed error of the table, and the spread of single units. The shared errors of the two
      add up in full, not in squares; an average is put at no more than the table's error.

    A line without a reading is a share of a load that *was* weighed: what one line has too much its neighbours have
    too little, and a load within one scope is as sure as its scale. The model leaves that out, so the interval is too
    wide and never too narrow for it. It knows nothing of wrong readings, of a scale out of true or of tickets that are
    missing: those are the business of the mass balance and of calibration.

    Weighing a part of an item type's lines that are alike never widens the interval; nor does a class average in place
    of the table.
    """
    by_type: dict[str, list[MassPart]] = defaultdict(list)
    total_g = 0
    for part in parts:
        by_type[part.item_type].append(part)
        total_g += part.mass_g
    variance = sum(_variance(own, errors, averages.get(item_type)) for item_type, own in by_type.items())
    half_g = -(-_root_up(Z_95_PERCENT**2 * variance) // (100 * BP))
    low_g = total_g - half_g
    return MassInterval(low_g=low_g if total_g < 0 else max(0, low_g), high_g=total_g + half_g)


def _variance(parts: Iterable[MassPart], errors: WeightErrors, average: AverageError | None) -> int:
    """Variance of one item type, in grams squared times `BP` squared."""
    shared_bp = {"station_class_average": errors.type_table_bp}
    spread_bp = errors.spread_bp
    if average is not None:
        shared_bp["station_class_average"] = min(average.shared_bp, errors.type_table_bp)
        spread_bp = average.spread_bp
    shared = estimated_g = estimated_units = weighed_g = weighed_units = lines = 0
    for part in parts:
        # Figures taken off again had their errors too.
        mass_g, units = abs(part.mass_g), abs(part.units)
        if part.provenance == "weighed":
            weighed_g, weighed_units, lines = weighed_g + mass_g, weighed_units + units, lines + part.lines
        else:
            shared += shared_bp.get(part.provenance, errors.type_table_bp) * mass_g
            estimated_g, estimated_units = estimated_g + mass_g, estimated_units + units
    rounding = lines * errors.division_g**2 * BP**2 // 6
    return (
        shared**2
        + _spread(estimated_g, estimated_units, spread_bp)
        + min(rounding, _spread(weighed_g, weighed_units, spread_bp))
    )


def _spread(mass_g: int, units: int, spread_bp: int) -> int:
    """Variance of a sum of independent units of one mean; fewer units, the more the luck of each weighs."""
    return spread_bp**2 * mass_g**2 // max(units, 1)


def _root_up(square: int) -> int:
    root = isqrt(square)
    return root if root * root == square else root + 1
