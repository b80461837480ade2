"""Readings of weighbridges (地磅读数): sent by the scale itself, or read out of its memory by a keeper."""

from __future__ import annotations

import re
from dataclasses import asdict
from functools import partial
from typing import Any
from uuid import UUID

from flask import abort, g, request

from recycling.clock import utc_now
from recycling.errors import NotSignedIn
from recycling.extensions import db
from recycling.policy.signature import check_signature
from recycling.routes.context import district
from recycling.routes.guard import GuardedBlueprint, needs_header, principal
from recycling.routes.idempotency import idempotent
from recycling.routes.schemas.scale_readings import (
    ImportOfScaleSchema,
    ReadingImportSchema,
    ScaleReadingFilterSchema,
    ScaleReadingListSchema,
    ScaleReadingSchema,
    SendReadingSchema,
)
from recycling.usecases.intake.reading_table import COLUMNS, MOST_ROWS, ReadRow, read_readings
from recycling.usecases.intake.take_readings import ReadingReport, import_readings, take_reading
from recycling.usecases.queries import readings as queries

NAME_HEADER, SIGNATURE_HEADER = "Scale-Name", "Scale-Signature"
NAME = re.compile(r"([a-z0-9-]{1,63})/([A-Za-z0-9-]{1,32})", re.ASCII)
# Verified against when no scale of that name has a key, so that the answer tells nothing about names.
NOBODYS_SECRET = bytes(32)
LARGEST_TABLE = 1 << 20  # 1 MiB: two thousand full rows are a fifth of that

push_bp = GuardedBlueprint(
    "scale_push", __name__, roles=None, url_prefix="/scale-readings",
    description="地磅推送 / a weighbridge sends what it weighs",
)  # fmt: skip
bp = GuardedBlueprint(
    "scale_readings", __name__, roles=("keeper", "clerk", "admin"), url_prefix="/scale-readings",
    description="地磅读数 / what weighbridges say by themselves",
)  # fmt: skip
imports_bp = GuardedBlueprint(
    "scale_reading_imports", __name__, roles=("keeper",), url_prefix="/scale-reading-imports",
    description="地磅历史导入 / a scale's memory as a CSV table, all or nothing",
)  # fmt: skip

HEADERS = [
    {
        "in": "header", "name": NAME_HEADER, "required": True, "schema": {"type": "string"},
        "description": "地磅名称 / station and scale, such as lincheng/1",
    },
    {
        "in": "header", "name": SIGNATURE_HEADER, "required": True, "schema": {"type": "string"},
        "description": "签名 / t=<seconds since 1970>,v1=<hex HMAC-SHA256 of t.body, by the text of the scale's key>",
    },
]  # fmt: skip
BODY = {
    "required": True,
    "content": {
        "text/csv": {
            "schema": {
                "type": "string",
                "description": f"UTF-8 or GB18030, {MOST_ROWS} rows at most. Columns, in any sequence: "
                + ", ".join(COLUMNS),
            }
        }
    },
}


@push_bp.before_request
def check_scale() -> None:
    """Let through only what the scale's key has signed, before any of the body is read as JSON."""
    if request.method == "OPTIONS":
        return
    name, secret = NAME.fullmatch(request.headers.get(NAME_HEADER, "")), None
    if name is not None:
        secret = queries.scale_secret(*name.groups(), session=db.session())
        db.session.rollback()  # let go of the snapshot before the reading opens its own transaction
    check_signature(
        request.headers.get(SIGNATURE_HEADER, ""), secret=secret.encode() if secret is not None else NOBODYS_SECRET,
        body=request.get_data(), now_s=int(utc_now().timestamp()),
    )  # fmt: skip
    if name is None or secret is None:  # somebody has guessed the secret of nobody
        raise NotSignedIn("the signature does not belong to this body and secret; sign the bytes as sent / 签名不正确")
    g.scale = name.groups()


@push_bp.post("")
@push_bp.doc(parameters=HEADERS)
@push_bp.arguments(SendReadingSchema)
@push_bp.alt_response(200, schema=ScaleReadingSchema, description="The reading was known; this is it")
@push_bp.response(201, ScaleReadingSchema)
@push_bp.alt_response(401, "Problem")
def create_reading(report: ReadingReport) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Take in one reading; needs no Idempotency-Key, since it carries a number of its own (接收地磅读数)."""
    station_key, scale_number = g.scale
    reading, is_new = take_reading(
        report, station_key=station_key, scale_number=scale_number, district=district(), session=db.session(),
        now=utc_now(),
    )  # fmt: skip
    told = queries.reading_in_full(reading)
    return told, 201 if is_new else 200, {"Location": f"/scale-readings/{reading.id}"}


@bp.get("")
@bp.arguments(ScaleReadingFilterSchema, location="query")
@bp.response(200, ScaleReadingListSchema)
def list_readings(wanted: dict[str, Any]) -> dict[str, Any]:
    """List readings, those on no ticket first; a keeper those of the own station (地磅读数列表)."""
    unused = wanted.pop("unused") == "true"
    return queries.list_readings(by=principal(), session=db.session(), unused=unused, **wanted)


@bp.get("/<uuid:reading_id>")
@bp.response(200, ScaleReadingSchema)
def show_reading(reading_id: UUID) -> dict[str, Any]:
    """Show one reading (地磅读数详情)."""
    return queries.find_reading(reading_id, by=principal(), session=db.session())


@imports_bp.post("")
@partial(needs_header, name="Idempotency-Key")
@imports_bp.doc(requestBody=BODY)
@imports_bp.arguments(ImportOfScaleSchema, location="query")
@imports_bp.response(201, ReadingImportSchema)
def create_import(wanted: dict[str, str]) -> Any:
    """Keep every weighing of a scale's memory, or none and say why by line; passes over known ones (导入地磅历史)."""
    if request.mimetype != "text/csv":
        abort(415, description="send the table as Content-Type: text/csv / 请以 text/csv 提交 CSV 文件")
    request.max_content_length = LARGEST_TABLE
    encoding, rows = read_readings(request.get_data(), charset=request.mimetype_params.get("charset"))
    return _import_once(encoding, rows, wanted["scale_number"])


@idempotent
@imports_bp.response(201, ReadingImportSchema)
def _import_once(encoding: str, rows: list[ReadRow], scale_number: str) -> dict[str, Any]:
    done = import_readings(
        rows, scale_number=scale_number, by=principal(), district=district(), session=db.session(), now=utc_now()
    )
    return {"encoding": encoding, **asdict(done)}
