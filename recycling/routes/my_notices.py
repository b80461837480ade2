"""A resident's say on reminders and advice (我的提醒设置)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.routes.guard import GuardedBlueprint, principal
from recycling.routes.schemas.notices import ChangeNoticesSchema, NoticesSchema
from recycling.usecases.messages.texts import OPTIONAL_KINDS, WORDINGS
from recycling.usecases.people.notices import declined_at, take_reminders

bp = GuardedBlueprint(
    "my_notices",
    __name__,
    roles=("resident",),
    url_prefix="/my-notices",
    description="我的提醒设置 / which messages a resident takes",
)


@bp.get("")
@bp.response(200, NoticesSchema)
def show_my_notices() -> dict[str, Any]:
    """Show whether the caller takes reminders, and which messages that is about (提醒设置)."""
    return _shown(declined_at(principal(), session=db.session()))


@bp.patch("")
@bp.arguments(ChangeNoticesSchema)
@bp.response(200, NoticesSchema)
def change_my_notices(wanted: dict[str, bool]) -> dict[str, Any]:
    """Take or decline reminders and advice; needs no If-Match, since the last word is what counts (修改提醒设置)."""
    return _shown(take_reminders(wanted["reminders"], by=principal(), session=db.session(), now=utc_now()))


def _shown(since: datetime | None) -> dict[str, Any]:
    to_residents = [kind for kind in WORDINGS if kind.startswith(("booking.", "visit.", "plan."))]
    return {
        "reminders": since is None,
        "declined_at": since,
        "optional_kinds": sorted(OPTIONAL_KINDS),
        "always_kinds": sorted(set(to_residents) - set(OPTIONAL_KINDS) - {"plan.unassigned"}),
    }
