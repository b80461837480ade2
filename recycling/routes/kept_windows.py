"""Promised windows (时段履约): how many were kept, and why the others were missed."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields, validate

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.policy.kept_windows import MISS_CAUSES
from recycling.routes.context import district
from recycling.routes.guard import GuardedBlueprint, principal
from recycling.routes.schemas.fields import Day, Schema
from recycling.usecases.audit.note_export import note_export
from recycling.usecases.queries.kept_windows import GROUPINGS, kept_windows, kept_windows_csv

bp = GuardedBlueprint(
    "kept_windows", __name__, roles=("clerk", "dispatcher", "admin"),
    description="时段履约 / promised windows, kept and missed",
)  # fmt: skip


class KeptWindowsFilterSchema(Schema):
    """Which days, both included, and how to group."""

    first = Day(data_key="from")
    last = Day(data_key="to")
    by = fields.String(load_default="town", validate=validate.OneOf(GROUPINGS))


class KeptFiguresSchema(Schema):
    """Windows promised and kept, the share in basis points, and the missed ones by cause."""

    promised = fields.Integer(required=True)
    kept = fields.Integer(required=True)
    kept_bp = fields.Integer(required=True, allow_none=True)
    causes = fields.Dict(
        keys=fields.String(validate=validate.OneOf(MISS_CAUSES)), values=fields.Integer(), required=True
    )


class KeptGroupSchema(KeptFiguresSchema):
    """The same of one village, town, or of the rural or urban ones."""

    key = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True, allow_none=True)


class KeptWindowsSchema(Schema):
    """The days asked for, each group of which something was promised, all together, and how many are made up."""

    first = fields.Date(data_key="from", attribute="from", required=True, allow_none=True)
    last = fields.Date(data_key="to", attribute="to", required=True, allow_none=True)
    by = fields.String(required=True, validate=validate.OneOf(GROUPINGS))
    groups = fields.List(fields.Nested(KeptGroupSchema), required=True)
    total = fields.Nested(KeptFiguresSchema, required=True)
    made_up = fields.Integer(required=True)


@bp.get("/kept-windows")
@bp.arguments(KeptWindowsFilterSchema, location="query")
@bp.response(200, KeptWindowsSchema)
def list_kept(wanted: dict[str, Any]) -> dict[str, Any]:
    """Show the share of promised windows that were kept, by village, town or setting (时段履约率)."""
    return kept_windows(district=district(), session=db.session(), **wanted)


@bp.get("/kept-windows.csv")
@bp.arguments(KeptWindowsFilterSchema, location="query")
@bp.response(200, {"type": "string"}, content_type="text/csv", description="UTF-8 with byte-order mark")
def export_kept(wanted: dict[str, Any]) -> Response:
    """Export the same for a spreadsheet (导出时段履约率)."""
    answer = kept_windows(district=district(), session=db.session(), **wanted)
    span = f"{answer['from'] or ''}/{answer['to'] or ''}"
    note_export(
        "kept_windows", subject=span, by=principal(), session=db.session(), now=utc_now(), facts={"by": answer["by"]}
    )
    headers = {"Content-Disposition": f'attachment; filename="kept-windows-by-{answer["by"]}.csv"'}
    return Response(kept_windows_csv(answer), content_type="text/csv; charset=utf-8", headers=headers)
