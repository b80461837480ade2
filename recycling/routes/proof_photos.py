"""Photos of visits (凭证照片): sent in parts by collectors, seen by the resident and the dispatcher."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, request

from recycling.clock import utc_now
from recycling.errors import TooLarge, UnsupportedMedia
from recycling.extensions import db
from recycling.gateways.photo_decoder import decode_photo
from recycling.policy.photos import MEDIA_TYPES
from recycling.policy.proof_photos import LARGEST_PART, check_sha256, read_part
from recycling.routes.guard import GuardedBlueprint, only, principal
from recycling.routes.pictures import PICTURE, picture_answer
from recycling.routes.schemas.proofs import ProofListSchema, ProofOfBookingSchema, ProofProgressSchema
from recycling.usecases.field.proof_photos import take_part
from recycling.usecases.queries import proofs as queries
from recycling.usecases.queries.bookings import find_booking

bp = GuardedBlueprint(
    "proof_photos",
    __name__,
    roles=("collector", "resident", "dispatcher", "admin"),
    description="凭证照片 / photos of visits",
)

PARTS = (*MEDIA_TYPES, "application/octet-stream")
SENT = {"required": True, "content": {media_type: {"schema": PICTURE} for media_type in PARTS}}
CONTENT_RANGE = {
    "in": "header",
    "name": "Content-Range",
    "required": False,
    "description": "分段范围 / bytes a-b/total; without it the body is the whole photo",
    "schema": {"type": "string", "pattern": "^bytes [0-9]{1,12}-[0-9]{1,12}/[0-9]{1,12}$"},
}


@bp.put("/proof-photos/<sha256>")
@only("collector")
@bp.doc(requestBody=SENT, parameters=[CONTENT_RANGE])
@bp.arguments(ProofOfBookingSchema, location="query")
@bp.alt_response(200, schema=ProofProgressSchema, description="The photo is known; nothing needs to be sent")
@bp.alt_response(202, schema=ProofProgressSchema, description="The part is stored; the next begins at stored_bytes")
@bp.response(201, ProofProgressSchema)
def put_part(wanted: dict[str, UUID], sha256: str) -> tuple[Any, int, dict[str, str]]:
    """Send a photo or a part of it, named by the file's SHA-256; any part may be sent again (上传凭证照片)."""
    # Whose booking it is comes first: megabytes are read for nobody else.
    find_booking(wanted["booking_id"], by=principal(), session=db.session())
    check_sha256(sha256)
    if request.mimetype not in PARTS:
        raise UnsupportedMedia(
            f"send the bytes themselves as the body, with one of {', '.join(PARTS)} as its Content-Type"
            " / 请以照片文件内容作为请求内容"
        )
    request.max_content_length = LARGEST_PART
    if (request.content_length or 0) > LARGEST_PART:
        raise TooLarge(
            f"the body has {request.content_length} bytes; send parts of at most {LARGEST_PART}, each with its"
            f" Content-Range / 单次最多上传 {LARGEST_PART >> 20} MB，请分段上传"
        )
    content = request.get_data()
    part = read_part(request.headers.get("Content-Range"), size=len(content))
    found = take_part(
        sha256, part, content, booking_id=wanted["booking_id"], decode=decode_photo, by=principal(),
        session=db.session(), now=utc_now(),
    )  # fmt: skip
    status = 201 if found.is_new else 200 if found.complete else 202
    return found, status, _offset(found)


@bp.get("/proof-photos/<sha256>/progress")
@only("collector")
@bp.arguments(ProofOfBookingSchema, location="query")
@bp.response(200, ProofProgressSchema)
def show_progress(wanted: dict[str, UUID], sha256: str) -> tuple[Any, dict[str, str]]:
    """Tell at which byte to go on; HEAD tells it in the header Upload-Offset (上传进度)."""
    found = queries.proof_progress(check_sha256(sha256), by=principal(), session=db.session(), **wanted)
    return found, _offset(found)


@bp.get("/proof-photos/<sha256>")
@only("resident", "dispatcher", "admin")
@bp.arguments(ProofOfBookingSchema, location="query")
@bp.response(200, PICTURE, content_type="image/jpeg")
def show_proof(wanted: dict[str, UUID], sha256: str) -> Response:
    """Fetch one photo by the SHA-256 that it was sent under (查看凭证照片)."""
    photo = queries.find_proof(check_sha256(sha256), by=principal(), session=db.session(), **wanted)
    return picture_answer(photo.id, photo.content, sha256=photo.sha256)


@bp.get("/bookings/<uuid:booking_id>/proof-photos")
@only("resident", "dispatcher", "admin")
@bp.response(200, ProofListSchema)
def list_proofs(booking_id: UUID) -> dict[str, Any]:
    """List the photos of a booking's visit (凭证照片列表)."""
    return {"proof_photos": queries.list_proofs(booking_id, by=principal(), session=db.session())}


def _offset(found: queries.ProofProgress) -> dict[str, str]:
    return {"Upload-Offset": str(found.stored_bytes)}
