"""Pictures over HTTP: taken as the body of a request, shown as pictures and as nothing else."""

from __future__ import annotations

from uuid import UUID

from flask import Response, request

from recycling.errors import UnsupportedMedia
from recycling.policy.photos import LARGEST_PHOTO, MEDIA_TYPES

PICTURE = {"type": "string", "format": "binary"}
SENT = {"required": True, "content": {media_type: {"schema": PICTURE} for media_type in MEDIA_TYPES}}


def sent_picture() -> bytes:
    """The photo that is the body of the running request.

    Raises
    ------
    UnsupportedMedia
        When it says to be something else.
    """
    if request.mimetype not in MEDIA_TYPES:
        raise UnsupportedMedia(
            f"send the photo itself as the body, with one of {', '.join(MEDIA_TYPES)} as its Content-Type"
            " / 请以 JPEG、PNG 或 WebP 照片文件作为请求内容"
        )
    request.max_content_length = LARGEST_PHOTO
    return request.get_data()


def picture_answer(photo_id: UUID, content: bytes, *, sha256: str) -> Response:
    """A kept picture, shown as a picture or not at all: never run, never framed, never taken for another type."""
    headers = {
        "Content-Disposition": f'inline; filename="{photo_id}.jpg"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "ETag": f'"{sha256}"',
    }
    return Response(content, content_type="image/jpeg", headers=headers)
