"""Whether a promised window was kept, and if not, probably why (时段履约): pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, get_args

from recycling.policy.failed_visits import FAILED_VISIT_CODES
from recycling.policy.field_events import Visit
from recycling.units import second_of_day

MissCause = Literal["late", "early", "breakdown", "vehicle_full", "customer", "no_record"]
MISS_CAUSES: tuple[MissCause, ...] = get_args(MissCause)

OURS: dict[str, MissCause] = {"vehicle_breakdown": "breakdown", "vehicle_full": "vehicle_full"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowJudgement:
    """What became of a promised window.

    Parameters
    ----------
    started_s
        When service started, in seconds after midnight; ``None`` when it never did.
    late_s
        Seconds past the window's last second, negative before its first, 0 within; ``None`` when it never started.
    cause
        Why it was missed, as far as records tell; ``None`` when it was kept.
    """

    started_s: int | None
    late_s: int | None
    cause: MissCause | None

    @property
    def kept(self) -> bool:
        """Whether service started inside the window."""
        return self.cause is None


def judge_window(
    window_s: tuple[int, int], visit: Visit, *, day: date, service_s: int, broke_down_at: datetime | None = None
) -> WindowJudgement:
    """Judge one promise by its visit's records.

    Parameters
    ----------
    service_s
        Planned seconds at the door: where only the outcome was recorded, service began so long before it.
    broke_down_at
        When the vehicle could drive no further, if it could not.
    """
    started_s = _started(visit, day=day, service_s=service_s)
    opens_s, closes_s = window_s
    ours = OURS.get(visit.reason or "") if visit.outcome == "failed" else None
    if started_s is None or ours is not None:
        # Somebody who turns back at the gate for our sake has not kept the promise, whenever they came.
        return WindowJudgement(started_s=None, late_s=None, cause=_never(visit, broke_down_at))
    late_s = max(0, started_s - closes_s) or min(0, started_s - opens_s)
    if late_s == 0:
        return WindowJudgement(started_s=started_s, late_s=0, cause=None)
    if late_s < 0:
        return WindowJudgement(started_s=started_s, late_s=late_s, cause="early")
    broken = broke_down_at is not None and second_of_day(broke_down_at, day=day) <= started_s
    return WindowJudgement(started_s=started_s, late_s=late_s, cause="breakdown" if broken else "late")


def _started(visit: Visit, *, day: date, service_s: int) -> int | None:
    if visit.started_at is not None:
        return second_of_day(visit.started_at, day=day)
    if visit.ended_at is None:
        return None
    if visit.outcome == "failed" and _called_off(visit):
        return None
    return second_of_day(visit.ended_at, day=day) - service_s


def _called_off(visit: Visit) -> bool:
    """Whether a failed visit may well have been recorded without anybody at the door."""
    return visit.reason in OURS or visit.reason == "cancelled"


def _never(visit: Visit, broke_down_at: datetime | None) -> MissCause:
    if visit.outcome == "failed":
        return OURS.get(visit.reason or "", "customer") if visit.reason in FAILED_VISIT_CODES else "no_record"
    return "breakdown" if broke_down_at is not None else "no_record"
