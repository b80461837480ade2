"""What templates share: Chinese and English words for the codes, and numbers in the form people read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from http import HTTPStatus
from typing import Any

from flask import g, request

from recycling.logs import mask_phones
from recycling.models.booking import BookingState
from recycling.models.intake import RefusedReason
from recycling.policy.access import Role
from recycling.policy.day_changes import ChangeKind
from recycling.policy.field_events import Doing
from recycling.policy.healing import DisruptionKind
from recycling.routes.pages.guard import csrf_token
from recycling.routes.pages.language import HTML_LANG, language, say
from recycling.routes.pages.screens import SCREENS
from recycling.routes.pages.type_size import large_type
from recycling.routing.plan import Reason, StepKind
from recycling.units import clock_text, kg_text, local_text, percent_text
from recycling.usecases.queries.arrivals import TrackingState

Words = tuple[str, str]

ROLE_WORDS: dict[Role, Words] = {
    "resident": ("居民", "resident"),
    "collector": ("回收员", "collector"),
    "keeper": ("站点保管员", "station keeper"),
    "dispatcher": ("调度员", "dispatcher"),
    "clerk": ("商促局业务员", "bureau clerk"),
    "admin": ("系统管理员", "administrator"),
}

STATE_WORDS: dict[BookingState, Words] = {
    "held": ("占位中", "place held"),
    "booked": ("已预约", "booked"),
    "collected": ("已收", "collected"),
    "partly_collected": ("部分已收", "partly collected"),
    "failed": ("未收", "not collected"),
    "cancelled": ("已取消", "cancelled"),
}

STEP_WORDS: dict[StepKind, Words] = {
    "start": ("出发", "Start"),
    "pickup": ("上门", "Pickup"),
    "break": ("午休", "Lunch"),
    "unload": ("卸货", "Unload"),
    "end": ("返回", "Return"),
}

REASON_WORDS: dict[Reason, Words] = {
    "missing_skill": ("缺少资质", "missing skill"),
    "over_capacity": ("超出装载", "over capacity"),
    "outside_windows": ("时段内不可达", "outside windows"),
    "fleet_full": ("车辆已满", "fleet full"),
    "invalid": ("数据有误", "invalid"),
}

DISRUPTION_WORDS: dict[DisruptionKind, Words] = {
    "breakdown": ("车辆故障", "breakdown"),
    "sick": ("人员病假", "crew sick"),
    "late": ("车辆晚点", "late"),
    "urgent": ("加急上门", "urgent pickup"),
    "cancelled": ("居民取消", "cancelled"),
    "station_closed": ("站点关闭", "station closed"),
    "station_full": ("站点已满", "station full"),
}

CHANGE_WORDS: dict[ChangeKind, Words] = {
    "vehicle_out": ("车辆停用", "vehicle out of service"),
    "collector_away": ("人员请假", "collector away"),
    "other_vehicle": ("换车", "on another vehicle"),
    "shift_moved": ("班次调整", "shift moved"),
    "station_hours": ("站点时间", "station hours"),
    "day_closed": ("停收", "day closed"),
    "day_opened": ("加开", "day opened"),
}

# How the travel times of a plan were found; one that is not listed is shown by its code.
TRAVEL_WORDS: dict[str, Words] = {
    "live": ("实时路网", "by road, asked live"),
    "cached": ("近期留存的路网行程", "by road, kept from before"),
    "mixed": ("部分路网、部分估算", "partly by road"),
    "great_circle": ("直线距离估算", "estimated from straight lines"),
}
RUNG_WORDS: dict[str, Words] = {
    "live": ("实时", "live"),
    "cached": ("留存", "kept"),
    "great_circle": ("估算", "estimated"),
}
# Why not all of them were live.
TRAVEL_NOTE_WORDS: dict[str, Words] = {
    "no_engine": ("未接入路网引擎", "no road engine is set up"),
    "too_many_stops": ("停靠点过多，不做全矩阵", "too many stops for a full matrix"),
    "no_answer": ("路网引擎未及时应答", "the road engine did not answer in time"),
    "refused": ("路网引擎答非所问", "the road engine answered something else"),
    "no_road": ("两点间无路可通", "no road between some places"),
    "far_from_road": ("有停靠点离道路过远", "some places lie too far from any road"),
    "implausible": ("路网引擎的数值不可信", "the road engine's figures cannot be true"),
}

GROUP_WORDS: dict[str, Words] = {
    "appliance_14": ("目录内家电（2014 年版 14 类）", "appliances of the 2014 catalogue"),
    "appliance_other": ("其他家电", "other household appliances"),
    "furniture": ("家具", "furniture"),
}

GIVER_WORDS: dict[str, Words] = {
    "household": ("居民", "households"),
    "enterprise": ("企业", "enterprises"),
    "public_body": ("机关单位", "public bodies"),
}

CHANNEL_WORDS: dict[str, Words] = {
    "door": ("上门", "door"),
    "bin": ("智能箱", "bin"),
    "walk_in": ("自送", "walk-in"),
    "trade_in": ("以旧换新", "trade-in"),
    "pool": ("公物仓", "asset pool"),
}

REFUSED_WORDS: dict[RefusedReason, Words] = {
    "waste": ("垃圾", "waste"),
    "wet": ("含水", "wet"),
    "hazardous": ("危险废物", "hazardous"),
    "not_accepted": ("不收品类", "not accepted"),
    "foreign_matter": ("异物", "foreign matter"),
    "other": ("其他", "other"),
}

EVENT_WORDS: dict[str, Words] = {
    "doorstep": ("上门交接", "at the doorstep"),
    "station_weigh_in": ("站点过磅入库", "weigh-in at the station"),
    "handed_to_processor": ("移交处理企业", "hand-over to the processor"),
}

DOING_WORDS: dict[Doing, Words] = {
    "not_begun": ("未出车", "not out yet"),
    "driving": ("行驶中", "driving"),
    "serving": ("上门中", "at a door"),
    "unloading": ("卸货中", "unloading"),
    "resting": ("休息中", "at lunch"),
    "idle": ("待命", "between stops"),
    "over": ("已收车", "back home"),
}

# What a resident's link says of their visit.
TRACKING_WORDS: dict[TrackingState, Words] = {
    "booked": ("已预约，路线将于前一晚排定", "booked; the routes are planned the evening before"),
    "planned": ("已排入路线", "on a route"),
    "left_out": ("未能排入路线，请改约", "no route reaches you; please book another day"),
    "waiting": ("车辆今日上门，您前面还有其他站", "we come today, after other stops"),
    "on_the_way": ("回收员正在前往您处", "the collector is on the way to you"),
    "at_door": ("回收员已到达", "the collector is at your door"),
    "delayed": ("车辆暂时无法前来，我们会尽快与您联系", "the van cannot come at present; we will call you"),
    "no_record": ("没有上门记录，如未上门请联系我们", "no visit is recorded; call us if nobody came"),
    "collected": ("已完成，感谢支持", "done, thank you"),
    "partly_collected": ("部分完成", "done in part"),
    "failed": ("未能完成，详情见短信或登录查看", "not done; see our message, or sign in"),
    "cancelled": ("已取消", "cancelled"),
}

# A failure in words: its name, and what to do next.
FAILURE_WORDS: dict[int, tuple[Words, Words]] = {
    400: (("请求无法读取", "The request cannot be read"), ("请返回上一页重试", "go back and try again")),
    401: (("请先登录", "Sign in first"), ("请重新登录", "sign in and try again")),
    403: (
        ("无权查看", "Not for you"),
        ("请退出后换用其他账号，或返回首页", "sign out and in again as somebody else, or go to the home page"),
    ),
    404: (("页面不存在", "No such page"), ("请从首页重新进入", "start again from the home page")),
    405: (("此处不能这样提交", "Not like this"), ("请从首页重新进入", "start again from the home page")),
    409: (("与当前情况冲突", "It clashes"), ("请返回上一页查看最新情况", "go back and look at the present state")),
    415: (
        ("不支持的文件类型", "This kind of file is not taken"),
        ("请换成 JPEG、PNG 或 WebP", "send JPEG, PNG or WebP"),
    ),
    412: (("内容已被更新", "It has changed meanwhile"), ("请返回并刷新页面", "go back and reload the page")),
    413: (("提交内容过大", "Too large"), ("请减少内容后重试", "send less at once")),
    422: (("填写有误", "Something is not right"), ("请按提示更正后重试", "correct what is named above and try again")),
    428: (("缺少版本", "No version given"), ("请返回并刷新页面", "go back and reload the page")),
    429: (("操作过于频繁", "Too many requests"), ("请稍候再试", "wait a little, then try again")),
    500: (
        ("系统出错", "Our mistake"),
        ("已记录；报修时请提供请求编号", "it is logged; give the request id when you report it"),
    ),
    501: (("服务器未安装此功能", "Not installed here"), ("请联系管理员", "ask the administrator")),
    # The database may have written before it fell silent, so nobody can say that nothing was changed.
    503: (
        ("系统繁忙", "Busy"),
        (
            "刚才提交的内容是否已保存尚不确定：请稍后先查看，没有再重试（接口请用同一幂等键）",
            "whether what you sent was kept is not known: look in a moment whether it is there, and if not, repeat it"
            " (through the API with the same key)",
        ),
    ),
}

WEEKDAYS: tuple[Words, ...] = tuple(
    zip("一二三四五六日", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True)
)


def page_words() -> dict[str, Any]:
    """Names every template may use."""
    viewer = g.get("principal")
    return {
        "viewer": viewer,
        "screens": SCREENS[viewer.role] if viewer is not None else (),
        "html_lang": HTML_LANG[language()],
        "large_type": large_type(),
        "role_words": ROLE_WORDS,
        "state_words": STATE_WORDS,
        "step_words": STEP_WORDS,
        "reason_words": REASON_WORDS,
        "disruption_words": DISRUPTION_WORDS,
        "change_words": CHANGE_WORDS,
        "travel_text": travel_text,
        "group_words": GROUP_WORDS,
        "giver_words": GIVER_WORDS,
        "channel_words": CHANNEL_WORDS,
        "refused_words": REFUSED_WORDS,
        "event_words": EVENT_WORDS,
        "doing_words": DOING_WORDS,
        "tracking_words": TRACKING_WORDS,
        "csrf_token": csrf_token if viewer is not None else None,
        "failure_words": failure_words,
    }


def failure_words(status: int) -> tuple[Words, Words]:
    """Name and next step of a failure; an unlisted one goes by the standard's name."""
    if status == 503 and request.method in ("GET", "HEAD"):  # nothing was sent that could have been kept
        return FAILURE_WORDS[503][0], ("请稍后刷新页面", "reload the page in a moment")
    known = FAILURE_WORDS.get(status)
    return known if known is not None else (("操作未成功", HTTPStatus(status).phrase), FAILURE_WORDS[404][1])


