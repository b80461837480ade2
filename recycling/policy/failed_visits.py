"""Why a visit failed or stayed incomplete: the codes, what proves each, and what follows.

The base set follows council practice as coded in mysociety/fixmystreet (``SLWP2.pm``); codes beyond it are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


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
    no_show: bool = False


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
        next_step_zh="由站点决定", next_step_en="the station decides",
    ),
    FailedVisitCode(
        code="dismantling_not_done", name_zh="未拆机", name_en="Not dismantled", proof_zh="照片", proof_en="photo",
        next_step_zh="提供上门拆机", next_step_en="offer a removal visit",
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
    ),
    FailedVisitCode(
        code="vehicle_full", name_zh="车满", name_en="Vehicle full",
        next_step_zh="我方责任：优先时段", next_step_en="our fault: a priority slot",
    ),
    FailedVisitCode(
        code="vehicle_breakdown", name_zh="车辆故障", name_en="Vehicle breakdown",
        next_step_zh="我方责任：优先时段", next_step_en="our fault: a priority slot",
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
