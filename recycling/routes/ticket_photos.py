"""Pictures of what stood on the scale (磅单照片)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.gateways.photo_decoder import decode_photo
from recycling.policy.photos import MOST_PHOTOS
from recycling.routes.guard import GuardedBlueprint, only, principal
from recycling.routes.pictures import PICTURE, SENT, picture_answer, sent_picture
from recycling.routes.schemas.ticket_photos import TicketPhotoListSchema, TicketPhotoSchema
from recycling.usecases.intake.ticket_photos import add_ticket_photo
from recycling.usecases.queries import ticket_photos as queries
from recycling.usecases.queries.intake import find_ticket

bp = GuardedBlueprint(
    "ticket_photos",
    __name__,
    roles=("keeper", "clerk", "dispatcher", "admin"),
    description="磅单照片 / pictures of what stood on the scale",
)


@bp.post("/intake-tickets/<uuid:ticket_id>/photos")
@only("keeper")
@bp.doc(requestBody=SENT)
@bp.alt_response(200, schema=TicketPhotoSchema, description="The same file was sent before; this is its picture")
@bp.response(201, TicketPhotoSchema)
def add_photo(ticket_id: UUID) -> tuple[Any, int, dict[str, str]]:
    """Add a picture: the file itself as the body, safe to send twice (上传磅单照片)."""
    # Whose ticket it is comes first: ten megabytes are read for nobody else.
    find_ticket(ticket_id, by=principal(), session=db.session())
    photo, is_new = add_ticket_photo(
        ticket_id, sent_picture(), decode=decode_photo, by=principal(), session=db.session(), now=utc_now()
    )
    return photo, 201 if is_new else 200, {"Location": f"/ticket-photos/{photo.id}"}


@bp.get("/intake-tickets/<uuid:ticket_id>/photos")
@bp.response(200, TicketPhotoListSchema)
def list_photos(ticket_id: UUID) -> dict[str, Any]:
    """List the pictures of a ticket (磅单照片列表)."""
    found = queries.list_ticket_photos(ticket_id, by=principal(), session=db.session())
    return {"photos": found, "most_photos": MOST_PHOTOS}


@bp.get("/ticket-photos/<uuid:ticket_photo_id>")
@bp.response(200, PICTURE, content_type="image/jpeg")
def show_photo(ticket_photo_id: UUID) -> Response:
    """Fetch one picture of a ticket (查看磅单照片)."""
    photo = queries.find_ticket_photo(ticket_photo_id, by=principal(), session=db.session())
    return picture_answer(photo.id, photo.content, sha256=photo.sha256)
