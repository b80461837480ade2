"""Why a visit failed or stayed incomplete: the codes, what proves each, and what follows.

The base set follows council practice as coded in mysociety/fixmystreet (``SLWP2.pm``); codes beyond it are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

# What follows for the booking. Free: it was not the giver's doing, and their next booking has priority.
FollowUp = Literal["free_rebooking", "own_rebooking", "station_decides", "removal_visit", "linked_second_stop"]
FOLLOW_UPS: tuple[FollowUp, ...] = get_args(FollowUp)

# The same to the giver, in Chinese and English: which, and how.
FOLLOW_UP_WORDS: Mapping[FollowUp, tuple[str, str]] = {
    "free_rebooking": (
        "这是我方原因，深表歉意：请重新预约，可选任意开放日期，候补优先。",
        "It was our fault, and we are sorry: please book again, on any open day, with priority on the waiting list.",
    ),
    "own_rebooking": ("请重新预约或联系我们。", "Please book again or call us."),
    "station_decides": (
        "站点将核实现场情况后与您联系，请勿自行搬运。",
        "The station looks into it and calls you; please move nothing yourself.",
    ),
    "removal_visit": (
        "请重新预约并勾选“需要拆机”，我们上门拆卸。",
        "Please book again and ask for the item to be taken apart: we do that at your door.",
    ),
    "linked_second_stop": ("剩余物品请再次预约，我们会再次上门。", "Please book the rest: we come once more."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedVisitCode:
    """One reason.

    Parameters
    ----------
    for_failed, for_partly
        Whether it explains a visit that collected nothing, and one that collected some of it.
    proof_zh, proof_en
        What the collector keeps as proof; empty when none is asked for.
    next_step_zh, next_step_en
        What happens next with the booking.
    follow_up
        The same in a word that programs read.
    no_show
        Whether a failed visit counts against the resident (``policy.no_shows``): only when nobody was there.
    """

    code: str
    name_zh: str
    name_en: str
    for_failed: bool = True
    for_partly: bool = True
    proof_zh: str = ""
    proof_en: str = ""
    next_step_zh: str
    next_step_en: str
    follow_up: FollowUp = "own_rebooking"
    no_show: bool = False

    @property
    def our_fault(self) -> bool:
        """Whether the giver is owed a visit."""
        return self.follow_up == "free_rebooking"


_CODES = (
    FailedVisitCode(
        code="address_wrong", name_zh="地址错误", name_en="Wrong address", for_partly=False,
        proof_zh="门牌照片", proof_en="photo of the door number",
        next_step_zh="电话核对更正后重新排线", next_step_en="call, correct, plan again",
    ),
    FailedVisitCode(
        code="no_access", name_zh="无法进入", name_en="No access", proof_zh="照片", proof_en="photo",
        next_step_zh="重新预约", next_step_en="book again",
    ),
    FailedVisitCode(
        code="not_presented", name_zh="物品未备好", name_en="Items not ready", proof_zh="照片", proof_en="photo",
        next_step_zh="重新预约", next_step_en="book again",
    ),
    FailedVisitCode(
        code="nobody_home", name_zh="无人应答", name_en="Nobody home", for_partly=False,
        proof_zh="通话记录，等候10分钟", proof_en="call record, 10 minutes' wait",
        next_step_zh="首次可重新预约，之后仅限临时时段", next_step_en="first time: book again; then short notice only",
        no_show=True,
    ),
    FailedVisitCode(
        code="unsafe", name_zh="安全风险", name_en="Unsafe", proof_zh="说明和照片", proof_en="note and photo",
        next_step_zh="由站点决定", next_step_en="the station decides", follow_up="station_decides",
    ),
    FailedVisitCode(
        code="dismantling_not_done", name_zh="未拆机", name_en="Not dismantled", proof_zh="照片", proof_en="photo",
        next_step_zh="提供上门拆机", next_step_en="offer a removal visit",
        follow_up="removal_visit",
    ),
    FailedVisitCode(
        code="item_differs", name_zh="与预约不符", name_en="Items differ", proof_zh="照片", proof_en="photo",
        next_step_zh="重新估算，由居民确认", next_step_en="estimate again, the resident says yes or no",
    ),
    FailedVisitCode(
        code="price_refused", name_zh="价格未谈拢", name_en="Price refused",
        next_step_zh="计入回收员统计", next_step_en="counted per collector",
    ),
    FailedVisitCode(
        code="partially_completed", name_zh="部分完成", name_en="Partially completed", for_failed=False,
        proof_zh="剩余物品照片", proof_en="photo of the rest",
        next_step_zh="安排第二次上门", next_step_en="a linked second stop",
        follow_up="linked_second_stop",
    ),
    FailedVisitCode(
        code="vehicle_full", name_zh="车满", name_en="Vehicle full",
        next_step_zh="我方责任：优先时段", next_step_en="our fault: a priority slot",
        follow_up="free_rebooking",
    ),
    FailedVisitCode(
        code="vehicle_breakdown", name_zh="车辆故障", name_en="Vehicle breakdown",
        next_step_zh="我方责任：优先时段", next_step_en="our fault: a priority slot",
        follow_up="free_rebooking",
    ),
    FailedVisitCode(
        code="cancelled", name_zh="居民取消", name_en="Cancelled by the resident", for_partly=False,
        next_step_zh="按取消规则处理", next_step_en="the cut-off rule decides",
    ),
)  # fmt: skip

FAILED_VISIT_CODES: Mapping[str, FailedVisitCode] = {row.code: row for row in _CODES}


def is_no_show(reason: str | None) -> bool:
    """Whether a failed visit with this reason counts against the resident."""
    code = FAILED_VISIT_CODES.get(reason or "")
    return code is not None and code.no_show


def is_our_fault(reason: str | None) -> bool:
    """Whether a visit that failed, in whole or in part, for this reason is owed to its giver."""
    code = FAILED_VISIT_CODES.get(reason or "")
    return code is not None and code.our_fault


def follow_up_of(reason: str | None) -> FollowUp:
    """What follows after a visit that failed for a reason; for one that is no code any more, booking again."""
    code = FAILED_VISIT_CODES.get(reason or "")
    return "own_rebooking" if code is None else code.follow_up
