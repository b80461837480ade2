"""What collectors record on their day (外勤记录), and the codes that explain a failed visit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from recycling.clock import service_day, utc_now
from recycling.errors import InvalidInput
from recycling.extensions import db
from recycling.policy.failed_visits import FAILED_VISIT_CODES
from recycling.policy.proof_rules import rules_on
from recycling.routes.context import configured, district
from recycling.routes.guard import GuardedBlueprint, only, principal
from recycling.routes.idempotency import idempotent
from recycling.routes.schemas.field_events import (
    EventAnswersSchema,
    FailedVisitCodesSchema,
    FieldEventsSchema,
    FlagFilterSchema,
    FlaggedEventSchema,
    FlaggedEventsSchema,
    Malformed,
    RulingSchema,
)
from recycling.routes.schemas.proofs import ProofRulesSchema
from recycling.usecases.field.device_gaps import device_gaps
from recycling.usecases.field.record_events import EventAnswer, record_events
from recycling.usecases.field.reports import FieldReport
from recycling.usecases.field.rule_on_event import rule_on_event
from recycling.usecases.queries.field_flags import flagged_event, flagged_events

bp = GuardedBlueprint(
    "field_events",
    __name__,
    roles=("collector",),
    url_prefix="/field-events",
    description="外勤记录 / records of a collector's day",
)
codes_bp = GuardedBlueprint(
    "failed_visit_codes",
    __name__,
    roles=None,
    url_prefix="/failed-visit-codes",
    description="上门失败原因 / why visits fail",
)

rules_bp = GuardedBlueprint(
    "proof_rules",
    __name__,
    roles=None,
    url_prefix="/proof-rules",
    description="上门凭证规则 / what proves a visit",
)

flags_bp = GuardedBlueprint(
    "field_flags",
    __name__,
    roles=("dispatcher", "admin"),
    url_prefix="/field-flags",
    description="待核实记录 / records that a person has to look at",
)

MOST_DEVICES = 3  # of one request: a crew's phones, and one that was replaced

# What HTTP would say of one record alone; of a refusal its code decides.
STATUS = {"accepted": 201, "duplicate": 200, "conflict": 409}


@bp.post("")
@bp.arguments(FieldEventsSchema)
@bp.response(200, EventAnswersSchema)
def record_field_events(body: dict[str, Any]) -> dict[str, Any]:
    """Record what happened; needs no Idempotency-Key, since each record carries its own id (登记外勤记录)."""
    now, session = utc_now(), db.session()
    sent: list[FieldReport | Malformed] = body["events"]
    reports = [one for one in sent if isinstance(one, FieldReport)]
    devices = {report.device_id for report in reports}
    if len(devices) > MOST_DEVICES:
        raise InvalidInput(
            f"events are of {len(devices)} devices; send those of each device apart / 请按设备分别提交记录"
        )
    answered = iter(
        record_events(reports, by=principal(), district=district(), session=session, now=now, sent=body["sent"])
        if reports
        else ()
    )
    return {
        "events": [_malformed(one) if isinstance(one, Malformed) else _answer(next(answered)) for one in sent],
        "devices": [
            {
                "device_id": gaps.device_id,
                "highest_seq": gaps.highest_seq,
                "missing": [{"first": first, "last": last} for first, last in gaps.missing],
            }
            for gaps in device_gaps(session, devices, by=principal())
        ],
        "server_time": now,
    }


def _answer(answer: EventAnswer) -> dict[str, Any]:
    status = STATUS.get(answer.answer) or (404 if answer.code == "not_found" else 422)
    return {
        "event_id": answer.event_id, "answer": answer.answer, "status": status, "code": answer.code,
        "detail": answer.detail, "retryable": answer.retryable, "plan_version": answer.plan_version,
        "flags": list(answer.flags),
    }  # fmt: skip


def _malformed(one: Malformed) -> dict[str, Any]:
    return {
        "event_id": one.event_id, "answer": "refused", "status": 422, "code": "invalid_input", "detail": one.detail,
        "retryable": False, "plan_version": None, "flags": [],
    }  # fmt: skip


@bp.post("/<uuid:event_id>/rulings")
@only("dispatcher", "admin")
@bp.arguments(RulingSchema)
@idempotent
@bp.response(201, FlaggedEventSchema)
def create_ruling(command: dict[str, Any], event_id: UUID) -> dict[str, Any]:
    """Say whether a record counts; its booking follows (核实记录)."""
    session = db.session()
    event = rule_on_event(
        event_id, **command, by=principal(), district=district(), session=session, now=utc_now()
    )  # fmt: skip
    return flagged_event(event, session=session)


@flags_bp.get("")
@flags_bp.arguments(FlagFilterSchema, location="query")
@flags_bp.response(200, FlaggedEventsSchema)
def list_flagged_events(wanted: dict[str, Any]) -> dict[str, Any]:
    """List records that contradict something, the newest first (待核实记录)."""
    return flagged_events(session=db.session(), **wanted)


@codes_bp.get("")
@codes_bp.response(200, FailedVisitCodesSchema)
def list_failed_visit_codes() -> dict[str, Any]:
    """List why a visit can fail or stay incomplete (上门失败原因)."""
    return {"failed_visit_codes": list(FAILED_VISIT_CODES.values())}


@rules_bp.get("")
@rules_bp.response(200, ProofRulesSchema)
def list_proof_rules() -> dict[str, Any]:
    """List what proves a visit today, for an app that asks for it at the door (上门凭证规则)."""
    return {"proof_rules": rules_on(configured().proof_rules, service_day(utc_now()))}
