"""Processors and the batches that the stations hand over to them (处理企业、移交批次)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.routes.context import configured
from recycling.routes.guard import GuardedBlueprint, only, principal
from recycling.routes.idempotency import idempotent
from recycling.routes.printing import PDF, transfer_note_answer
from recycling.routes.schemas.hand_overs import (
    HandOverFilterSchema,
    HandOverListSchema,
    HandOverRequestSchema,
    HandOverSchema,
    ProcessorListSchema,
    ResolutionRequestSchema,
    ReturnRequestSchema,
    ReWeighRequestSchema,
)
from recycling.usecases.custody.hand_over import Batch, hand_over
from recycling.usecases.custody.re_weigh import re_weigh, resolve_difference
from recycling.usecases.custody.take_back import take_back
from recycling.usecases.queries import hand_overs as queries

bp = GuardedBlueprint(
    "hand_overs",
    __name__,
    roles=("keeper", "clerk", "dispatcher", "admin"),
    description="移交批次 / batches handed over to licensed processors",
)


@bp.get("/processors")
@bp.response(200, ProcessorListSchema)
def list_processors() -> dict[str, Any]:
    """List the processors with their licences (处理企业)."""
    return queries.list_processors(district=configured(), now=utc_now())


@bp.post("/hand-overs")
@only("keeper")
@bp.arguments(HandOverRequestSchema)
@idempotent
@bp.response(201, HandOverSchema)
def create_hand_over(batch: Batch) -> dict[str, Any]:
    """Hand a batch of the own station over to a processor whose licence covers it today (移交)."""
    made = hand_over(batch, by=principal(), district=configured(), session=db.session(), now=utc_now())
    return queries.batch_in_full(made)


@bp.get("/hand-overs")
@bp.arguments(HandOverFilterSchema, location="query")
@bp.response(200, HandOverListSchema)
def list_hand_overs(wanted: dict[str, Any]) -> dict[str, Any]:
    """List batches, newest first; a keeper those of the own station (移交列表)."""
    return queries.list_hand_overs(by=principal(), session=db.session(), **wanted)


@bp.get("/hand-overs/<uuid:hand_over_id>")
@bp.response(200, HandOverSchema)
def show_hand_over(hand_over_id: UUID) -> dict[str, Any]:
    """Show one batch with its labels and re-weighs (移交详情)."""
    return queries.find_hand_over(hand_over_id, by=principal(), session=db.session())


@bp.get("/hand-overs/<uuid:hand_over_id>/note.pdf")
@bp.alt_response(501, "Problem")
@bp.response(200, PDF, content_type="application/pdf", description="A4, in two copies for both sides")
def print_note(hand_over_id: UUID) -> Response:
    """Print the transfer note of a batch (打印移交单)."""
    note = queries.transfer_note(hand_over_id, by=principal(), district=configured(), session=db.session())
    return transfer_note_answer(note, now=utc_now())


@bp.post("/hand-overs/<uuid:hand_over_id>/re-weighs")
@bp.arguments(ReWeighRequestSchema)
@idempotent
@bp.response(201, HandOverSchema)
def create_re_weigh(body: dict[str, Any], hand_over_id: UUID) -> dict[str, Any]:
    """Write the processor's net down; a difference outside the tolerance is held (去向复磅)."""
    batch = re_weigh(hand_over_id, by=principal(), district=configured(), session=db.session(), now=utc_now(), **body)
    return queries.batch_in_full(batch)


@bp.post("/hand-overs/<uuid:hand_over_id>/returns")
@only("keeper")
@bp.arguments(ReturnRequestSchema)
@idempotent
@bp.response(201, HandOverSchema)
def create_return(body: dict[str, Any], hand_over_id: UUID) -> dict[str, Any]:
    """Take units back that the processor sends back: again in the own station's stock (退回)."""
    batch = take_back(hand_over_id, by=principal(), session=db.session(), now=utc_now(), **body)
    return queries.batch_in_full(batch)


@bp.post("/hand-overs/<uuid:hand_over_id>/resolution")
@bp.arguments(ResolutionRequestSchema)
@idempotent
@bp.response(201, HandOverSchema)
def create_resolution(body: dict[str, Any], hand_over_id: UUID) -> dict[str, Any]:
    """Settle a held difference, with a reason, as a second person (差异处理)."""
    batch = resolve_difference(hand_over_id, by=principal(), session=db.session(), now=utc_now(), **body)
    return queries.batch_in_full(batch)
