"""Judge anchors wherever they are kept: each by its own signature, each copy as a chain, all of them together."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.anchor import AuditAnchor, anchor_line, line_mac
from recycling.models.job_run import JobRun
from recycling.usecases.audit.chains import Claims
from recycling.usecases.audit.findings import Finding, span

TABLE = "audit_anchor"
Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """Anchors as they are kept somewhere, one JSON text each; a ``whole`` copy must have all of them."""

    place: str
    lines: Sequence[str]
    whole: bool = False


@dataclass(slots=True)
class Anchors:
    """The anchors whose signature holds, by number, from whatever place; and what they say of the chains."""

    lines: dict[int, Line] = field(default_factory=dict)

    def before(self, at: str) -> Line | None:
        """The newest one made at an instant or earlier; instants as they stand in the lines."""
        return max((line for line in self.lines.values() if line["at"] <= at), key=_number, default=None)

    def audit_claims(self, *, after: int = 0) -> Claims:
        """What they saw of the audit log beyond a number."""
        return {number: mac for number, mac in (line["audit"] for line in self.lines.values()) if number > after}

    def scale_claims(self) -> dict[tuple[str, str], dict[int, str]]:
        """What they saw of each scale."""
        found: dict[tuple[str, str], dict[int, str]] = {}
        for line in self.lines.values():
            for station_key, scale_number, number, mac in line["scales"]:
                found.setdefault((station_key, scale_number), {})[number] = mac
        return found

    def closed_months(self) -> set[str]:
        """The months that one of them saw closed."""
        return {month for line in self.lines.values() for month in line["closed_months"]}


def judge_anchors(session: Session, copies: Sequence[Copy]) -> tuple[Anchors, list[Finding]]:
    """The anchors that can be believed, and what is wrong with the others."""
    stored = [anchor_line(row) for row in session.scalars(select(AuditAnchor).order_by(AuditAnchor.number))]
    anchors = Anchors()
    findings: list[Finding] = []
    places: list[tuple[str, Sequence[Line | None]]] = [(TABLE, stored)]
    places += [(copy.place, [_read(text) for text in copy.lines]) for copy in copies]
    for place, lines in places:
        findings += _judged(place, lines, anchors)
    numbers = {line["number"] for line in stored}
    gone = sorted(anchors.lines.keys() - numbers)
    if gone:
        findings.append(_finding(TABLE, span(gone[0], gone[-1]), "另存处有而库中无 / kept elsewhere, gone here"))
    for copy in copies:
        kept = {line["number"] for line in map(_read, copy.lines) if line is not None}
        lacking = sorted(numbers - kept)
        if copy.whole and lacking:
            findings.append(_finding(copy.place, span(lacking[0], lacking[-1]), "库中有而另存处无 / gone here"))
    made = session.scalar(select(JobRun.id).where(JobRun.job == "audit_anchor", JobRun.state == "done").limit(1))
    if made is not None and not stored:
        findings.append(_finding(TABLE, "1", "曾有锚定而今全无 / anchors were made, and none is left"))
    return anchors, findings


def _judged(place: str, lines: Sequence[Line | None], anchors: Anchors) -> Iterator[Finding]:
    """Judge a copy line by line, and take over those whose signature holds."""
    last: Line | None = None
    for position, line in enumerate(lines, start=1):
        if line is None or not _signed(line):
            yield _finding(place, str(line["number"] if line else f"#{position}"), "签名不符 / its signature is wrong")
            last = None
            continue
        number = line["number"]
        if last is None and number > 1 and position == 1 and place == TABLE:
            yield _finding(place, span(1, number - 1), "缺失 / missing")
        elif last is not None and number > last["number"] + 1:
            yield _finding(place, span(last["number"] + 1, number - 1), "缺失 / missing")
        elif last is not None and line["before"] != last["mac"]:
            yield _finding(place, str(number), "与前一锚定不相接 / does not follow the one before it")
        known = anchors.lines.setdefault(number, line)
        if known["mac"] != line["mac"]:
            yield _finding(place, str(number), f"与 {TABLE} 所存不同 / is another one than {TABLE} has")
        last = line


def _read(text: str) -> Line | None:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    whole = isinstance(line, dict) and {"number", "mac", "at"} <= line.keys() and type(line["number"]) is int
    return line if whole else None


def _signed(line: Line) -> bool:
    try:
        return bool(line_mac(line).hex() == line["mac"])
    except ValueError:  # NaN, or half a character: no line of ours
        return False


def _number(line: Line) -> int:
    return int(line["number"])


def _finding(place: str, number: str, what: str) -> Finding:
    return Finding(kind="anchor", row=f"{place} {number}", what=what)
