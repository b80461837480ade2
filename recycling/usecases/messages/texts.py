"""The words of every message (消息文本): Chinese first, English beside it, filled from facts that name nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from recycling.clock import SHANGHAI
from recycling.errors import InvalidInput
from recycling.policy.district import District
from recycling.policy.failed_visits import FAILED_VISIT_CODES, FOLLOW_UP_WORDS, follow_up_of
from recycling.units import clock_text

SIGNATURE = "【薛城回收】"  # carriers in China want the sender's sign in front of a text
WEEKDAYS_ZH = "一二三四五六日"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One kind of message.

    ``at_once`` ones may come at night: they answer something the recipient has just done. A resident may decline the
    ``optional`` ones: reminders and advice. Codes, confirmations, changes, cancellations, times and visits that did not
    happen are part of what was agreed, and come whatever somebody declines.
    """

    zh: str
    en: str
    at_once: bool = False
    optional: bool = False


WORDINGS: dict[str, Wording] = {
    "booking.confirmed": Wording(
        zh="您已预约 {day_zh} {window_zh} 上门回收{visits_zh}。"
        "如需修改或取消，请于前一日 {cancel_until} 前且路线发布前办理。",
        en="Your pickup on {day_en}, {window_en}, is booked{visits_en}. Change or cancel it until {cancel_until} the"
        " day before or until the routes are published.",
        at_once=True,
    ),
    "bookings.imported": Wording(
        zh="已为您登记 {bookings} 个上门回收预约，首个为 {day_zh} {window_zh}；如有疑问请联系经办单位。",
        en="{bookings} pickups are booked for you, the first on {day_en}, {window_en}. Ask your institution.",
        at_once=True,
    ),
    "booking.amended": Wording(
        zh="您的上门回收预约已改为 {day_zh} {window_zh}{visits_zh}。",
        en="Your pickup is changed: {day_en}, {window_en}{visits_en}.",
        at_once=True,
    ),
    "booking.cancelled": Wording(
        zh="您 {day_zh} {window_zh} 的上门回收预约{visits_zh}{one_of_zh}已取消。",
        en="Your pickup on {day_en}, {window_en}{visits_en}{one_of_en}, is cancelled.",
        at_once=True,
    ),
    "booking.reminder": Wording(
        zh="提醒：{day_zh} {window_zh} 上门回收{visits_zh}，请备好物品并保持电话畅通。",
        en="Reminder: we pick up on {day_en}, {window_en}{visits_en}. Please have the items ready and your phone at"
        " hand.",
        optional=True,
    ),
    "booking.early_reminder": Wording(
        zh="提醒：您已预约 {day_zh} {window_zh} 上门回收{visits_zh}。"
        "如有变动，请于前一日 {cancel_until} 前且路线发布前修改或取消。",
        en="Reminder: we pick up on {day_en}, {window_en}{visits_en}. Plans changed? Change or cancel until"
        " {cancel_until} the day before or until the routes are published.",
        optional=True,
    ),
    # Somebody waits for it: it comes when the collector sets out, however early.
    "visit.on_the_way": Wording(
        zh="回收员正在前往您处（{day_zh} 上门回收）{one_of_zh}{arrives_zh}，请备好物品并保持电话畅通。{link_zh}",
        en="The collector is on the way to you (pickup on {day_en}){one_of_en}{arrives_en}. Please have the items ready"
        " and your phone at hand.",
        at_once=True,
        optional=True,
    ),
    "visit.late": Wording(
        zh="抱歉，您 {day_zh} 的上门回收{one_of_zh}会晚一些{arrives_zh}，请稍候。{link_zh}",
        en="Sorry: your pickup on {day_en}{one_of_en} will be later{arrives_en}. Please bear with us.",
        at_once=True,
    ),
    "visit.missed": Wording(
        zh="我们没有 {day_zh} 为您上门回收{one_of_zh}的记录。"
        "如未上门，深表歉意，请重新预约或联系我们；如已回收，请忽略。",
        en="We have no record of your pickup on {day_en}{one_of_en}. If nobody came, we are sorry: please book"
        " again or call us. If it was done, nothing is left to do.",
    ),
    "waiting.offered": Wording(
        zh="您候补的 {day_zh} {window_zh} 现有空位，为您保留至 {until_zh}，请在此之前登录确认，逾期将转给下一位。",
        en="A place is free on {day_en}, {window_en}, and kept for you until {until_en}. Please sign in and confirm.",
    ),
    "waiting.ended": Wording(
        zh="抱歉，您候补的时段（最晚 {day_zh}）未能空出，候补已结束，请改约其他日期。",
        en="Sorry: no place became free by {day_en}, and you wait no longer. Please choose other days.",
    ),
    "recurring.unplaced": Wording(
        zh="定期回收 {recurring_id} 在 {day_zh} 未能排入任何时段，请处理。",
        en="Recurring pickup {recurring_id} found no place on {day_en}; please settle it.",
        at_once=True,
    ),
    "recurring.left_out": Wording(
        zh="抱歉，贵单位 {day_zh} 的定期回收暂未排上，调度会与您联系改期。",
        en="Sorry: your recurring pickup on {day_en} has no place yet. The dispatcher will call you.",
    ),
    "visit.collected": Wording(
        zh="您 {day_zh} 的上门回收{one_of_zh}已完成，感谢支持。",
        en="Your pickup on {day_en}{one_of_en} is done. Thank you.",
        optional=True,
    ),
    "visit.partly_collected": Wording(
        zh="您 {day_zh} 的上门回收{one_of_zh}部分完成（原因：{reason_zh}）。",
        en="Your pickup on {day_en}{one_of_en} is done in part (reason: {reason_en}).",
    ),
    "visit.failed": Wording(
        zh="您 {day_zh} 的上门回收{one_of_zh}未能完成（原因：{reason_zh}）。{follow_up_zh}",
        en="Your pickup on {day_en}{one_of_en} could not be done (reason: {reason_en}). {follow_up_en}",
    ),
    "plan.window_confirmed": Wording(
        zh="{day_zh} 上门回收{one_of_zh}已排定，预计 {expected} 左右到达（预约时段 {window_zh}）。",
        en="Your pickup on {day_en}{one_of_en} is planned: we expect to arrive around {expected} (window {window_en}).",
    ),
    "plan.left_out": Wording(
        zh="抱歉，{day_zh} {window_zh} 的上门回收{one_of_zh}未能排入路线，{no_visit_zh}。"
        "请改约其他日期，我们会取消本次预约。",
        en="Sorry: no route reaches you on {day_en}, {window_en}{one_of_en}, and {no_visit_en}. Please book another"
        " day.",
    ),
    # Of a day that is running: whoever is told at night is told too late.
    "plan.time_moved": Wording(
        zh="因路线调整，{day_zh} 上门回收{one_of_zh}预计改为 {expected} 左右到达（预约时段 {window_zh}）。",
        en="Our routes changed: we expect to reach you around {expected} on {day_en}{one_of_en} (window {window_en}).",
        at_once=True,
    ),
    "plan.promise_late": Wording(
        zh="抱歉，因突发情况，{day_zh} {window_zh} 的上门回收{one_of_zh}预计推迟到 {expected} 左右。{alternatives_zh}",
        en="Sorry: after an incident your pickup on {day_en}, {window_en}{one_of_en}, is late; we expect to arrive"
        " around {expected}. {alternatives_en}",
        at_once=True,
    ),
    "plan.promise_broken": Wording(
        zh="抱歉，因突发情况，{day_zh} {window_zh} 的上门回收{one_of_zh}无法进行。{alternatives_zh}",
        en="Sorry: after an incident we cannot come on {day_en}, {window_en}{one_of_en}. {alternatives_en}",
        at_once=True,
    ),
    "plan.promises_broken": Wording(
        zh="{day_zh} 的重排未能守住 {booking_count} 个预约的时段，已告知居民。",
        en="The new plan of {day_en} breaks the windows of {booking_count} bookings; their residents are told.",
        at_once=True,
    ),
    "route.changed": Wording(
        zh="{day_zh} 车辆 {vehicle_key} 的收运路线有变，请刷新后继续。",
        en="The route of vehicle {vehicle_key} on {day_en} has changed; refresh it before you go on.",
        at_once=True,
    ),
    "plan.unassigned": Wording(
        zh="{day_zh} 的计划有 {booking_count} 个预约未排入，请处理。",
        en="The plan of {day_en} leaves out {booking_count} bookings; please settle them.",
        at_once=True,
    ),
    "visits.missed": Wording(
        zh="{day_zh} 有 {booking_count} 个预约没有上门记录，请核实。",
        en="{booking_count} bookings of {day_en} have no record of a visit; please find out why.",
        at_once=True,
    ),
    "route.published": Wording(
        zh="{day_zh} 车辆 {vehicle_key} 的收运路线已发布。",
        en="The route of vehicle {vehicle_key} on {day_en} is published.",
        at_once=True,
    ),
    "goal_report.made": Wording(
        zh="{period} 目标进度报告第 {version} 版已生成。",
        en="Version {version} of the goal report for {period} is ready.",
        at_once=True,
    ),
    "stock.full": Wording(
        zh="{station_zh}库存 {stored_kg} 千克，存放上限 {limit_kg} 千克，请尽快移交。",
        en="{station_en} holds {stored_kg} kg; its storage limit is {limit_kg} kg. Please hand goods over.",
        at_once=True,
    ),
    "stock.aged": Wording(
        zh="{station_zh}有 {lots} 批库存超过存放天数，共 {stored_kg} 千克，最早入库于 {day_zh}，请尽快移交。",
        en="{station_en}: {lots} lots have lain too long, {stored_kg} kg in all, the oldest since {day_en}. Please hand"
        " them over.",
    ),
    "goal.behind_pace": Wording(
        zh="{scope_zh} {year} 年目标预警（第 {level} 级）：截至 {day_zh}，{judged_zh}。",
        en="The {year} goal of {scope_en} is in danger (level {level}): at {day_en}, {judged_en}.",
    ),
    "audit.anchor": Wording(
        zh="{day} 第 {anchor[number]} 号锚定：留痕 {anchor[audit][0]} 条，校验码 {anchor[mac]}，请留存。",
        en="Anchor {anchor[number]} of {day}: {anchor[audit][0]} audit rows, mac {anchor[mac]}. Please keep it.",
        at_once=True,
    ),
    "records.broken": Wording(
        zh="记录核验发现 {findings} 处异常，首处为 {record_kind} {row}，请立即核查：flask audit verify。",
        en="Verification found {findings} records changed, the first {record_kind} {row}; run flask audit verify now.",
        at_once=True,
    ),
    "job.late": Wording(
        zh="定时任务 {job}（{scope}）应于 {due_zh} 执行，至今未完成，请检查：flask jobs list。",
        en="Job {job} ({scope}), due {due_en}, is not done yet; see flask jobs list.",
        at_once=True,
    ),
    "goal_report.published": Wording(
        zh="{period} 目标进度报告第 {version} 版已由两人签发：/goal-reports/{report_id}。内容摘要 SHA-256：{sha256}。",
        en="Version {version} of the goal report for {period} is published by two people, with its files at"
        " /goal-reports/{report_id}. SHA-256 of its figures: {sha256}.",
        at_once=True,
    ),
    "goal_report.differs": Wording(
        zh="警报：已签发的 {period} 报告第 {version} 版（{report_id}）与磅单重算结果不一致，两者均已保留。"
        "请执行 flask report verify {report_id}。",
        en="ALARM: version {version} of the published report for {period} ({report_id}) is not what its tickets say"
        " now; both are kept. Run flask report verify {report_id}.",
        at_once=True,
    ),
    "job.failed": Wording(
        zh="定时任务 {job}（{scope}）多次尝试后仍失败，请处理：flask jobs history。",
        en="Job {job} ({scope}) failed for good and needs a person; see flask jobs history.",
        at_once=True,
    ),
}