def travel_text(plan: Mapping[str, Any]) -> Words:
    """From where a plan's travel times are: how many from which rung when from several, and why not all are live."""
    zh, en = TRAVEL_WORDS.get(plan["travel_quality"], (plan["travel_quality"], plan["travel_quality"]))
    cells = plan["travel_cells"]
    if cells and plan["travel_quality"] == "mixed":
        shown = [(RUNG_WORDS[rung], count_text(count)) for rung, count in cells.items() if count]
        zh += "：" + "、".join(f"{words[0]} {count}" for words, count in shown)
        en += ": " + ", ".join(f"{count} {words[1]}" for words, count in shown)
    if plan["travel_note"] not in (None, "no_engine"):  # without an engine nothing went wrong
        why_zh, why_en = TRAVEL_NOTE_WORDS[plan["travel_note"]]
        zh, en = f"{zh}（{why_zh}）", f"{en} ({why_en})"
    return zh, en


def own_half(message: str) -> str:
    """The reader's half of a message ``English / 中文``, whichever comes first; others stay as they are.

    Of several places to part it the one that leaves most to the English: a slash inside it parts nothing.
    """
    pieces = message.split(" / ")
    splits = [(" / ".join(pieces[:at]), " / ".join(pieces[at:])) for at in range(1, len(pieces))]
    halves = [(left, right) if _is_chinese(left) else (right, left) for left, right in splits]
    fit = [(zh, en) for zh, en in halves if _is_chinese(zh) and not _is_chinese(en)]
    return say(*max(fit, key=lambda half: len(half[1]))) if fit else message


