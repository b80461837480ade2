"""Decode photos that strangers send, each in a child process with little memory, little time and no secrets."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from recycling.errors import InvalidInput, Unavailable, UnsupportedMedia
from recycling.logs import logger
from recycling.policy.photos import KEPT_SIDE, MEDIA_TYPES, MOST_PIXELS, media_type_of

log = logger(__name__)

CHILD = Path(__file__).with_name("photo_child.py")
TOO_LARGE = 3  # the child's exit status for a photo beyond its limits
# Python with Pillow maps 120 MB; a PNG or WebP of 25 megapixels takes 100 MB three times over while it is decoded.
MEMORY_BYTES = 640 << 20
CPU_S = 10  # a photo of 25 megapixels takes one
WAIT_S = 20.0  # by the clock: the child may have to wait for a core
AT_ONCE = 2  # decoding takes a core and much memory; more would starve the bookings beside it
QUEUE_S = 10.0

_slots = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainPhoto:
    """A photo as it is kept: a JPEG without anything but its pixels, upright, its longer side at most 1600."""

    content: bytes
    width: int
    height: int

    @property
    def sha256(self) -> str:
        """Names the content."""
        return hashlib.sha256(self.content).hexdigest()


def decode_photo(content: bytes, *, memory_bytes: int = MEMORY_BYTES, wait_s: float = WAIT_S) -> PlainPhoto:
    """Turn what was sent into a plain JPEG.

    Raises
    ------
    UnsupportedMedia
        When the content is neither JPEG, PNG nor WebP, whatever it is called.
    InvalidInput
        When it is empty, cut off or damaged, has more pixels than are taken or needs too much memory or time.
    Unavailable
        When too many photos are being decoded already.
    """
    if not content:
        raise InvalidInput("the body is empty; send the photo itself / 照片内容为空，请重新选择照片")
    if media_type_of(content) is None:
        raise UnsupportedMedia(
            f"the content is none of {', '.join(MEDIA_TYPES)}, whatever its name says; send the photo as JPEG"
            " / 文件内容不是 JPEG、PNG 或 WebP 照片，请转存为 JPEG 后重新上传"
        )
    if not _slots.acquire(timeout=QUEUE_S):
        raise Unavailable("many photos are arriving; send this one again in a moment / 上传繁忙，请稍后重试")
    try:
        return _decoded(content, memory_bytes=memory_bytes, wait_s=wait_s)
    finally:
        _slots.release()


def _decoded(content: bytes, *, memory_bytes: int, wait_s: float) -> PlainPhoto:
    limits = (memory_bytes, CPU_S, MOST_PIXELS, KEPT_SIDE)
    # Isolated: nothing of the server's environment, where the keys are, and no code from where it was started.
    command = [sys.executable, "-I", "-B", str(CHILD), *map(str, limits)]
    try:
        child = subprocess.run(
            command,
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            timeout=wait_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        log.warning("photo.timeout", bytes=len(content))
        raise _too_large() from None
    if child.returncode:
        log.info("photo.refused", bytes=len(content), status=child.returncode)
        # Killed by a signal: by the limit on its time, or by a fault of a decoder that memory ran out in.
        raise _too_large() if child.returncode == TOO_LARGE or child.returncode < 0 else _unreadable()
    size, _, jpeg = child.stdout.partition(b"\n")
    width, height = map(int, size.split())
    return PlainPhoto(content=jpeg, width=width, height=height)


def _too_large() -> InvalidInput:
    return InvalidInput(
        f"the photo has more than {MOST_PIXELS // 10**6} megapixels or takes too long to decode; send it smaller"
        f" / 照片超过 {MOST_PIXELS // 10**6} 百万像素或过于复杂，请缩小后重新上传"
    )


def _unreadable() -> InvalidInput:
    return InvalidInput(
        "the photo is cut off or damaged; take it again and send the whole file / 照片不完整或已损坏，请重新拍摄上传"
    )
