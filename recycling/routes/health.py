"""Whether the process lives, and whether it can do its work."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from recycling.errors import Unavailable
from recycling.extensions import database_state, db
from recycling.routes.guard import GuardedBlueprint
from recycling.routes.schemas.fields import Schema

bp = GuardedBlueprint("health", __name__, roles=None, description="运行状态 / health")


class LiveSchema(Schema):
    """The process answers."""

    status = fields.String(required=True)


class ReadySchema(Schema):
    """The process can serve: database reachable, tables at the newest migration."""

    status = fields.String(required=True)
    database = fields.String(required=True)
    library = fields.String(required=True)
    journal = fields.String(required=True)
    migration = fields.String(required=True)


@bp.get("/healthz")
@bp.response(200, LiveSchema)
def show_live() -> dict[str, str]:
    """Say that the process lives; asks nothing of the database (存活)."""
    return {"status": "ok"}


@bp.get("/readyz")
@bp.response(200, ReadySchema)
def show_ready() -> dict[str, Any]:
    """Say whether requests can be served (就绪)."""
    state = database_state(db.session())
    if state["migration"] != state.pop("newest_migration"):
        raise Unavailable(f"the database is at migration {state['migration'] or 'none'}; run: make migrate")
    return {"status": "ok"} | state