def _is_chinese(text: str) -> bool:
    return re.search(r"[\u4e00-\u9fff]", text) is not None


def day_text(day: date | str) -> str:
    """``2026-11-24 周二``, or ``2026-11-24 Tue``."""
    day = date.fromisoformat(day) if isinstance(day, str) else day
    zh, en = WEEKDAYS[day.weekday()]
    return f"{day.isoformat()} {say(f'周{zh}', en)}"


def moment_text(instant: datetime | str) -> str:
    """An instant as local date and time of day."""
    return local_text(datetime.fromisoformat(instant) if isinstance(instant, str) else instant)


def mass_text(mass_g: int) -> str:
    """Write grams as kilograms without losing any, thousands apart: 10302500 -> ``10,302.5 kg``."""
    whole, dot, rest = kg_text(abs(mass_g)).removesuffix(" kg").partition(".")
    return f"{'-' if mass_g < 0 else ''}{int(whole):,}{dot}{rest} kg"


def km_text(distance_m: int) -> str:
    """Write metres as kilometres with one decimal, e.g. 12345 as ``12.3 km``."""
    return f"{distance_m / 1000:,.1f} km"


def span_text(seconds: int) -> str:
    """A length of time as hours and minutes: 5400 -> ``1 h 30 min``."""
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"


def count_text(number: int) -> str:
    """Write a whole number with its thousands apart: 11111 -> ``11,111``."""
    return f"{number:,}"


FILTERS: dict[str, Callable[..., str]] = {
    "clock": clock_text,
    "count": count_text,
    "day": day_text,
    "kg": mass_text,
    "km": km_text,
    "masked": mask_phones,
    "moment": moment_text,
    "percent": percent_text,
    "span": span_text,
    "own_half": own_half,
}
