"""Goal progress as a table for a spreadsheet: UTF-8 with BOM, so that Excel reads it, and no cell that calculates."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from recycling.gateways.workbook import BOM, safe_cell
from recycling.policy.goal_progress import NO_GOAL
from recycling.units import kg_text, percent_text

HEADER = (
    "截至 / as of", "口径 / scope", "分类 / section", "名称 / name", "件数 / units", "质量（千克） / mass (kg)",
    "说明 / note",
)  # fmt: skip

PROVENANCE_NAMES = {
    "weighed": "过磅 / weighed",
    "station_class_average": "站点品类均值 / station class average",
    "type_table": "品类表 / type table",
    "national_mean": "全国均值 / national mean",
}
BASELINE_STATES = {
    "confirmed": "已确认 / confirmed",
    "provisional": "基准未确认 / baseline not confirmed",
    "absent": "无基准 / no baseline",
}

Cells = tuple[str, str, Any, Any, str]


def goal_csv(report: dict[str, Any]) -> str:
    """The answer of `goal_progress` as CSV text, its byte-order mark included."""
    text = io.StringIO()
    text.write(BOM)
    sheet = csv.writer(text)
    sheet.writerow(HEADER)
    for scope in report["scopes"]:
        named = f"{scope['scope']['name_zh']} / {scope['scope']['name_en']} ({scope['scope']['label']})"
        for cells in (*_totals(scope), *_against_goal(scope), *_breakdowns(scope)):
            sheet.writerow([safe_cell(cell) for cell in (report["on"], named, *cells)])
    held, every = report["held"], "全部口径 / all scopes"
    note = f"待核趟次 {held['trips']} 趟，已计入 / {held['trips']} trips under review, counted"
    under_review = "年初至今 / year to date", "待核质量 / held", None, _kg(held["station_g"]), note
    sheet.writerow([safe_cell(cell) for cell in (report["on"], every, *under_review)])
    return text.getvalue()


def _totals(scope: dict[str, Any]) -> Iterator[Cells]:
    section, labels = "年初至今 / year to date", "；".join(scope["labels"])
    yield section, "回收量 / recovered", scope["recovered"]["units"], _kg(scope["recovered"]["recovered_g"]), labels
    for share in scope["provenance"]:
        name = PROVENANCE_NAMES[share["provenance"]]
        yield section, f"计重来源：{name}", None, _kg(share["mass_g"]), _percent(share["share_bp"]) or ""
    yield section, "95 % 区间下限 / 95 % interval, low", None, _kg(scope["mass_low_g"]), scope["mass_interval_text"]
    yield section, "95 % 区间上限 / 95 % interval, high", None, _kg(scope["mass_high_g"]), ""


def _against_goal(scope: dict[str, Any]) -> Iterator[Cells]:
    """Baseline, goals, and the progress that exists against a confirmed baseline only."""
    section, baseline = "目标 / goal", scope["baseline"]
    note = "；".join(filter(None, (BASELINE_STATES[scope["baseline_state"]], baseline and baseline["marker"])))
    if baseline is None:
        yield section, "基准 / baseline", None, None, note
    else:
        yield section, f"{baseline['year']} 年基准 / baseline", baseline["units"], _kg(baseline["mass_g"]), note
    for goal in scope["goals"]:
        name = f"{goal['year']} 年目标 / goal, 增长 {percent_text(goal['increase_bp'])}"
        note = "；".join(filter(None, (goal["label"], goal["source"])))
        yield section, name, goal["target_units"], _kg(goal["target_g"]), note
    units, mass = scope["units_progress"], scope["mass_progress"]
    # Without a goal or a confirmed baseline there is no progress; an empty cell would not say which, nor that.
    why = BASELINE_STATES[scope["baseline_state"]] if scope["goal"] is not None else NO_GOAL
    for name, key in (("完成率 / progress", "progress_bp"), ("时序进度 / pace", "pace_bp")):
        cells = (why, why) if units is None or mass is None else (_percent(units[key]), _percent(mass[key]))
        yield section, name, *cells, ""
    for name, key in (
        ("尚缺 / missing", "missing"),
        ("每日所需 / needed per day", "needed_per_day"),
        ("每工作日所需 / needed per working day", "needed_per_working_day"),
    ):
        yield section, name, *((why, why) if units is None or mass is None else (units[key], _kg(mass[key]))), ""


def _breakdowns(scope: dict[str, Any]) -> Iterator[Cells]:
    for section, rows in (
        ("按镇街 / by town-level unit", scope["by_town"]),
        ("按品类 / by item type", scope["by_item_type"]),
    ):
        for row in rows:
            yield section, f"{row['name_zh']} / {row['name_en']}", row["units"], _kg(row["recovered_g"]), ""


def _kg(mass_g: int | None) -> str | None:
    return None if mass_g is None else kg_text(mass_g).removesuffix(" kg")


def _percent(share_bp: int | None) -> str | None:
    return None if share_bp is None else percent_text(share_bp)
