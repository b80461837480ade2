"""Reading what is different on which day: dated changes, the fleet of a day, the days of the calendar."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.errors import InvalidInput, NotFound
from recycling.models.booking import PROMISED, Booking
from recycling.models.day_change import DayChangeRow
from recycling.models.ledger import closed_days
from recycling.policy.day_changes import DayChange
from recycling.policy.district import District
from recycling.policy.fleet import Shift
from recycling.policy.network import Network
from recycling.units import clock_text

MOST_ROWS = 500
MOST_DAYS = 62  # that one look at the calendar shows
YEARS = range(2000, 2101)  # of which public holidays are known or can be worked out


def list_day_changes(first_day: date, last_day: date, *, session: Session) -> Sequence[DayChangeRow]:
    """The changes of which a day lies in a span, ended ones too, by their first day.

    Raises
    ------
    InvalidInput
        When the span ends before it begins.
    """
    if last_day < first_day:
        raise InvalidInput(f"last_day {last_day} lies before first_day {first_day} / 结束日期早于开始日期")
    wanted = (
        select(DayChangeRow)
        .where(DayChangeRow.first_day <= last_day, DayChangeRow.last_day >= first_day)
        .order_by(DayChangeRow.first_day, DayChangeRow.number)
    )
    return session.scalars(wanted.limit(MOST_ROWS)).all()


def find_day_change(change_id: UUID, *, session: Session) -> DayChangeRow:
    """One change.

    Raises
    ------
    NotFound
        When there is none of that id.
    """
    row = session.get(DayChangeRow, change_id)
    if row is None:
        raise NotFound(f"no day change {change_id}; list them with GET /day-changes / 未找到该日期变更")
    return row


def fleet_of_day(day: date, *, district: District) -> dict[str, Any]:
    """Every vehicle with its crew and hours on a day, beside how it usually is; who is away; station hours.

    Raises
    ------
    InvalidInput
        When the day lies in a year without a calendar.
    """
    _check_years(day, day)
    usual, network = district.network, district.network_on(day)
    changes = district.day_changes.on(day)
    return {
        "day": day,
        "is_service_day": district.calendar.is_service_day(day),
        "note": district.calendar.note(day),
        "vehicles": [_vehicle(key, usual, network, changes) for key in usual.vehicles],
        "away": [
            {"collector_key": key, "name_zh": rider.name_zh, "name_en": rider.name_en}
            for key, rider in usual.collectors.items()
            if key not in network.collectors
        ],
        "stations": [
            {
                "station_key": key, "name_zh": station.name_zh, "name_en": station.name_en,
                "opens": clock_text(network.stations[key].opens_s),
                "closes": clock_text(network.stations[key].closes_s),
                "changed": network.stations[key] != station,
            }
            for key, station in usual.stations.items()
        ],
    }  # fmt: skip


def _check_years(first_day: date, last_day: date) -> None:
    if first_day.year not in YEARS or last_day.year not in YEARS:
        raise InvalidInput(
            f"choose days of the years {YEARS[0]} to {YEARS[-1]} / 请选择 {YEARS[0]} 至 {YEARS[-1]} 年的日期"
        )


def _vehicle(key: str, usual: Network, network: Network, changes: Sequence[DayChange]) -> dict[str, Any]:
    vehicle = usual.vehicles[key]
    kind, station = usual.vehicle_classes[vehicle.class_key], usual.stations[vehicle.station_key]
    shift = network.shift_of(key) if key in network.vehicles else None
    return {
        "vehicle_key": key,
        "class_zh": kind.name_zh, "class_en": kind.name_en,
        "station_key": vehicle.station_key, "station_zh": station.name_zh, "station_en": station.name_en,
        "out": shift is None,
        "changed": shift != usual.shift_of(key),
        "crew": [] if shift is None else _crew(shift),
        "from": None if shift is None else clock_text(shift.shift_s[0]),
        "to": None if shift is None else clock_text(shift.shift_s[1]),
        "reasons": [
            change.reason
            for change in changes
            if change.vehicle_key == key
            or (change.collector_key is not None and usual.collectors[change.collector_key].vehicle_key == key)
        ],
    }  # fmt: skip


def _crew(shift: Shift) -> list[dict[str, str]]:
    return [{"collector_key": one.key, "name_zh": one.name_zh, "name_en": one.name_en} for one in shift.crew]


def calendar_days(first_day: date, last_day: date, *, district: District, session: Session) -> list[dict[str, Any]]:
    """The days of a span: whether we collect, why not, how much is promised, what is different.

    Raises
    ------
    InvalidInput
        When the span ends before it begins, is too long, or lies in years without a calendar.
    """
    _check_years(first_day, last_day)
    length = (last_day - first_day).days + 1
    if not 1 <= length <= MOST_DAYS:
        raise InvalidInput(f"{first_day} to {last_day}: ask for 1 to {MOST_DAYS} days / 请查询 1 至 {MOST_DAYS} 天")
    days = [first_day + timedelta(days=ahead) for ahead in range(length)]
    promised: Counter[date] = Counter()
    wanted = select(Booking.day, func.count()).where(
        Booking.day.between(first_day, last_day), Booking.state.in_(PROMISED)
    )
    for day, count in session.execute(wanted.group_by(Booking.day)):
        promised[day] = count
    planned = closed_days(session, days)
    return [
        {
            "day": day,
            "is_service_day": district.calendar.is_service_day(day),
            "is_working_day": district.calendar.is_working_day(day),
            "note": district.calendar.note(day),
            "promised": promised[day],
            "planned": day in planned,
            "vehicles": len(district.network_on(day).vehicles),
            "changes": len(district.day_changes.on(day)),
        }
        for day in days
    ]
