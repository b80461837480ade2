"""The rules that a record has to keep to be taken in at all: about its visit, its items and its instant."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from recycling.errors import InvalidInput
from recycling.models.booking import Booking
from recycling.policy.district import District
from recycling.policy.failed_visits import FAILED_VISIT_CODES
from recycling.policy.field_events import OUTCOMES
from recycling.units import instant_at
from recycling.usecases.field.reports import FieldReport

# More than was declared is found at many a door; beyond twenty more of one item type it is a slip of the finger, or
# another van's work that nobody has planned.
MOST_MORE = 20

# Before its day, or before the routes were published, nobody could stand at the door, save for a clock that is a
# little behind. After the day people put right what they recorded, and a phone comes back from weeks without a network
# or in repair. A door that is first remembered after a month is not, and the month's figures are reported by then.
MOST_BEHIND = timedelta(minutes=5)
MOST_LATE = timedelta(days=30)


def check_instant(made_at: datetime, day: date, *, published_at: datetime, made_up: bool, now: datetime) -> None:
    """Refuse what cannot have happened on its day.

    Raises
    ------
    InvalidInput
        When it lies before the day or the routes' publication, or more than a month after.
    """
    begins, ends = instant_at(day, 0), instant_at(day + timedelta(days=1), 0)
    said = f"device_time, by our clock {made_at.isoformat()},"
    # What is not yet recorded cannot reach us, whatever the phone says: our own clock bounds it too. A made-up day,
    # which is tomorrow, may be played to its end today.
    if min(made_at, now) < begins - MOST_BEHIND and not made_up:
        raise InvalidInput(
            f"{said} was made or sent before {day}, the day of this pickup; record the visit at the door on that day,"
            f" and set the phone's clock if it is wrong / 该预约于 {day} 上门，请当日上门时登记；如手机时间有误请先校准"
        )
    if made_at > ends + MOST_LATE:
        raise InvalidInput(
            f"{said} is more than {MOST_LATE.days} days after {day}, the day of this pickup; set the phone's clock and"
            " record the visit again, or call the dispatcher if the clock is right"
            f" / 已超过上门日 {day} 后 {MOST_LATE.days} 天，请校准手机时间后重新登记；时间无误请联系调度"
        )
    if made_at < published_at - MOST_BEHIND:
        raise InvalidInput(
            f"{said} lies before the route was published; set the phone's clock and record the visit again"
            " / 记录时间早于路线发布时间，请校准手机时间后重新登记"
        )


def check_outcome(report: FieldReport, booking: Booking, *, district: District) -> None:
    """Refuse an outcome whose reason, items or price cannot be.

    Raises
    ------
    InvalidInput
        Naming the value and what to send instead.
    """
    if report.kind not in OUTCOMES:
        return
    _check_reason(report)
    _check_price(report)
    seen: set[str] = set()
    for item in report.payload.items:
        district.catalogue.item_type(item.item_type, on=booking.day)
        if item.item_type in seen:
            raise InvalidInput(f"item_type {item.item_type!r} comes twice; give it once with all its units")
        seen.add(item.item_type)
        if (item.missing_parts or 0) > item.units:
            raise InvalidInput(
                f"missing_parts {item.missing_parts} of {item.item_type!r}: give how many of its {item.units} units are"
                " stripped / 缺件数不得超过件数"
            )
    if report.kind != "failed":
        _check_units(report, booking)


def _check_price(report: FieldReport) -> None:
    change = report.payload.price_change
    if change is not None and not change.agreed:
        raise InvalidInput(
            "payload.price_change was not agreed to, so nothing may be taken: send kind 'failed' with reason"
            " 'price_refused' / 居民未同意价格变更，请按失败（price_refused）登记"
        )


def _check_units(report: FieldReport, booking: Booking) -> None:
    """Collected means every unit that was declared, and whatever more was found; partly means less than that."""
    declared = {item.item_type: item.declared_units for item in booking.items}
    taken = {item.item_type: item.units for item in report.payload.items}
    for item_type, units in taken.items():
        booked = declared.get(item_type, 0)
        if units > booked + MOST_MORE:
            raise InvalidInput(
                f"{units} units of {item_type!r} where {booked} were booked: one visit takes at most {MOST_MORE} more;"
                " count again, and have the resident book the rest"
                f" / {item_type} 预约 {booked} 件、登记 {units} 件，最多可多收 {MOST_MORE} 件，请核对，其余请另行预约"
            )
    missing = [item_type for item_type, booked in declared.items() if taken.get(item_type, 0) < booked]
    if report.kind == "collected" and missing:
        raise InvalidInput(
            f"fewer of {', '.join(missing)} than were booked: send kind 'partly' with a reason, or count again"
            f" / {'、'.join(missing)} 少于预约数量，请按部分完成（partly）登记并选择原因，或核对数量"
        )
    if report.kind == "partly" and not missing:
        raise InvalidInput(
            "everything that was booked is taken: send kind 'collected' without a reason, or count again"
            " / 预约物品已全部收取，请按已完成（collected）登记，或核对数量"
        )


def _check_reason(report: FieldReport) -> None:
    if report.kind == "collected":
        return
    allowed = [
        row.code
        for row in FAILED_VISIT_CODES.values()
        if (row.for_failed if report.kind == "failed" else row.for_partly)
    ]
    if report.payload.reason not in allowed:
        raise InvalidInput(
            f"reason {report.payload.reason!r} does not explain kind {report.kind!r}; choose from {', '.join(allowed)}"
            " / 请选择原因代码"
        )
