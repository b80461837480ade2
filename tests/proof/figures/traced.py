"""Which ticket lines count, by a query of its own: it shares neither code nor rule with the one that makes figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

# The product asks of each ticket whether a correction stands in its way, and takes off what adjustments name. Here the
# tickets of a chain are put in sequence instead: of those that count on one day only the newest stays, and each takes
# off the one that stayed before it, on its own day. `counters_id` is not looked at.
TRACED = """
WITH RECURSIVE chain(id, root) AS (
    SELECT id, id FROM intake_ticket WHERE corrects_id IS NULL
    UNION ALL SELECT t.id, c.root FROM intake_ticket t JOIN chain c ON t.corrects_id = c.id
), ranked AS (
    SELECT t.id, c.root, t.counts_on, t.station_key,
           ROW_NUMBER() OVER (PARTITION BY c.root, t.counts_on ORDER BY t.number DESC) AS place
    FROM chain c JOIN intake_ticket t ON t.id = c.id
), stays AS (
    SELECT id, counts_on, station_key, LAG(id) OVER (PARTITION BY root ORDER BY counts_on) AS before
    FROM ranked WHERE place = 1
), signed AS (
    SELECT id, counts_on, station_key, 1 AS sign FROM stays
    UNION ALL SELECT before, counts_on, station_key, -1 FROM stays WHERE before IS NOT NULL
)
SELECT CAST(s.counts_on AS VARCHAR(10)), s.station_key, l.town_key, l.item_type, s.sign * l.units, s.sign * l.net_g
FROM signed s JOIN intake_line l ON l.ticket_id = s.id
"""


class Line(NamedTuple):
    """One line with its sign, on the day on which it counts."""

    day: str
    station_key: str
    town_key: str
    item_type: str
    units: int
    grams: int


def traced_lines(session: Session) -> list[Line]:
    """Every line that counts, and once more below zero where an adjustment takes it off."""
    found = [Line(*row) for row in session.execute(text(TRACED))]
    session.rollback()
    return found


Sums = dict[Any, tuple[int, int]]


def sums(lines: Iterable[Line], key: Callable[[Line], str]) -> Sums:
    """Units and grams by one thing; what comes to nothing is left out."""
    units: Counter[str] = Counter()
    grams: Counter[str] = Counter()
    for line in lines:
        units[key(line)] += line.units
        grams[key(line)] += line.grams
    return {one: (units[one], grams[one]) for one in units if units[one] or grams[one]}


def apart(reported: Sums, traced: Sums) -> int:
    """Under how many keys the two do not say the same."""
    return sum(reported.get(key, NOTHING) != traced.get(key, NOTHING) for key in reported.keys() | traced.keys())


def difference(reported: Sums, traced: Sums) -> int:
    """Units and grams by which the two are apart, all keys together."""
    return sum(
        abs(here - there)
        for key in reported.keys() | traced.keys()
        for here, there in zip(reported.get(key, NOTHING), traced.get(key, NOTHING), strict=True)
    )


NOTHING = (0, 0)


def in_span(lines: Iterable[Line], first: date, last: date) -> list[Line]:
    """The lines that count within a span of days, both included."""
    return [line for line in lines if str(first) <= line.day <= str(last)]
