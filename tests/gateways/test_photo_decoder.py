"""A photo comes out as a plain JPEG, whatever went in; what is none is refused in words, and hurts nobody."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from recycling.errors import DomainError, InvalidInput, UnsupportedMedia
from recycling.gateways.photo_decoder import decode_photo
from tests.photo_files import SVG, a_bomb, a_flood, a_phones_photo, a_photo, a_polyglot, written


def test_orientation_is_applied_and_everything_beside_the_pixels_is_gone() -> None:
    sent = a_phones_photo()
    assert b"SECRET-PHONE" in sent
    kept = decode_photo(sent)
    # then it stands upright: red above, blue below
    image = Image.open(io.BytesIO(kept.content))
    assert (image.format, image.size, (kept.width, kept.height)) == ("JPEG", (200, 300), (200, 300))
    (red, _, blue), (red_below, _, blue_below) = image.getpixel((100, 30)), image.getpixel((100, 270))  # type: ignore[misc]  # three bands, as a JPEG of a camera has
    assert red > 200 > blue
    assert blue_below > 200 > red_below
    # and neither place nor phone, comment nor profile came along
    assert not dict(image.getexif())
    assert b"SECRET" not in kept.content
    assert image.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


@pytest.mark.parametrize(
    ("sent", "size"),
    [
        # the longer side becomes 1600, the other keeps the shape
        (a_photo(width=4000, height=3000), (1600, 1200)),
        (a_photo(width=100, height=5000), (32, 1600)),
        (a_photo(width=1, height=1), (1, 1)),
        (a_photo(form="PNG"), (300, 200)),
        (a_photo(form="WEBP"), (300, 200)),
        (written(Image.new("RGBA", (300, 200), (0, 0, 0, 0)), "PNG"), (300, 200)),
        (written(Image.new("I;16", (300, 200), 9000), "PNG"), (300, 200)),
        (written(Image.new("CMYK", (300, 200))), (300, 200)),
        (written(Image.new("L", (300, 200))), (300, 200)),
        (written(Image.new("RGB", (300, 200)).quantize(4), "PNG", transparency=0), (300, 200)),
        # exactly as many pixels as are taken
        (a_photo(width=5000, height=5000), (1600, 1600)),
        (a_photo(width=5000, height=5000, form="WEBP", method=0), (1600, 1600)),
    ],
)
def test_every_form_that_is_taken_becomes_a_jpeg_of_at_most_1600(sent: bytes, size: tuple[int, int]) -> None:
    kept = decode_photo(sent)
    image = Image.open(io.BytesIO(kept.content))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", size)
    assert len(kept.sha256) == 64
    assert decode_photo(sent).sha256 == kept.sha256


def test_what_shines_through_is_shown_on_white() -> None:
    clear = written(Image.new("RGBA", (30, 20), (0, 0, 0, 0)), "PNG")
    assert Image.open(io.BytesIO(decode_photo(clear).content)).getpixel((5, 5)) == (255, 255, 255)


def test_of_a_file_that_is_two_things_only_the_pixels_are_kept() -> None:
    kept = decode_photo(a_polyglot())
    assert b"<script>" not in kept.content
    assert b"PK\x05\x06" not in kept.content


@pytest.mark.parametrize(
    ("sent", "error", "says"),
    [
        pytest.param(b"", InvalidInput, "the body is empty", id="empty"),
        pytest.param(SVG, UnsupportedMedia, "send the photo as JPEG", id="svg"),
        pytest.param(b"%PDF-1.7 renamed to photo.jpg", UnsupportedMedia, "whatever its name says", id="renamed"),
        pytest.param(a_photo(form="GIF"), UnsupportedMedia, "none of image/jpeg", id="gif"),
        pytest.param(a_photo(form="BMP"), UnsupportedMedia, "none of image/jpeg", id="bmp"),
        pytest.param(a_photo()[:700], InvalidInput, "cut off or damaged", id="truncated jpeg"),
        pytest.param(a_photo(form="PNG")[:100], InvalidInput, "cut off or damaged", id="truncated png"),
        pytest.param(a_photo(form="WEBP")[:60], InvalidInput, "cut off or damaged", id="truncated webp"),
        pytest.param(b"\xff\xd8\xff" + bytes(1000), InvalidInput, "cut off or damaged", id="only the first bytes"),
        pytest.param(b"\x89PNG\r\n\x1a\n", InvalidInput, "cut off or damaged", id="only a signature"),
        pytest.param(a_flood(5001, 5000), InvalidInput, "25 megapixels", id="one column too many"),
        pytest.param(a_flood(65_000, 65_000), InvalidInput, "25 megapixels", id="pixel flood"),
        pytest.param(a_flood(2**31 - 1, 1), InvalidInput, "25 megapixels", id="a line without end"),
        pytest.param(a_flood(0, 100), InvalidInput, "cut off or damaged", id="no pixels"),
        pytest.param(a_bomb(), InvalidInput, "cut off or damaged", id="decompression bomb"),
    ],
)
def test_a_bad_file_is_refused_in_words(sent: bytes, error: type[DomainError], says: str) -> None:
    with pytest.raises(error, match=says):
        decode_photo(sent)


def test_the_limits_hold_where_the_headers_lie() -> None:
    # given a good photo that needs more memory than the child is left, or more time
    large = a_photo(width=5000, height=5000, form="PNG")
    with pytest.raises(InvalidInput, match="send it smaller"):
        decode_photo(large, memory_bytes=130 << 20)
    with pytest.raises(InvalidInput, match="send it smaller"):
        decode_photo(large, wait_s=0.01)
    # then it is these limits that refused it
    assert decode_photo(large).width == 1600


DECODE_ALL = """
import resource, sys
from pathlib import Path
from recycling.errors import InvalidInput
from recycling.gateways.photo_decoder import decode_photo

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

files = [Path(name).read_bytes() for name in sys.argv[1:]]
before = peak()
for sent in files * 2:
    try:
        decode_photo(sent)
    except InvalidInput:
        continue
print(peak() - before)
"""


def test_the_server_grows_no_larger_than_what_it_was_sent(tmp_path: Path) -> None:
    # given a process that has made none of the files itself
    files = [a_photo(width=5000, height=5000, form="PNG"), a_flood(65_000, 65_000), a_bomb(), a_photo()[:700]]
    for number, content in enumerate(files):
        (tmp_path / str(number)).write_bytes(content)
    # when it decodes them
    told = subprocess.run(
        [sys.executable, "-c", DECODE_ALL, *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    # then 75 MB of pixels and 200 MB of text were never here. ru_maxrss counts kilobytes on Linux, bytes on macOS.
    assert int(told.stdout.splitlines()[-1]) // (1024 if sys.platform == "darwin" else 1) < 20_000
