"""Pictures for the made-up bookings: drawn, so that nobody takes them for photos of somebody's home."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np

WIDTH, HEIGHT = 480, 360
Patch = tuple[int, int, int, int, tuple[int, int, int]]  # left, top, right, bottom in pixels, and red, green, blue

ROOM: Sequence[Patch] = (
    (0, 0, 480, 260, (226, 220, 206)), (0, 260, 480, 360, (168, 140, 112)), (0, 254, 480, 262, (246, 244, 238)),
)  # fmt: skip
# A fridge against the wall, by its socket, a box beside it; and the landing with the door and the stairs.
FRIDGE: Sequence[Patch] = (
    (180, 50, 310, 300, (236, 240, 242)), (180, 130, 310, 134, (150, 160, 166)), (292, 70, 298, 120, (120, 130, 136)),
    (292, 146, 298, 220, (120, 130, 136)), (186, 300, 200, 308, (60, 60, 60)), (290, 300, 304, 308, (60, 60, 60)),
    (340, 210, 430, 300, (190, 146, 92)), (382, 210, 388, 300, (222, 190, 140)), (60, 200, 84, 224, (250, 250, 250)),
    (70, 224, 74, 290, (40, 40, 40)), (70, 286, 180, 290, (40, 40, 40)),
)  # fmt: skip
LANDING: Sequence[Patch] = (
    (170, 40, 300, 262, (112, 74, 48)), (180, 50, 290, 262, (138, 94, 62)), (274, 150, 284, 164, (220, 190, 90)),
    (340, 60, 360, 262, (186, 190, 192)), (360, 220, 480, 262, (196, 200, 202)), (390, 180, 480, 220, (206, 210, 212)),
    (420, 140, 480, 180, (216, 220, 222)), (450, 100, 480, 140, (226, 230, 232)), (190, 266, 280, 290, (120, 40, 40)),
)  # fmt: skip


def made_up_photos() -> list[bytes]:
    """What is to go and the way to it, each as a PNG."""
    return [_png([*ROOM, *patches]) for patches in (FRIDGE, LANDING)]


def _png(patches: Sequence[Patch]) -> bytes:
    picture = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    for left, top, right, bottom, colour in patches:
        picture[top:bottom, left:right] = colour
    rows = b"".join(b"\0" + row.tobytes() for row in picture)  # each behind the number of its filter, none
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)  # eight bits each of red, green and blue
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
