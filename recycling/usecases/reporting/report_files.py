"""A report as a file (报告文件): JSON, CSV, workbook and PDF, the same bytes whenever they are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.gateways.paper import pdf_of
from recycling.gateways.workbook import Table, csv_of, shown, workbook_of
from recycling.models.intake import IntakeTicket
from recycling.models.publication import FileForm, ReportSignature
from recycling.models.recovery import GoalReport
from recycling.units import kg_text, local_text
from recycling.usecases.reporting.charts import Drawing, bars, columns
from recycling.usecases.reporting.report_body import canonical, plain, span_of
from recycling.usecases.reporting.report_differences import differences, version_before
from recycling.usecases.reporting.report_tables import MOST_LISTED, PrintedReport, tables_of
from recycling.usecases.reporting.taken_in import lines_taken_in, stream_lines

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "paper"
MEDIA_TYPES: Mapping[FileForm, str] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
MOST_DRAWN = 14  # item types in a chart; the table has them all
MOST_DAYS = 62  # columns in a chart; a longer period is drawn by months
MOST_PRINTED = 150  # rows of a table on paper; the workbook has them all


def report_file(
    report: GoalReport, signatures: Sequence[ReportSignature], form: FileForm, *, session: Session
) -> bytes:
    """A report with these signatures in one of its forms; a draft says on every page that it is one.

    Raises
    ------
    NotInstalled
        When it is a PDF, and the libraries of the extra ``pdf`` are not there.
    Unavailable
        When it is a PDF, and others have been printing for too long.
    """
    printed = _printed(report, signatures, session=session)
    if form == "json":
        return _json(printed)
    if form == "csv":
        return csv_of(tables_of(printed, with_lines=False), marks=printed.marks)
    if form == "xlsx":
        tables = tables_of(printed, with_lines=True)
        return workbook_of(tables, marks=printed.marks, title=printed.title, created=report.made_at)
    return _pdf(printed)


def _printed(report: GoalReport, signatures: Sequence[ReportSignature], *, session: Session) -> PrintedReport:
    heads, (first, last) = report.inputs["heads"], span_of(report.inputs)
    lines = lines_taken_in(heads, first, last)
    count = session.scalar(select(func.count()).select_from(lines)) or 0
    return PrintedReport(
        report=report, signatures=signatures,
        differences=differences(report, version_before(report, session=session), session=session),
        line_count=count, lines=stream_lines(heads, first, last, session=session),
        adjustments=list(islice(_adjustments(report, session=session), MOST_LISTED)),
    )  # fmt: skip


def _adjustments(report: GoalReport, *, session: Session) -> Iterator[tuple[Any, str | None]]:
    """Lines that adjustments put in or take off, each with the reason that its keeper gave."""
    first, last = span_of(report.inputs)
    keys = ("day", "station_key", "scale_number", "number")
    lines = lines_taken_in(report.inputs["heads"], first, last)
    rows = list(session.execute(select(lines).where(lines.c.adjusts)))
    named = select(IntakeTicket.id, IntakeTicket.correction_reason)
    mine = named.where(IntakeTicket.id.in_({row.by_id for row in rows}))
    reasons: dict[UUID, str | None] = dict(session.execute(mine).all())
    for row in sorted(rows, key=lambda row: (*(getattr(row, key) for key in keys), -row.sign, row.position)):
        yield row, reasons[row.by_id]


def signatures_text(signatures: Sequence[ReportSignature]) -> list[dict[str, str]]:
    """Signatures as they stand in the JSON file."""
    names = ("signed_by_id", "signed_by_role", "signed_by_name", "signed_at", "sha256")
    return [{name: str(getattr(row, name)) for name in names} for row in signatures]


def _json(printed: PrintedReport) -> bytes:
    report = printed.report
    signatures = signatures_text(printed.signatures)
    whole = {
        "id": str(report.id), "period": report.period, "version": report.version, "reason": report.reason,
        "made_at": report.made_at.isoformat(), "marks": printed.marks, "signatures": signatures,
        "sha256": report.sha256, "inputs_sha256": report.inputs_sha256, "inputs": report.inputs, "body": report.body,
    }  # fmt: skip
    return canonical(plain(whole))


def _pdf(printed: PrintedReport) -> bytes:
    cover, *tables = tables_of(printed, with_lines=False)
    page = _templates().get_template("report.html")
    html = page.render(
        printed=printed, cover=cover, charts=_charts(printed.report.body), tables=[_cut(table) for table in tables],
        created=printed.report.made_at.isoformat(timespec="seconds"), moment=local_text, shown=shown,
    )  # fmt: skip
    return pdf_of(html, css=(TEMPLATES / "report.css").read_text("utf-8"), identifier=printed.report.id.bytes)


def _charts(body: Mapping[str, Any]) -> list[dict[str, str | Drawing]]:
    """Charts of the first scope, which is that of the goals."""
    scope, period = body["scopes"][0], body["in_period"][0]
    name = scope["scope"]["name_zh"]

    def drawn(rows: Sequence[Mapping[str, Any]]) -> Drawing:
        return bars([(row["name_zh"], row["recovered_g"], kg_text(row["recovered_g"])) for row in rows])

    kinds = sorted(period["by_item_type"], key=lambda row: (-row["recovered_g"], row["item_type"]))[:MOST_DRAWN]
    first, last = date.fromisoformat(body["first_day"]), date.fromisoformat(body["on"])
    by_day = {row["day"]: row["recovered_g"] for row in period["by_day"]}
    span = [(first + timedelta(days=ahead)).isoformat() for ahead in range((last - first).days + 1)]
    by_what = slice(5, None) if len(span) <= MOST_DAYS else slice(None, 7)  # 11-23, or 2026-11
    steps: Counter[str] = Counter()
    for day in span:
        steps[day[by_what]] += by_day.get(day, 0)
    return [
        {"title": f"{name}：本期按镇街 / in the period by town-level unit", "drawing": drawn(period["by_town"])},
        {"title": f"{name}：本期按品类 / in the period by item type", "drawing": drawn(kinds)},
        {"title": f"{name}：本期走势 / in the period by day or month", "drawing": columns(list(steps.items()))},
    ]


def _cut(table: Table) -> Table:
    """A table as long as paper takes it, and a word where it goes on."""
    rows = list(islice(table.rows, MOST_PRINTED + 1))
    if len(rows) > MOST_PRINTED:
        rest: list[Any] = [None] * (len(table.columns) - 1)
        rows[MOST_PRINTED:] = [["… 其余见 Excel / the rest is in the workbook", *rest]]
    return Table(name=table.name, title=table.title, columns=table.columns, rows=rows)


@cache
def _templates() -> Environment:
    return Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
