"""Dated changes (日期变更) of fleet, crews, station hours and service days; the fleet of a day; the calendar."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.policy.access import Role
from recycling.policy.day_changes import DayChange
from recycling.routes.context import configured, district, etag, expected_version, versioned
from recycling.routes.guard import GuardedBlueprint, principal
from recycling.routes.idempotency import idempotent
from recycling.routes.schemas.day_changes import (
    CalendarSchema,
    DayChangeListSchema,
    DayChangeSchema,
    EndChangeSchema,
    FleetFilterSchema,
    FleetSchema,
    RecordChangeSchema,
    RecordedChangeSchema,
    SpanSchema,
)
from recycling.usecases.planning.change_days import Recorded, end_day_change, record_day_change
from recycling.usecases.queries import day_changes as queries

PLANNERS: tuple[Role, ...] = ("dispatcher", "admin")
bp = GuardedBlueprint(
    "day_changes", __name__, roles=PLANNERS, url_prefix="/day-changes",
    description="日期变更 / what is different on which days: vehicles, crews, hours, closed days",
)  # fmt: skip
days_bp = GuardedBlueprint(
    "days", __name__, roles=PLANNERS, description="车队与日历 / fleet and calendar as they are on a day"
)


@bp.post("")
@bp.arguments(RecordChangeSchema)
@idempotent
@bp.response(201, RecordedChangeSchema)
def record(said: tuple[DayChange, bool]) -> tuple[dict[str, Any], dict[str, str]]:
    """Record a change of days to come; promises that lose their place get another or are named (登记日期变更)."""
    change, even_unplaced = said
    made = record_day_change(
        change, even_unplaced=even_unplaced, by=principal(), district=configured(), session=db.session(), now=utc_now()
    )
    body, headers = _whole(made)
    return body, headers | {"Location": f"{bp.url_prefix}/{made.row.id}"}


@bp.get("")
@bp.arguments(SpanSchema, location="query")
@bp.response(200, DayChangeListSchema)
def list_changes(wanted: dict[str, date]) -> dict[str, Any]:
    """List the changes of a span of days, ended ones too (日期变更列表)."""
    return {"day_changes": queries.list_day_changes(**wanted, session=db.session())}


@bp.get("/<uuid:change_id>")
@bp.response(200, DayChangeSchema)
def show(change_id: UUID) -> tuple[Any, dict[str, str]]:
    """Show one change (日期变更详情)."""
    row = queries.find_day_change(change_id, session=db.session())
    return row, etag(row.version)


@bp.post("/<uuid:change_id>/end")
@versioned
@bp.arguments(EndChangeSchema)
@bp.response(200, RecordedChangeSchema)
def end(body: dict[str, Any], change_id: UUID) -> tuple[dict[str, Any], dict[str, str]]:
    """End a change from a day on; what was true before stays recorded (终止日期变更)."""
    made = end_day_change(
        change_id, **body, version=expected_version(), by=principal(), district=configured(), session=db.session(),
        now=utc_now(),
    )  # fmt: skip
    return _whole(made)


@days_bp.get("/fleet")
@days_bp.arguments(FleetFilterSchema, location="query")
@days_bp.response(200, FleetSchema)
def show_fleet(wanted: dict[str, date]) -> dict[str, Any]:
    """Show who drives what on a day, and at what hours (当日车队)."""
    return queries.fleet_of_day(wanted["day"], district=district())


@days_bp.get("/calendar")
@days_bp.arguments(SpanSchema, location="query")
@days_bp.response(200, CalendarSchema)
def show_calendar(wanted: dict[str, date]) -> dict[str, Any]:
    """Show on which days we collect, and how much is promised (服务日历)."""
    return {"days": queries.calendar_days(**wanted, district=district(), session=db.session())}


def _whole(made: Recorded) -> tuple[dict[str, Any], dict[str, str]]:
    row = made.row
    body = {name: getattr(row, name) for name in DayChangeSchema().fields} | {
        "without_place": [
            {"booking_id": one.id, "day": one.day, "pickup_window": one.pickup_window, "state": one.state}
            for one in made.without_place
        ]
    }
    return body, etag(row.version)
