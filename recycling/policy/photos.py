"""What a photo of booked items may be, and what is kept of it."""

from __future__ import annotations

LARGEST_PHOTO = 10 << 20  # 10 MiB as sent: what phones of today write stays below
MOST_PIXELS = 25_000_000  # decoded, a pixel takes four bytes: 100 MB in the child process
KEPT_SIDE = 1600  # pixels of the longer side: a type plate stays legible, a face in the background hardly
MOST_PHOTOS = 6  # of one booking

MEDIA_TYPES = ("image/jpeg", "image/png", "image/webp")


def media_type_of(content: bytes) -> str | None:
    """Recognise JPEG, PNG and WebP by their first bytes; a name or a declared type proves nothing.

    Parameters
    ----------
    content
        The file as it was sent.

    Returns
    -------
    str or None
        One of `MEDIA_TYPES`, ``None`` for everything else.
    """
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return None
