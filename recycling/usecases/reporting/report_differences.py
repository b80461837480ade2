"""What a version of a report says otherwise than the one before (版本差异), and the tickets that made it so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from recycling.models.intake import IntakeLine, IntakeTicket
from recycling.models.recovery import GoalReport
from recycling.usecases.reporting.report_body import span_of, substance
from recycling.usecases.reporting.report_figures import OUTSIDE, FigureKey, figures_of, measures_of

MOST_ARRIVALS = 2_000  # tickets looked at; a report that was made daily has far fewer since
MOST_NAMED = 20  # tickets named beside one figure; their number is told in any case


def version_before(report: GoalReport, *, session: Session) -> GoalReport | None:
    """The version that a report follows."""
    earlier = select(GoalReport).where(GoalReport.period == report.period, GoalReport.version < report.version)
    found: GoalReport | None = session.scalar(earlier.order_by(GoalReport.version.desc()).limit(1))
    return found


def differences(report: GoalReport, before: GoalReport | None, *, session: Session) -> dict[str, Any]:
    """Figure by figure what was, what is and the change; which inputs changed; and the tickets written in between."""
    if before is None:
        return {"against_version": None, "reason": report.reason, "inputs": [], "figures": [], "tickets": []}
    arrivals = _arrivals(before.inputs, report.inputs, session=session)
    behind = _behind(arrivals, report.inputs, session=session)
    figures = [
        row | {"tickets": [str(one) for one in touched[:MOST_NAMED]], "ticket_count": len(touched)}
        for row in changed_figures(before.body, report.body)
        for touched in [behind.get((row["span"], row["scope"], row["by"], row["key"]), [])]
    ]
    return {
        "against_version": before.version,
        "reason": report.reason,
        "inputs": _changed_inputs(before.inputs, report.inputs),
        "figures": figures,
        "tickets": [_told(ticket) for ticket in arrivals],
    }


def changed_figures(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every figure that is not what it was; one that one side lacks counts as nothing there."""
    old, new = dict(_values(before)), dict(_values(after))
    for name in [*new, *(name for name in old if name not in new)]:
        was, now = old.get(name), new.get(name)
        if was != now:
            of, measure = name
            yield {
                "span": of.span, "scope": of.scope, "by": of.by, "key": of.key, "measure": measure, "old": was,
                "new": now, "change": (now or 0) - (was or 0),
            }  # fmt: skip


def _values(body: Mapping[str, Any]) -> Iterator[tuple[tuple[FigureKey, str], int | None]]:
    for figure in figures_of(body):
        if figure.units is not None:
            yield (figure.of, "units"), figure.units
        yield (figure.of, "recovered_g"), figure.recovered_g
    for scope, name, value in measures_of(body):
        yield (FigureKey(span="year", scope=scope), name), value


def _changed_inputs(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Names of the inputs that are not what they were, with the row's own name where they are lists."""
    old, new = substance(before), substance(after)
    found = []
    for name in sorted(new.keys() | old.keys()):
        was, now = old.get(name), new.get(name)
        if was == now:
            continue
        if isinstance(was, list) and isinstance(now, list):
            rows = [row for row in (*was, *now) if row not in was or row not in now]
            found += sorted({f"{name}: {_name_of(row)}" for row in rows})
        elif isinstance(was, dict) and isinstance(now, dict):
            found += [f"{name}: {key}" for key in sorted(was.keys() | now.keys()) if was.get(key) != now.get(key)]
        else:
            found.append(f"{name}: {was} → {now}")
    return found


def _name_of(row: Any) -> str:
    if not isinstance(row, dict):
        return str(row)
    return " ".join(str(row[name]) for name in ("scope_key", "key", "year", "version") if name in row)


def _arrivals(before: Mapping[str, Any], after: Mapping[str, Any], *, session: Session) -> Sequence[IntakeTicket]:
    """The tickets that count in the later report and were not written when the earlier one was made."""
    if not before or not after:
        return []
    first, last = span_of(after)
    stood = {(head["station_key"], head["scale_number"]): head["number"] for head in before["heads"]}
    numbered = [
        (IntakeTicket.station_key == head["station_key"])
        & (IntakeTicket.scale_number == head["scale_number"])
        & IntakeTicket.number.between(stood.get((head["station_key"], head["scale_number"]), 0) + 1, head["number"])
        for head in after["heads"]
        if head["number"] > stood.get((head["station_key"], head["scale_number"]), 0)
    ]
    if not numbered:
        return []
    wanted = select(IntakeTicket).where(
        or_(*numbered), IntakeTicket.counts_on.between(min(first, date(last.year, 1, 1)), last)
    )
    keys = (IntakeTicket.counts_on, IntakeTicket.station_key, IntakeTicket.scale_number, IntakeTicket.number)
    return session.scalars(wanted.order_by(*keys).limit(MOST_ARRIVALS)).all()


def _behind(
    arrivals: Sequence[IntakeTicket], inputs: Mapping[str, Any], *, session: Session
) -> dict[tuple[str, str, str, str], list[UUID]]:
    """For each figure, the arrivals with a line in it: one of their own, or of the ticket that they replace."""
    replaced = {ticket.corrects_id for ticket in arrivals} | {ticket.counters_id for ticket in arrivals}
    of_ticket: dict[UUID | None, list[IntakeLine]] = defaultdict(list)
    for line in session.scalars(select(IntakeLine).where(IntakeLine.ticket_id.in_(replaced - {None}))):
        of_ticket[line.ticket_id].append(line)
    of_replaced = select(IntakeTicket.id, IntakeTicket.channel).where(IntakeTicket.id.in_(replaced - {None}))
    channels: dict[UUID, str] = dict(session.execute(of_replaced).all())
    found: dict[tuple[str, str, str, str], list[UUID]] = defaultdict(list)
    for ticket in arrivals:
        own = [(line, ticket.channel) for line in ticket.lines]
        gone = [
            (line, channels[line.ticket_id])
            for other in (ticket.corrects_id, ticket.counters_id)
            for line in of_ticket.get(other, ())
        ]
        touched = {key for line, channel in (*own, *gone) for key in _keys_of(line, channel, ticket, inputs)}
        for key in touched:
            found[key].append(ticket.id)
    return found


def _keys_of(
    line: IntakeLine, channel: str, ticket: IntakeTicket, inputs: Mapping[str, Any]
) -> Iterator[tuple[str, str, str, str]]:
    first, _ = span_of(inputs)
    group = inputs["item_types"].get(line.item_type, {}).get("group")
    spans = ["year", "period"] if ticket.counts_on >= first else ["year"]
    parts = {
        "": "", "town_key": line.town_key, "item_type": line.item_type, "station_key": ticket.station_key,
        "day": ticket.counts_on.isoformat(), "provenance": line.provenance,
    }  # fmt: skip
    covering = [
        f"{scope['key']}/{scope['version']}"
        for scope in inputs["scopes"]
        if group in scope["groups"]
        and channel in scope["channels"]
        and line.town_key in scope["area"]
        and line.provenance in scope["provenance"]
    ]
    if not covering:
        yield "year", OUTSIDE, "", ""
    for label in covering:
        for span in spans:
            for by, key in parts.items():
                yield span, label, by, key


def _told(ticket: IntakeTicket) -> dict[str, Any]:
    names = (
        "id", "station_key", "scale_number", "number", "day", "counts_on", "net_g", "corrects_id", "counters_id",
        "correction_reason",
    )  # fmt: skip
    return {name: getattr(ticket, name) for name in names}
