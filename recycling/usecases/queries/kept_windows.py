"""How many promised windows were kept (时段履约率): by village, town or setting, rural beside urban."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from datetime import date
from typing import Any, Literal, get_args

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.gateways.workbook import BOM, safe_cell
from recycling.models.kept_window import KeptWindow
from recycling.policy.district import District
from recycling.policy.kept_windows import MISS_CAUSES
from recycling.usecases.queries.spans import within

Grouping = Literal["village", "town", "setting"]
GROUPINGS: tuple[Grouping, ...] = get_args(Grouping)

SETTINGS = {"rural": ("村", "Rural"), "urban": ("居", "Urban")}
HEADER = (
    "代码 / key", "名称 / name", "承诺 / promised", "兑现 / kept", "兑现率 % / kept %",
    *(f"{zh} / {cause}" for cause, zh in zip(
        MISS_CAUSES, ("迟到", "提前", "车辆故障", "车满", "居民原因", "无记录"), strict=True
    )),
)  # fmt: skip


def kept_windows(
    *, district: District, session: Session, by: Grouping = "town", first: date | None = None, last: date | None = None
) -> dict[str, Any]:
    """The share of windows kept in a span of days, its groups ascending by key, and of all together.

    Groups of which nothing was promised are missing: no share can be said of them. ``made_up`` is how many of all
    promises are of made-up bookings.

    Raises
    ------
    InvalidInput
        When the span ends before it begins.
    """
    counted = (
        select(KeptWindow.village_code, KeptWindow.cause, KeptWindow.made_up, func.count())
        .where(*within(KeptWindow.day, first, last))
        .group_by(KeptWindow.village_code, KeptWindow.cause, KeptWindow.made_up)
    )
    groups: dict[str, Counter[str | None]] = defaultdict(Counter)
    total: Counter[str | None] = Counter()
    names: dict[str, tuple[str, str | None]] = {}
    made_up = 0
    for village_code, cause, is_made_up, count in session.execute(counted):
        key, name_zh, name_en = _group(village_code, by, district)
        names[key] = name_zh, name_en
        groups[key][cause] += count
        total[cause] += count
        made_up += count * is_made_up
    return {
        "from": first,
        "to": last,
        "by": by,
        "groups": [
            {"key": key, "name_zh": names[key][0], "name_en": names[key][1]} | _figures(groups[key])
            for key in sorted(groups)
        ],
        "total": _figures(total),
        "made_up": made_up,
    }


def kept_windows_csv(answer: dict[str, Any]) -> str:
    """The answer of `kept_windows` as CSV text, its byte-order mark included."""
    text = io.StringIO()
    text.write(BOM)
    sheet = csv.writer(text)
    sheet.writerow(HEADER)
    made_up = answer["made_up"]
    mark_zh, mark_en = (f"（含演示数据 {made_up}）", f" ({made_up} made up)") if made_up else ("", "")
    total = {"key": "", "name_zh": f"合计{mark_zh}", "name_en": f"total{mark_en}"} | answer["total"]
    for row in (*answer["groups"], total):
        name = row["name_zh"] if row["name_en"] is None else f"{row['name_zh']} / {row['name_en']}"
        share = "" if row["kept_bp"] is None else f"{row['kept_bp'] / 100:.2f}"
        cells = (row["key"], name, row["promised"], row["kept"], share, *(row["causes"][one] for one in MISS_CAUSES))
        sheet.writerow([safe_cell(cell) for cell in cells])
    return text.getvalue()


def _group(village_code: str, by: Grouping, district: District) -> tuple[str, str, str | None]:
    """Key and names of the group that a village belongs to; one that has left the configuration stands for itself."""
    village = district.network.villages.get(village_code)
    if village is None:
        return village_code, village_code, None
    if by == "village":
        return village.code, village.name_zh, None
    if by == "town":
        town = district.network.towns[village.town_key]
        return town.key, town.name_zh, town.name_en
    key = "rural" if village.is_rural else "urban"
    return key, *SETTINGS[key]


def _figures(counts: Counter[str | None]) -> dict[str, Any]:
    promised, kept = sum(counts.values()), counts[None]
    return {
        "promised": promised,
        "kept": kept,
        "kept_bp": None if promised == 0 else (kept * 20_000 + promised) // (2 * promised),  # rounded half up
        "causes": {cause: counts[cause] for cause in MISS_CAUSES},
    }
