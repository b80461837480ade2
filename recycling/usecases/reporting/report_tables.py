"""A report as tables (报告表格): one set for the spreadsheet, the text file and the printed page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from recycling.gateways.workbook import Column, Table
from recycling.models.publication import ReportSignature
from recycling.models.recovery import GoalReport
from recycling.policy.goal_progress import NO_GOAL
from recycling.policy.periods import read_period
from recycling.units import local_text
from recycling.usecases.reporting.goal_csv import BASELINE_STATES, PROVENANCE_NAMES
from recycling.usecases.reporting.report_figures import marks_of

MOST_LISTED = 100_000  # ticket lines in a workbook, written in 8 s; more of them are read page by page over the API
CHANNEL_NAMES = {
    "door": "上门 / door", "walk_in": "自送 / walk-in", "bin": "回收箱 / bin", "trade_in": "以旧换新 / trade-in",
    "pool": "公物仓 / pool",
}  # fmt: skip
OUTLET_NAMES = {"reuse": "再使用 / reuse", "refurbish": "翻新 / refurbishment", "recovery": "拆解利用 / recovery"}
UNITS, KG = Column(heading="件数 / units", kind="whole"), Column(heading="质量（千克） / mass (kg)", kind="kg")


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedReport:
    """A report with what goes into its files.

    Parameters
    ----------
    signatures
        Who signed it; two when it is published.
    differences
        The answer of `differences` against the version before.
    lines, adjustments
        Ticket lines that count in the period, to be read once each; an adjustment comes with its reason.
    """

    report: GoalReport
    signatures: Sequence[ReportSignature]
    differences: Mapping[str, Any]
    line_count: int
    lines: Iterable[Any]
    adjustments: Iterable[tuple[Any, str | None]]
    marks: list[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "marks", marks_of(self.report.body, draft=len(self.signatures) < 2))

    @property
    def title(self) -> str:
        """What stands on top of it."""
        words = read_period(self.report.period).words
        return f"薛城区废旧家电家具回收 {words} {self.report.period} 第 {self.report.version} 版"


def tables_of(printed: PrintedReport, *, with_lines: bool) -> Iterator[Table]:
    """The tables of a report, the cover first."""
    body = printed.report.body
    yield _cover(printed)
    yield _scopes(body)
    yield _breakdown("镇街 towns", "按镇街 / by town-level unit", "by_town", body)
    yield _breakdown("品类 item types", "按品类 / by item type", "by_item_type", body)
    yield _breakdown("站点 stations", "按站点 / by station", "by_station", body)
    yield _breakdown("日期 days", "按日 / by day", "by_day", body)
    yield _provenance(body)
    if with_lines:
        yield _lines(printed)
    yield _adjustments(printed)
    yield _differences(printed)


def _cover(printed: PrintedReport) -> Table:
    report, inputs = printed.report, printed.report.inputs
    rows: list[tuple[str, str]] = [
        ("报告编号 / report id", str(report.id)),
        ("报告期 / period", f"{report.period}: {inputs['first_day']} – {inputs['last_day']}"),
        ("版本 / version", f"{report.version} ({report.reason})"),
        *((("标注 / mark", mark)) for mark in printed.marks),
        ("数据截至 / tickets taken in until", local_text(report.made_at)),
        ("磅单数 / tickets of the period", str(inputs["tickets"]["count"])),
        ("磅单摘要 / digest of the tickets (SHA-256)", inputs["tickets"]["sha256"]),
        ("依据摘要 / digest of the inputs (SHA-256)", report.inputs_sha256),
        ("内容摘要 / digest of the figures (SHA-256)", report.sha256),
        ("审计链首 / head of the audit log", _head(inputs["audit_head"])),
        ("程序 / program", f"{inputs['program']['version']}, {inputs['program']['code_sha256'][:16]}"),
    ]
    rows += [
        (place, f"{row.signed_by_name} ({row.signed_by_role}), {local_text(row.signed_at)}")
        for place, row in zip(("签字 / signed by", "签发 / published by"), printed.signatures, strict=False)
    ]
    for scope in report.body["scopes"]:
        rows += _scope_words(scope)
    columns = (Column(heading="项目 / item", width=38), Column(heading="内容 / value", width=110))
    return Table(name="封面 cover", title=printed.title, columns=columns, rows=rows)


def _head(head: Mapping[str, Any] | None) -> str:
    return "–" if head is None else f"{head['number']}: {head['mac'][:32]}"


def _scope_words(scope: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A scope's own words: what its figures cover, and what must stand beside them."""
    what = scope["scope"]
    name = f"口径 / scope {what['label']}"
    yield name, f"{what['name_zh']} / {what['name_en']}: {what['note_zh']} / {what['note_en']}"
    channels = ", ".join(CHANNEL_NAMES.get(one, one) for one in what["channels"])
    yield name, f"{channels}; {what['period']}; 缺件 / stripped: {what['stripped_items']}"
    baseline = scope["baseline"]
    if baseline is not None:
        state = BASELINE_STATES[scope["baseline_state"]]
        source = baseline["source_document"] or baseline["marker"]
        yield name, f"{baseline['year']} 年基准 / baseline, version {baseline['version']}: {state}; {source}"
    yield name, "；".join(scope["labels"]) or "–"


