"""Labels on what leaves a door (追溯标签)."""

from __future__ import annotations

from typing import Any

from recycling.extensions import db
from recycling.routes.guard import GuardedBlueprint
from recycling.routes.schemas.proofs import CustodyTraceSchema
from recycling.usecases.queries.custody import custody_trace

bp = GuardedBlueprint(
    "custody_tags",
    __name__,
    roles=("keeper", "dispatcher", "admin"),
    url_prefix="/custody-tags",
    description="追溯标签 / labels on collected items",
)


@bp.get("/<tag>")
@bp.response(200, CustodyTraceSchema)
def show_trace(tag: str) -> dict[str, Any]:
    """Show where a labelled unit came from, and who else claims its label (追溯)."""
    return custody_trace(tag, session=db.session())
