"""Photos, good and bad, made on the spot."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image

SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def written(image: Image.Image, form: str = "JPEG", **options: Any) -> bytes:
    """An image as a file."""
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def a_photo(colour: str = "red", *, width: int = 300, height: int = 200, form: str = "JPEG", **options: Any) -> bytes:
    """A photo of one colour."""
    return written(Image.new("RGB", (width, height), colour), form, **options)


def a_grainy_photo(*, width: int, height: int) -> bytes:
    """A photo that no encoder makes small: every pixel another grey."""
    return written(Image.effect_noise((width, height), 120).convert("RGB"), quality=95)


def a_phones_photo() -> bytes:
    """A picture lying on its side, red above and blue below once upright, with everything a phone writes beside it."""
    upright = Image.new("RGB", (200, 300), "red")
    upright.paste("blue", (0, 150, 200, 300))
    lying = upright.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it a quarter clockwise
    exif[0x0110] = "SECRET-PHONE"
    exif[0x8825] = {1: "N", 2: (34.0, 48.0, 16.0), 3: "E", 4: (117.0, 15.0, 25.0)}  # where it was taken
    return written(lying, exif=exif, comment=b"SECRET-COMMENT", icc_profile=b"SECRET-PROFILE" * 20, quality=95)


def a_flood(width: int, height: int) -> bytes:
    """A PNG that says it is that large, and is a few bytes of zeros."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(1 << 20), 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


def a_bomb() -> bytes:
    """A PNG whose text unfolds to 200 MB."""
    whole = a_photo(form="PNG")
    body = b"Comment\0\0" + zlib.compress(bytes(200 << 20), 9)
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    return whole[:33] + chunk + whole[33:]  # behind signature and header


def a_polyglot() -> bytes:
    """A JPEG that a browser could also take for a page, and an archiver for an archive."""
    page = b"<html><script>alert(1)</script></html>"
    return written(Image.new("RGB", (300, 200), "red"), comment=page) + page + b"PK\x05\x06" + bytes(18)
