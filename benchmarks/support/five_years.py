"""Five years of tickets made up inside PostgreSQL, set by set: what the speed of figures is measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import psycopg

from recycling.policy.district import District

FIRST, LAST = date(2022, 1, 1), date(2026, 12, 31)
DAYS = (LAST - FIRST).days + 1
A_TICKET = 5  # lines on average: 1 + n % 9
# Ticket n corrects the one before it on its scale, or takes off again one of at least forty days before, where the span
# reaches that far. The numbers fit: what is corrected is no correction, and what is countered is neither.
CORRECTS, COUNTERS, COUNTERED, DAYS_BEFORE = (200, 150), (1000, 333), 303, 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Tickets ``first`` to ``last``, the last one not included, of ``of`` that are spread evenly over all days."""

    first: int
    last: int
    of: int


def tickets_for(lines: int) -> int:
    """How many tickets hold so many lines, in whole rounds of corrections and adjustments."""
    return max(1, round(lines / A_TICKET / 1000)) * 1000


def load(url: str, span: Span, *, district: District) -> None:
    """Write tickets and lines of a span, with their scales and closed months, into a migrated database.

    Numbers run without a gap and masses add up; some correct and some adjust others. Lines from a door name no
    booking, as there are none, and macs are made up: nothing that is measured here reads either of them.
    """
    stations = sorted(district.network.stations)
    items = sorted(kind.key for kind in district.catalogue.valid_on(LAST))
    back = (DAYS_BEFORE * span.of // DAYS // 1000 + 1) * 1000 + COUNTERS[1] - COUNTERED
    values = {
        "first": span.first, "last": span.last, "of": span.of, "days": DAYS, "begin": FIRST, "stations": stations,
        "items": items, "back": back,
    }  # fmt: skip
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as server:
        # Checks of foreign keys alone would take longer than all that is measured; the keys are right by making.
        server.execute("SET session_replication_role = replica")
        # With the keys of other tables that lead to it: they are empty, and the database is thrown away.
        server.execute("ALTER TABLE intake_line DROP CONSTRAINT pk_intake_line CASCADE")
        server.execute("DROP INDEX ix_intake_line_booking_id")
        for statement in (TICKETS, LINES):
            server.execute(statement, values)
        server.execute("ALTER TABLE intake_line ADD CONSTRAINT pk_intake_line PRIMARY KEY (ticket_id, position)")
        server.execute("CREATE INDEX ix_intake_line_booking_id ON intake_line (booking_id)")
        server.execute(SCALES)
        server.execute(CLOSED, {"begin": FIRST, "end": LAST.replace(day=1) - timedelta(days=1)})
    tidy(url, ("intake_ticket", "intake_line"))


def tidy(url: str, tables: Sequence[str]) -> None:
    """Let the server see what was written, as it does by itself after a while."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as server:
        for table in tables:
            server.execute(f"VACUUM ANALYZE {table}".encode())


_ID = "md5('t' || {n})::uuid"
_DAY = "(%(begin)s::date + ({n} * %(days)s / %(of)s)::int)"
_MASS = "(500 + ({n} * 7919 + pos * 104729) %% 50000)"
# Some number of a ticket or line, without a pattern that shows: the rest of a large product.
_CHANCE = "((({n}) * 2654435761 >> 9) %% 100)"
_CORRECTS = "(n %% {0} = {1} AND n >= %(first)s::bigint + 10)"
_COUNTERS = "(n %% {0} = {1} AND n >= %(first)s::bigint + %(back)s)"
_WORDS = {
    "id": _ID.format(n="n"),
    "day": _DAY.format(n="n"),
    "mass": _MASS.format(n="n"),
    "corrects": _CORRECTS.format(*CORRECTS),
    "counters": _COUNTERS.format(*COUNTERS),
    "before_id": _ID.format(n="(n - 10)"),
    "before_day": _DAY.format(n="(n - 10)"),
    "back_id": _ID.format(n="(n - %(back)s::bigint)"),
    "back_day": _DAY.format(n="(n - %(back)s::bigint)"),
    "chance": _CHANCE.format(n="n"),
    "line_chance": _CHANCE.format(n="n * 31 + pos * 17"),
    "item_chance": _CHANCE.format(n="n * 7 + pos * 1009"),
}

TICKETS = """
INSERT INTO intake_ticket (
    id, station_key, scale_number, number, channel, day, counts_on, gross_g, tare_g, net_g, refused_g, keeper_id,
    weighed_at, recorded_at, corrects_id, counters_id, correction_reason, made_up, mac)
SELECT {id}, (%(stations)s::text[])[1 + n %% 10], '1', n / 10 + 1,
    CASE WHEN {chance} < 70 THEN 'door' WHEN {chance} < 88 THEN 'walk_in' WHEN {chance} < 92 THEN 'bin'
         WHEN {chance} < 96 THEN 'trade_in' ELSE 'pool' END,
    CASE WHEN {corrects} THEN {before_day} WHEN {counters} THEN {back_day} ELSE {day} END,
    CASE WHEN {corrects} THEN {before_day} ELSE {day} END,
    10000 + net_g, 10000, net_g, 0, md5('keeper')::uuid, {day}::timestamp AT TIME ZONE 'UTC' + interval '4 hours',
    {day}::timestamp AT TIME ZONE 'UTC' + interval '4 hours',
    CASE WHEN {corrects} THEN {before_id} WHEN {counters} THEN {back_id} END,
    CASE WHEN {counters} THEN {back_id} END,
    CASE WHEN {corrects} OR {counters} THEN 'made up' END, false, sha256(n::text::bytea)
FROM generate_series(%(first)s::bigint, %(last)s::bigint - 1) n,
    LATERAL (SELECT sum({mass}) AS net_g FROM generate_series(1, 1 + n %% 9) pos) lines
ORDER BY n
""".format(**_WORDS).encode()  # constants of this file

# A fifth of the door lines come from the next town-level unit; common item types are many times as common as others.
LINES = """
INSERT INTO intake_line (ticket_id, position, item_type, units, net_g, provenance, missing_parts, town_key)
SELECT {id}, pos - 1, (%(items)s::text[])[1 + {item_chance} * {item_chance} * cardinality(%(items)s::text[]) / 10000],
    1 + (n + pos) %% 2, {mass},
    CASE WHEN {line_chance} < 60 THEN 'weighed' WHEN {line_chance} < 85 THEN 'station_class_average'
         ELSE 'type_table' END,
    0, (%(stations)s::text[])[1 + (n + CASE WHEN {chance} < 14 THEN 1 ELSE 0 END) %% 10]
FROM generate_series(%(first)s::bigint, %(last)s::bigint - 1) n, generate_series(1, 1 + n %% 9) pos
""".format(**_WORDS).encode()  # constants of this file

SCALES = """
INSERT INTO scale (station_key, scale_number, last_number, last_mac)
SELECT DISTINCT ON (station_key, scale_number) station_key, scale_number, number, mac FROM intake_ticket
ORDER BY station_key, scale_number, number DESC
ON CONFLICT (station_key, scale_number) DO UPDATE SET last_number = excluded.last_number, last_mac = excluded.last_mac
"""

CLOSED = """
INSERT INTO closed_month (month, closed_at, closed_by_id)
SELECT month::date, now(), md5('clerk')::uuid
FROM generate_series(%(begin)s::date, %(end)s::date, interval '1 month') month
ON CONFLICT DO NOTHING
"""
