"""What a report is made of and what comes out (报告内容): the inputs as taken, and the body as their function."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy.orm import Session

from recycling.models.audit import HEAD, AuditHead
from recycling.policy.district import District
from recycling.policy.periods import Period, read_period
from recycling.policy.provenance_interval import AverageError
from recycling.policy.report_inputs import kept_district, pack_ground
from recycling.policy.scope import Scope, WeighProvenance
from recycling.units import kg_text
from recycling.usecases.queries.balances import held_between
from recycling.usecases.reporting.goal_progress import amounts, average_errors, counted, progress_of
from recycling.usecases.reporting.in_force import with_baselines
from recycling.usecases.reporting.outflow import outflow_by_kind
from recycling.usecases.reporting.program import program
from recycling.usecases.reporting.taken_in import (
    facts_of,
    lines_taken_in,
    made_up_lines,
    read_heads,
    tickets_digest,
)

FORM = 1  # of the inputs; a later form keeps reading this one
YEAR_KEYS = ("item_type", "town_key", "channel", "provenance")  # what decides whether a figure is in a scope
PERIOD_KEYS = (*YEAR_KEYS, "day", "station_key")
# What says when and by whom a report was made. Two reports that differ in nothing else are the same report.
CIRCUMSTANCES = frozenset({"taken_at", "heads", "audit_head", "program"})


def take_inputs(period: Period, last: date, *, district: District, session: Session, now: datetime) -> dict[str, Any]:
    """What a report of a period up to a day is made of, as JSON values: taken once, kept with it."""
    # First: whatever is read after it knows all these tickets, and those that come meanwhile are left out by number.
    heads = read_heads(session)
    audit_head = session.get(AuditHead, HEAD, populate_existing=True)
    found = tickets_digest(heads, period.first, last, session=session)
    new_year = date(last.year, 1, 1)
    averages = average_errors(last, session=session)
    return plain(
        {
            "form": FORM,
            "period": period.key,
            "first_day": period.first.isoformat(),
            "last_day": last.isoformat(),
            "taken_at": now.astimezone(UTC).isoformat(),
            "tickets": {"count": found.tickets, "sha256": found.sha256},
            "heads": heads,
            "audit_head": None
            if audit_head is None
            else {"number": audit_head.last_number, "mac": bytes(audit_head.last_mac).hex()},
            "program": program(),
            # No ticket tells these: they are kept as they stood.
            "averages": {item_type: asdict(error) for item_type, error in averages.items()},
            "held": held_between(new_year, last, session=session),
            "outflow": outflow_by_kind(new_year, last, session=session),
        }
        | pack_ground(with_baselines(district, session=session), last=last)
    )


def body_of(inputs: Mapping[str, Any], *, district: District, session: Session) -> dict[str, Any]:
    """What comes out of the inputs and the tickets that they name; today's configuration and clock have no say."""
    first, last = span_of(inputs)
    kept = kept_district(inputs, last=last, district=district)
    year = lines_taken_in(inputs["heads"], date(last.year, 1, 1), last)
    made_up = made_up_lines(year, session=session)
    facts = facts_of(year, *YEAR_KEYS, session=session)
    averages = {item_type: AverageError(**error) for item_type, error in inputs["averages"].items()}
    progress = progress_of(last, facts=facts, made_up=made_up, averages=averages, district=kept)
    lines = lines_taken_in(inputs["heads"], first, last)
    facts = facts_of(lines, *PERIOD_KEYS, session=session)
    (adjusted,) = facts_of(lines, session=session, where=[lines.c.adjusts])
    body = progress | {
        "period": inputs["period"],
        "kind": read_period(inputs["period"]).kind,
        "first_day": inputs["first_day"],
        "in_period": [_in_period(scope, facts, district=kept) for scope in kept.goals.current_scopes()],
        "adjustments": amounts([adjusted]) | {"ticket_lines": adjusted.ticket_lines},
        "held": inputs["held"],
        "outflow": inputs["outflow"],
        "made_up_tickets": len({line.id for line in (*made_up, *made_up_lines(lines, session=session))}),
    }
    return plain(body)


def span_of(inputs: Mapping[str, Any]) -> tuple[date, date]:
    """First and last day of a report."""
    return date.fromisoformat(inputs["first_day"]), date.fromisoformat(inputs["last_day"])


def substance(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs without what only says when and with which program they were taken."""
    return {name: value for name, value in inputs.items() if name not in CIRCUMSTANCES}


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """JSON values as they will be read back: tuples become lists before they are hashed."""
    kept: dict[str, Any] = json.loads(canonical(values))
    return kept


def canonical(values: Mapping[str, Any]) -> bytes:
    """The one byte form of inputs or body: keys sorted, no spaces, UTF-8."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(values: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical form, in hexadecimal."""
    return hashlib.sha256(canonical(values)).hexdigest()


def _in_period(scope: Scope, facts: Sequence[Any], *, district: District) -> dict[str, Any]:
    """What came in within the report's own days, in one scope: in all, and by each thing people ask by."""
    mine = counted(facts, scope, district=district)
    towns = district.network.towns

    def place(key: str) -> dict[str, str]:
        named = towns.get(key)  # a station that has left the network keeps its figures and its key
        return {"name_zh": key if named is None else named.name_zh, "name_en": key if named is None else named.name_en}

    def kind(key: str) -> dict[str, str]:
        row = district.catalogue.latest(key)
        return {"name_zh": row.name_zh, "name_en": row.name_en, "group": row.group}

    return {
        "scope": scope.label,
        **amounts(mine),
        "by_town": _sums(mine, "town_key", words=place, keys=scope.area),
        "by_item_type": _sums(mine, "item_type", words=kind),
        "by_station": _sums(mine, "station_key", words=place),
        "by_day": _sums(mine, "day", words=lambda _: {}),
        "provenance": _sums(mine, "provenance", words=lambda _: {}, keys=tuple(WeighProvenance)),
    }


def _sums(
    facts: Sequence[Any], name: str, *, words: Callable[[Any], dict[str, str]], keys: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Figures by one thing; those of ``keys`` that have none are shown too: nothing recovered is a finding."""
    place = PERIOD_KEYS.index(name)
    sums: dict[Any, list[int]] = {key: [0, 0] for key in keys}
    for fact in facts:
        found = sums.setdefault(fact[place], [0, 0])
        found[0] += fact.units
        found[1] += fact.recovered_g
    return [
        {name: str(key), **words(key), "units": units, "recovered_g": grams, "mass_text": kg_text(grams)}
        for key in (sums if keys else sorted(sums))
        for units, grams in [sums[key]]
    ]
