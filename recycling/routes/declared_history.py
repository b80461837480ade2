"""Declared history (申报历史数据): monthly figures of 2022 to 2025 and later months, as the bureau states them."""

from __future__ import annotations

import csv
import io
from functools import partial
from typing import Any

from flask import Response, abort, jsonify, make_response, request

from recycling.clock import service_day, utc_now
from recycling.extensions import db
from recycling.gateways.workbook import BOM
from recycling.routes.context import configured
from recycling.routes.guard import GuardedBlueprint, needs_header, only, principal
from recycling.routes.idempotency import idempotent
from recycling.routes.schemas.history import (
    DeclaredFilterSchema,
    DeclaredListSchema,
    DeclaredRehearsalSchema,
    DeclaredUploadListSchema,
    DeclaredUploadSchema,
    HistoryWantedSchema,
    PageFilterSchema,
)
from recycling.usecases.queries import declared as queries
from recycling.usecases.reporting.declared_history import rehearse_upload, upload_history
from recycling.usecases.reporting.history_table import COLUMNS, MOST_ROWS, TEMPLATE_ROWS, Declared, read_history

LARGEST_TABLE = 4 << 20  # 4 MiB: twenty thousand rows with long names of documents
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

bp = GuardedBlueprint(
    "declared_history", __name__, roles=("clerk", "dispatcher", "admin"),
    description="申报历史数据 / monthly figures that the bureau declares, beside those of tickets",
)  # fmt: skip

_SCHEMA = {
    "type": "string",
    "description": f"{MOST_ROWS} rows at most. Columns, in any sequence, in English or Chinese: "
    + ", ".join("/".join(names) for names in COLUMNS.values()),
}
BODY = {
    "required": True,
    "content": {"text/csv": {"schema": _SCHEMA}, XLSX: {"schema": _SCHEMA | {"format": "binary"}}},
}


@bp.post("/declared-history")
@only("clerk")
@partial(needs_header, name="Idempotency-Key")
@bp.doc(requestBody=BODY)
@bp.arguments(HistoryWantedSchema, location="query")
@bp.alt_response(200, schema=DeclaredRehearsalSchema, description="A dry run: nothing was kept")
@bp.response(201, DeclaredUploadSchema)
def create_upload(wanted: dict[str, str]) -> Any:
    """Declare monthly figures by a CSV or Excel file, taken whole or refused line by line (上传历史数据).

    A month that an earlier file holds is superseded, never edited. Nothing of it is ever added to what was weighed.
    """
    if request.mimetype not in ("text/csv", XLSX):
        abort(415, description=f"send the table as text/csv or {XLSX} / 请提交 CSV 或 .xlsx 文件")
    request.max_content_length = LARGEST_TABLE
    source_document = wanted["source_document"]
    form, figures = read_history(
        request.get_data(), charset=request.mimetype_params.get("charset"), source_document=source_document,
        this_month=service_day(utc_now()).replace(day=1), district=configured(),
    )  # fmt: skip
    if wanted["dry_run"] == "true":
        told = DeclaredRehearsalSchema().dump(rehearse_upload(figures, form=form, session=db.session()))
        return make_response(jsonify(told), 200)
    return _keep_once(form, figures, source_document)


@idempotent
@bp.response(201, DeclaredUploadSchema)
def _keep_once(form: str, figures: list[Declared], source_document: str) -> Any:
    return upload_history(
        figures, raw=request.get_data(), form=form, source_document=source_document, by=principal(),
        session=db.session(), now=utc_now(),
    )  # fmt: skip


@bp.get("/declared-history")
@bp.arguments(DeclaredFilterSchema, location="query")
@bp.response(200, DeclaredListSchema)
def list_declared(wanted: dict[str, Any]) -> dict[str, Any]:
    """List declared figures by month: those that count, or those of one upload (申报数据)."""
    return queries.list_declared(session=db.session(), **wanted)


@bp.get("/declared-history/uploads")
@bp.arguments(PageFilterSchema, location="query")
@bp.response(200, DeclaredUploadListSchema)
def list_uploads(wanted: dict[str, Any]) -> dict[str, Any]:
    """List the uploads, newest first (上传记录)."""
    return queries.list_uploads(session=db.session(), **wanted)


@bp.get("/declared-history/template.csv")
@bp.response(200, {"type": "string"}, content_type="text/csv", description="UTF-8 with byte-order mark")
def show_template() -> Response:
    """Download an empty table with two rows as examples (模板下载)."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(TEMPLATE_ROWS)
    headers = {"Content-Disposition": 'attachment; filename="declared-history.csv"'}
    return Response(BOM + text.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)
