"""The child process that decodes one photo: a file comes in, a plain JPEG goes out, nothing else is to be had here.

Run as a file by `photo_decoder`, with an empty environment and without the rest of the project. What it answers on
standard output is ``width height`` and a line end before the JPEG; or nothing, and an exit status that says why.
"""

from __future__ import annotations

import io
import resource
import sys
import warnings

from PIL import Image, ImageOps

TOO_LARGE, UNREADABLE = 3, 4  # exit statuses
JPEG_QUALITY = 82  # a type plate stays legible at about 300 KB
WHITE = (255, 255, 255)


def limit(memory_bytes: int, cpu_s: int) -> None:
    """Give up everything that decoding does not need, before the first byte of the photo is read."""
    if sys.platform != "darwin":  # which counts the system's libraries in and refuses the limit
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    for none_of in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        resource.setrlimit(none_of, (0, 0))


def plain_jpeg(content: bytes, *, most_pixels: int, side: int) -> tuple[Image.Image, bytes]:
    """Decode the first picture of a file, shrink, turn and flatten it, and write its pixels and nothing else.

    Raises
    ------
    OverflowError
        When it has more pixels than allowed; known from its header, before any is decoded.
    """
    with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as image:
        if image.width * image.height > most_pixels:
            raise OverflowError
        orientation = image.getexif().get(0x0112, 1)
        # A JPEG can be decoded at an eighth, a quarter or half of its size straight away.
        image.draft("RGB", (side, side))
        image.load()
        if image.mode not in ("RGB", "RGBA", "L"):
            transparent = image.mode in ("LA", "PA") or "transparency" in image.info
            found = image.convert("RGBA" if transparent else "RGB")
        else:
            found = image.copy()
    found.thumbnail((side, side))
    if found.mode == "RGBA":
        ground = Image.new("RGB", found.size, WHITE)
        ground.paste(found, mask=found.getchannel("A"))
        found = ground
    found = found.convert("RGB")
    # Only the orientation is taken over from what the camera wrote: no place, no time, no device, no thumbnail.
    found.info.clear()
    found.getexif().clear()
    found.getexif()[0x0112] = orientation
    turned = ImageOps.exif_transpose(found)
    bare = Image.frombytes("RGB", turned.size, turned.tobytes())
    written = io.BytesIO()
    bare.save(written, "JPEG", quality=JPEG_QUALITY)
    return bare, written.getvalue()


def main(memory_bytes: int, cpu_s: int, most_pixels: int, side: int) -> int:
    """Answer for the photo on standard input; returns the exit status."""
    warnings.simplefilter("ignore")
    Image.MAX_IMAGE_PIXELS = None  # our own limit is judged in `plain_jpeg`, and is lower
    limit(memory_bytes, cpu_s)
    content = sys.stdin.buffer.read()
    try:
        image, jpeg = plain_jpeg(content, most_pixels=most_pixels, side=side)
    except (OverflowError, MemoryError):
        return TOO_LARGE
    except Exception:  # a decoder says in many ways that a file is no good
        return UNREADABLE
    sys.stdout.buffer.write(f"{image.width} {image.height}\n".encode() + jpeg)
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
