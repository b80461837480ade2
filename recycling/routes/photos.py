"""Photos of booked items (预约照片)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.gateways.photo_decoder import decode_photo
from recycling.policy.access import Role
from recycling.policy.photos import MOST_PHOTOS
from recycling.routes.context import district
from recycling.routes.guard import GuardedBlueprint, only, principal
from recycling.routes.pictures import PICTURE, SENT, picture_answer, sent_picture
from recycling.routes.schemas.photos import PhotoListSchema, PhotoSchema
from recycling.usecases.bookings import photos as usecases
from recycling.usecases.queries import photos as queries
from recycling.usecases.queries.bookings import find_booking

bp = GuardedBlueprint(
    "photos",
    __name__,
    roles=("resident", "dispatcher", "admin"),
    description="预约照片 / photos of booked items",
)

# A crew sees on the day what it comes for; it neither adds to a booking's photos nor deletes any.
READERS: tuple[Role, ...] = ("resident", "collector", "dispatcher", "admin")


@bp.post("/bookings/<uuid:booking_id>/photos")
@bp.doc(requestBody=SENT)
@bp.alt_response(200, schema=PhotoSchema, description="The same file was sent before; this is its photo")
@bp.response(201, PhotoSchema)
def add_photo(booking_id: UUID) -> tuple[Any, int, dict[str, str]]:
    """Add a photo: the file itself as the body, safe to send twice (上传照片)."""
    # Whose booking it is comes first: ten megabytes are read for nobody else.
    find_booking(booking_id, by=principal(), session=db.session())
    photo, is_new = usecases.add_photo(
        booking_id, sent_picture(), decode=decode_photo, by=principal(), district=district(), session=db.session(),
        now=utc_now(),
    )  # fmt: skip
    return photo, 201 if is_new else 200, {"Location": f"/photos/{photo.id}"}


@bp.get("/bookings/<uuid:booking_id>/photos")
@only(*READERS)
@bp.response(200, PhotoListSchema)
def list_photos(booking_id: UUID) -> dict[str, Any]:
    """List the photos of a booking (照片列表)."""
    found = queries.list_photos(booking_id, by=principal(), session=db.session(), now=utc_now())
    return {"photos": found, "most_photos": MOST_PHOTOS}


@bp.get("/photos/<uuid:photo_id>")
@only(*READERS)
@bp.response(200, PICTURE, content_type="image/jpeg")
def show_photo(photo_id: UUID) -> Response:
    """Fetch one photo (查看照片)."""
    photo = queries.find_photo(photo_id, by=principal(), session=db.session(), now=utc_now())
    return picture_answer(photo.id, photo.content, sha256=photo.sha256)


@bp.delete("/photos/<uuid:photo_id>")
@bp.response(204)
def delete_photo(photo_id: UUID) -> None:
    """Delete one photo for good, until the cut-off or after the visit (删除照片)."""
    usecases.delete_photo(photo_id, by=principal(), district=district(), session=db.session(), now=utc_now())
