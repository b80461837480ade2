"""The waiting list (候补名单): wishes for which no window was open."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.models.waiting import WaitingWish
from recycling.routes.context import district, etag, expected_version, versioned
from recycling.routes.guard import GuardedBlueprint, principal
from recycling.routes.idempotency import idempotent
from recycling.routes.schemas.bookings import ForWhom
from recycling.routes.schemas.waiting_list import (
    JoinWaitingListSchema,
    WaitingFilterSchema,
    WaitingListSchema,
    WaitingWishSchema,
)
from recycling.usecases.bookings.promise import Wish
from recycling.usecases.bookings.waiting import Choice, join_waiting_list, withdraw_wish
from recycling.usecases.queries import waiting as queries

bp = GuardedBlueprint(
    "waiting_list", __name__, roles=("resident", "dispatcher", "admin"), url_prefix="/waiting-list",
    description="候补名单 / wishes that wait for a place to be freed",
)  # fmt: skip


@bp.post("")
@bp.arguments(JoinWaitingListSchema)
@idempotent
@bp.response(201, WaitingWishSchema)
def join(command: tuple[Wish, ForWhom, list[Choice]]) -> tuple[dict[str, Any], dict[str, str]]:
    """Wait for a place, when no window of the days named is open (加入候补)."""
    wish, whom, choices = command
    waiting = join_waiting_list(
        wish, choices, by=principal(), district=district(), session=db.session(), now=utc_now(),
        resident_id=whom.resident_id, consent=whom.consent,
    )  # fmt: skip
    body, headers = _whole(waiting)
    return body, headers | {"Location": f"{bp.url_prefix}/{waiting.id}"}


@bp.get("")
@bp.arguments(WaitingFilterSchema, location="query")
@bp.response(200, WaitingListSchema)
def list_wishes(wanted: dict[str, Any]) -> dict[str, Any]:
    """List the wishes that the caller may see, in the sequence in which they are served (候补列表)."""
    return queries.list_wishes(by=principal(), session=db.session(), **wanted)


@bp.get("/<uuid:wish_id>")
@bp.response(200, WaitingWishSchema)
def show_wish(wish_id: UUID) -> tuple[dict[str, Any], dict[str, str]]:
    """Show one wish, the hold it is offered, and how many wait before it (候补详情)."""
    return _whole(queries.find_wish(wish_id, by=principal(), session=db.session()))


@bp.post("/<uuid:wish_id>/withdrawal")
@versioned
@bp.response(200, WaitingWishSchema)
def withdraw(wish_id: UUID) -> tuple[dict[str, Any], dict[str, str]]:
    """Stop waiting; a place offered just now is freed for the next (取消候补)."""
    return _whole(
        withdraw_wish(
            wish_id, version=expected_version(), by=principal(), district=district(), session=db.session(),
            now=utc_now(),
        )
    )  # fmt: skip


def _whole(wish: WaitingWish) -> tuple[dict[str, Any], dict[str, str]]:
    return queries.wish_in_full(wish, session=db.session()), etag(wish.version)
