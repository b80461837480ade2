"""The audit log (留痕): who did what with roles, corrections, exports and publications."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from recycling.extensions import db
from recycling.routes.guard import GuardedBlueprint
from recycling.routes.schemas.fields import Day, QueryWhole, Schema, Text
from recycling.usecases.queries.audit_rows import list_audit_rows

bp = GuardedBlueprint(
    "audit_rows", __name__, roles=("clerk", "admin"), url_prefix="/audit-rows",
    description="留痕 / the audit log",
)  # fmt: skip


class AuditRowFilterSchema(Schema):
    """Which rows to list: days are local, both included."""

    action = Text(most=40, metadata={"example": "ticket.corrected"})
    subject = Text(most=80, metadata={"description": "the id or key of the thing"})
    actor_id = fields.UUID()
    first = Day(data_key="from")
    last = Day(data_key="to")
    cursor = Text(most=200)
    limit = QueryWhole(load_default=50, least=1, most=200)


class AuditRowSchema(Schema):
    """One action that somebody answers for; residents stand under an id that leads to nobody."""

    number = fields.Integer(required=True)
    at = fields.AwareDateTime(required=True)
    actor_id = fields.UUID(required=True)
    actor_role = fields.String(required=True)
    action = fields.String(required=True)
    subject = fields.String(required=True)
    facts = fields.Dict(required=True)


class AuditRowListSchema(Schema):
    """A page of rows, newest first."""

    audit_rows = fields.List(fields.Nested(AuditRowSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


@bp.get("")
@bp.arguments(AuditRowFilterSchema, location="query")
@bp.response(200, AuditRowListSchema)
def list_rows(wanted: dict[str, Any]) -> dict[str, Any]:
    """List what was done, newest first (查询留痕)."""
    return list_audit_rows(session=db.session(), **wanted)