def _scopes(body: Mapping[str, Any]) -> Table:
    columns = (
        Column(heading="口径 / scope", width=34), Column(heading="数字 / figure", width=64), UNITS, KG,
        Column(heading="说明 / note", width=110),
    )  # fmt: skip
    return Table(name="口径 scopes", title="各口径数字 / figures by scope", columns=columns, rows=_scope_rows(body))


def _scope_rows(body: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
    for scope, part in zip(body["scopes"], body["in_period"], strict=True):
        name, labels = _scope_name(scope), "；".join(scope["labels"])
        yield name, "本期回收 / in the period", part["units"], part["recovered_g"], labels
        found = scope["recovered"]
        yield name, "年初至今 / year to date", found["units"], found["recovered_g"], scope["mass_interval_text"]
        yield from ((name, *row) for row in _goal_rows(scope))
    outside, adjusted = body["outside_scopes"], body["adjustments"]
    yield "–", "不在任何口径内，年初至今 / in no scope, year to date", outside["units"], outside["recovered_g"], ""
    note = f"{adjusted['ticket_lines']} 行 / lines; 已含在上列 / contained above"
    yield "–", "其中本期调整 / of it adjustments in the period", adjusted["units"], adjusted["recovered_g"], note
    held, outflow = body["held"], body["outflow"]
    note = f"{held['trips']} 趟 / trips; 已含在上列 / contained above"
    yield "–", "其中待核趟次，年初至今 / of it trips under review, year to date", None, held["station_g"], note
    for kind in outflow["kinds"]:
        note = f"{outflow['note_zh']} / {outflow['note_en']}"
        yield (
            "–",
            f"移交，年初至今 / handed over, year to date: {OUTLET_NAMES[kind['kind']]}",
            kind["units"],
            kind["net_g"],
            note,
        )


def _goal_rows(scope: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
    goal, units, mass = scope["goal"], scope["units_progress"], scope["mass_progress"]
    if goal is None:
        yield "年度目标 / goal of the year", NO_GOAL, NO_GOAL, ""
        return
    why = BASELINE_STATES[scope["baseline_state"]]
    name = f"{goal['year']} 年目标 / goal, +{goal['increase_bp'] / 100:g} %"
    note = "；".join(filter(None, (goal["label"], goal["source"])))
    if units is None or mass is None:
        yield name, why, why, note
        return
    yield name, units["target"], mass["target"], note
    yield "尚缺 / missing", units["missing"], mass["missing"], ""
    for words, key in (("每日所需 / needed per day", "needed_per_day"),
                       ("每工作日所需 / needed per working day", "needed_per_working_day")):  # fmt: skip
        yield words, units[key], mass[key], ""
    for words, key in (("完成率 / progress", "progress_bp"), ("时序进度 / pace", "pace_bp")):
        yield words, f"{units[key] / 100:.2f} %", f"{mass[key] / 100:.2f} %", ""


def _breakdown(name: str, title: str, part: str, body: Mapping[str, Any]) -> Table:
    """A breakdown of the period, beside the year to date where the report has that too."""
    with_year = part in body["scopes"][0]
    columns = [Column(heading="口径 / scope", width=34), Column(heading=title.split(" / ")[0] + " / key", width=40)]
    columns += [
        Column(heading="本期件数 / units in the period", kind="whole"),
        Column(heading="本期质量（千克） / kg in the period", kind="kg"),
    ]
    if with_year:
        columns += [
            Column(heading="年初至今件数 / units, year to date", kind="whole"),
            Column(heading="年初至今质量（千克） / kg, year to date", kind="kg"),
        ]

    def rows() -> Iterator[Sequence[Any]]:
        for scope, period in zip(body["scopes"], body["in_period"], strict=True):
            now = {_row_name(row): row for row in period[part]}
            year = {_row_name(row): row for row in scope[part]} if with_year else {}
            for key in sorted(now.keys() | year.keys()) if with_year else now:
                cells = [_scope_name(scope), key, *_amounts(now.get(key))]
                yield (*cells, *_amounts(year.get(key))) if with_year else cells

    return Table(name=name, title=title, columns=columns, rows=rows())


def _row_name(row: Mapping[str, Any]) -> str:
    key = next(row[name] for name in ("town_key", "item_type", "station_key", "day") if name in row)
    return f"{key} {row['name_zh']} {row['name_en']}" if "name_zh" in row else str(key)


def _amounts(row: Mapping[str, Any] | None) -> tuple[int, int]:
    return (0, 0) if row is None else (row["units"], row["recovered_g"])


def _provenance(body: Mapping[str, Any]) -> Table:
    columns = (
        Column(heading="口径 / scope", width=34), Column(heading="计重来源 / provenance", width=40),
        Column(heading="本期质量（千克） / kg in the period", kind="kg"),
        Column(heading="年初至今质量（千克） / kg, year to date", kind="kg"),
        Column(heading="年初至今占比 / share, year to date", kind="percent"),
    )  # fmt: skip
    rows = [
        (_scope_name(scope), PROVENANCE_NAMES[share["provenance"]], now["recovered_g"], share["mass_g"],
         share["share_bp"])
        for scope, period in zip(body["scopes"], body["in_period"], strict=True)
        for share, now in zip(scope["provenance"], period["provenance"], strict=True)
    ]  # fmt: skip
    return Table(name="计重来源 provenance", title="计重来源 / where masses come from", columns=columns, rows=rows)


LINE_COLUMNS = (
    Column(heading="计入日 / counts on", width=20), Column(heading="过磅日，若不同 / weighed on, if another", width=24),
    Column(heading="站点 / station", width=14), Column(heading="磅号 / scale", width=10),
    Column(heading="磅单号 / number", kind="whole", width=10), Column(heading="渠道 / channel", width=16),
    Column(heading="品类 / item type", width=22), Column(heading="镇街 / town", width=14), UNITS, KG,
    Column(heading="计重来源 / provenance", width=24), Column(heading="缺件 / missing parts", kind="whole"),
    Column(heading="性质 / kind", width=24), Column(heading="磅单 / ticket id", width=38),
)  # fmt: skip


def _lines(printed: PrintedReport) -> Table:
    listed = printed.line_count <= MOST_LISTED
    title = f"磅单明细 / ticket lines: {printed.line_count}"
    if not listed:
        title += (
            f"（超出 {MOST_LISTED} 行，请查询 / too many to list; see GET /goal-reports/{printed.report.id}/tickets）"
        )
    rows = (_line_row(line) for line in printed.lines) if listed else ()
    return Table(name="磅单明细 tickets", title=title, columns=LINE_COLUMNS, rows=rows)


def _line_row(line: Any) -> Sequence[Any]:
    """A line; what is so for nearly all of them stays empty, so that the others are seen, and written sooner."""
    kind = "冲减 / taken off" if line.sign < 0 else "调整 / adjustment" if line.adjusts else None
    if line.made_up:
        kind = f"{kind or ''} 虚构 / made up".strip()
    return (
        line.day.isoformat(), line.weighed_on.isoformat() if line.weighed_on != line.day else None, line.station_key,
        line.scale_number, line.ticket_number, CHANNEL_NAMES[line.channel], line.item_type, line.town_key, line.units,
        line.net_g, PROVENANCE_NAMES[line.provenance], line.missing_parts or None, kind, str(line.ticket_id),
    )  # fmt: skip


def _adjustments(printed: PrintedReport) -> Table:
    columns = (*LINE_COLUMNS, Column(heading="更正原因 / reason", width=50))
    rows = ((*_line_row(line), reason) for line, reason in printed.adjustments)
    title = "已结账月份的调整 / dated adjustments of closed months"
    return Table(name="调整 adjustments", title=title, columns=columns, rows=rows)


def _differences(printed: PrintedReport) -> Table:
    found = printed.differences
    columns = (
        Column(heading="范围 / span", width=14), Column(heading="口径 / scope", width=30),
        Column(heading="分类 / by", width=14), Column(heading="名称 / key", width=22),
        Column(heading="数字 / figure", width=24), Column(heading="原值 / old", kind="whole"),
        Column(heading="新值 / new", kind="whole"), Column(heading="变化 / change", kind="whole"),
        Column(heading="磅单 / tickets", width=60),
    )  # fmt: skip
    against = found["against_version"]
    title = "与上一版的差异（质量以克计） / differences from the version before (masses in grams)"
    title += f": {against}" if against is not None else "：首版 / first version"
    names = ("span", "scope", "by", "key", "measure", "old", "new", "change")
    rows: list[Sequence[Any]] = [
        ("", "", "", "", name, None, None, None, "依据变化 / input") for name in found["inputs"]
    ]
    for row in found["figures"]:
        tickets = f"{row['ticket_count']}: {' '.join(row['tickets'])}" if row["ticket_count"] else ""
        rows.append((*(row[name] for name in names), tickets))
    return Table(name="差异 differences", title=title, columns=columns, rows=rows)


def _scope_name(scope: Mapping[str, Any]) -> str:
    return f"{scope['scope']['name_zh']} {scope['scope']['label']}"