DAYTIME_KINDS = tuple(kind for kind, wording in WORDINGS.items() if not wording.at_once)
OPTIONAL_KINDS = tuple(kind for kind, wording in WORDINGS.items() if wording.optional)


def render(kind: str, facts: Mapping[str, Any], *, district: District) -> str:
    """The text of a message, both languages in one.

    Raises
    ------
    InvalidInput
        When there are no words for the kind, or they want a fact that is not there.
    """
    wording = WORDINGS.get(kind)
    if wording is None:
        raise InvalidInput(f"no words for messages of kind {kind!r}; add them to texts.py")
    words = dict(facts) | _derived(facts, district)
    try:
        return f"{wording.zh.format_map(words)} {wording.en.format_map(words)}"
    except KeyError as missing:
        raise InvalidInput(f"a message of kind {kind!r} lacks the fact {missing}; post it with that fact") from None


def _derived(facts: Mapping[str, Any], district: District) -> dict[str, Any]:
    """What people read in place of a stored date, window key, second or list of ids."""
    found: dict[str, Any] = {"cancel_until": clock_text(district.booking_rules.cancel_cutoff_s)}
    if "day" in facts:
        day = date.fromisoformat(facts["day"])
        found["day_zh"] = f"{day.month}月{day.day}日（周{WEEKDAYS_ZH[day.weekday()]}）"
        found["day_en"] = f"{day:%a} {day.day} {day:%b}"
    if "pickup_window" in facts:
        window = district.network.pickup_windows.get(facts["pickup_window"])
        # What has left the configuration since then is told by its key.
        found["window_zh"] = facts["pickup_window"] if window is None else window.name_zh
        found["window_en"] = facts["pickup_window"] if window is None else window.name_en
    if "station_key" in facts:
        station = district.network.stations.get(facts["station_key"])
        found["station_zh"] = facts["station_key"] if station is None else station.name_zh
        found["station_en"] = facts["station_key"] if station is None else station.name_en
    if "stored_g" in facts:  # in whole kilograms, up: nobody reads grams on a phone
        found["stored_kg"] = -(-facts["stored_g"] // 1000)
    if "limit_g" in facts:
        found["limit_kg"] = facts["limit_g"] // 1000
    if "expected_s" in facts:
        found["expected"] = clock_text(facts["expected_s"])
    found |= _arrival(facts)
    if "until" in facts:
        until = datetime.fromisoformat(facts["until"]).astimezone(SHANGHAI)
        found["until_zh"] = f"{until.month}月{until.day}日 {until:%H:%M}"
        found["until_en"] = f"{until:%a} {until.day} {until:%b} {until:%H:%M}"
    if "due_at" in facts:
        due_at = datetime.fromisoformat(facts["due_at"]).astimezone(SHANGHAI)
        found["due_zh"] = f"{due_at.month}月{due_at.day}日 {due_at:%H:%M}"
        found["due_en"] = f"{due_at:%a} {due_at.day} {due_at:%b} {due_at:%H:%M}"
    if facts.get("reason") is not None:
        code = FAILED_VISIT_CODES.get(facts["reason"])
        found["reason_zh"] = facts["reason"] if code is None else code.name_zh
        found["reason_en"] = facts["reason"] if code is None else code.name_en
        found["follow_up_zh"], found["follow_up_en"] = FOLLOW_UP_WORDS[follow_up_of(facts["reason"])]
    found |= _visits(facts)
    if "alternatives" in facts:
        found |= _alternatives(facts["alternatives"], district)
    if "booking_ids" in facts:
        found["booking_count"] = len(facts["booking_ids"])
    return found


def _alternatives(offered: Sequence[Mapping[str, str]], district: District) -> dict[str, str]:
    """The windows that somebody may take instead, or that the dispatcher will call."""
    if not offered:
        return {
            "alternatives_zh": "调度会与您联系改期。",
            "alternatives_en": "The dispatcher will call you to find another time.",
        }
    each = [_derived(one, district) for one in offered]
    zh = "或".join(f"{words['day_zh']} {words['window_zh']}" for words in each)
    en = " or ".join(f"{words['day_en']}, {words['window_en']}" for words in each)
    return {
        "alternatives_zh": f"可登录改约至 {zh}。",
        "alternatives_en": f"Sign in to take {en} instead.",
    }


def _arrival(facts: Mapping[str, Any]) -> dict[str, str]:
    """When we come as the day runs, and where to see it; nothing where nobody can say."""
    link = facts.get("link")
    found = {"arrives_zh": "", "arrives_en": "", "link_zh": "" if link is None else f"查看进度：{link} "}
    if "earliest_s" in facts and "latest_s" in facts:
        span = f"{clock_text(facts['earliest_s'])}–{clock_text(facts['latest_s'])}"
        found |= {"arrives_zh": f"，预计 {span} 上门", "arrives_en": f", expected {span}"}
    return found


def _visits(facts: Mapping[str, Any]) -> dict[str, str]:
    """Of a booking in several visits: how many there are, or that a message is about one of them."""
    visits, one_of = facts.get("visits", 1), facts.get("one_of", 1)
    several, alone = visits > 1, one_of > 1
    return {
        "visits_zh": f"（分 {visits} 次上门）" if several else "",
        "visits_en": f" ({visits} visits)" if several else "",
        "one_of_zh": f"（{one_of} 次上门之一）" if alone else "",
        "one_of_en": f" (one of {one_of} visits)" if alone else "",
        "no_visit_zh": "该次不会上门" if alone else "当日不会上门",
        "no_visit_en": "that visit will not come" if alone else "we will not come",
    }
