"""Made-up monthly figures of the years before the first tickets, as the table that the bureau would upload."""

from __future__ import annotations

import csv
import io
import math
import random
from collections.abc import Iterator
from datetime import date

from recycling.cli.demo_day import MADE_UP, MIX, SEED
from recycling.models.recovery import month_after
from recycling.policy.district import District
from recycling.usecases.reporting.history_table import FIRST_MONTH

SOURCE = f"{MADE_UP}，虚构，非统计 / demo, made up, no statistic (seed {SEED})"
COLUMNS = ("month", "item_type", "town_unit", "units", "mass_kg", "source_document")

UNITS_A_MONTH = 270.0  # of the whole district at the start; the made-up tickets of the weeks before come to as many
GROWTH_A_YEAR = 0.06
SUMMER = ("ac-split", "ac-unit", "fan", "fridge")  # given away when people buy new ones, before and in the heat
SUMMER_SWING, OTHER_SWING = 0.35, 0.08
NOISE, MASS_NOISE = 0.18, 0.06  # of one figure, as shares


def made_up_history(district: District, *, until: date) -> str:
    """A CSV table of pieces and kilograms by month, item type and town unit, from 2022 to the month ``until``.

    The same for the same catalogue and network; each row names its source as made up. Months without a piece of an
    item type in a town unit have no row.
    """
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows(_rows(district, until))
    return out.getvalue()


def _rows(district: District, until: date) -> Iterator[tuple[str, ...]]:
    rng = random.Random(f"{SEED}:history")  # noqa: S311  # a demo wants the same years again, not secrecy
    towns = sorted(district.network.towns)
    share = {key: weight / sum(MIX.values()) / len(towns) for key, weight in MIX.items()}
    month, number = FIRST_MONTH, 0
    while month <= until:
        level = UNITS_A_MONTH * (1 + GROWTH_A_YEAR) ** (number / 12)
        for town in towns:
            for key in MIX:
                swing = SUMMER_SWING if key in SUMMER else OTHER_SWING
                season = 1 - swing * math.cos(2 * math.pi * (month.month - 1) / 12)
                units = round(level * share[key] * season * rng.lognormvariate(0, NOISE) + rng.random() - 0.5)
                unit_g = district.catalogue.latest(key).unit_mass_g * rng.gauss(1, MASS_NOISE)
                if units > 0:
                    yield f"{month:%Y-%m}", key, town, str(units), f"{units * unit_g / 1000:.1f}", SOURCE
        month, number = month_after(month), number + 1
