"""What collectors record at the door (上门结果), and the codes that explain a failed visit."""

from __future__ import annotations

from typing import Any

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.policy.failed_visits import FAILED_VISIT_CODES
from recycling.routes.context import district
from recycling.routes.guard import GuardedBlueprint, principal
from recycling.routes.schemas.field_events import FieldEventsSchema, EventAnswersSchema, FailedVisitCodesSchema
from recycling.usecases.field.record_events import FieldReport, record_events

bp = GuardedBlueprint(
    "field_events",
    __name__,
    roles=("collector",),
    url_prefix="/doorstep-events",
    description="上门结果 / records made at the door",
)
codes_bp = GuardedBlueprint(
    "failed_visit_codes",
    __name__,
    roles=None,
    url_prefix="/failed-visit-codes",
    description="上门失败原因 / why visits fail",
)


@bp.post("")
@bp.arguments(FieldEventsSchema)
@bp.response(200, EventAnswersSchema)
def record_field_events(body: dict[str, list[FieldReport]]) -> dict[str, Any]:
    """Record visits; needs no Idempotency-Key, since each record carries its own id (登记上门结果)."""
    answers = record_events(body["events"], by=principal(), district=district(), session=db.session(), now=utc_now())
    return {"events": answers}


@codes_bp.get("")
@codes_bp.response(200, FailedVisitCodesSchema)
def list_failed_visit_codes() -> dict[str, Any]:
    """List why a visit can fail or stay incomplete (上门失败原因)."""
    return {"failed_visit_codes": list(FAILED_VISIT_CODES.values())}
