"""Text travels compressed, in a way that tells nobody listening how long a secret is (BREACH, breachattack.com).

The attack needs an answer that holds a secret beside text of the attacker's choosing, asked for over and over in the
victim's name. Against it, as Django does: what signs somebody in is not compressed at all, the secret of a form is
written in another way each time (`masked`), and every answer is longer by a random number of bytes. The API cannot be
asked for in somebody's name by another site to begin with: its cookies stay at home (``SameSite=Strict``).
"""

from __future__ import annotations

import gzip
import io
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, current_app, request

TEXT = frozenset(
    {
        "text/html", "text/css", "text/javascript", "text/csv", "text/plain", "image/svg+xml", "application/json",
        "application/manifest+json", "application/geo+json", "application/gpx+xml", "application/problem+json",
    }
)  # fmt: skip
LEAST = 1000  # bytes; shorter answers fit into one packet as they are
# Bytes, drawn anew for each answer ("Heal the Breach", IEEE Access 2022, doi 10.1109/ACCESS.2022.3166175).
MOST_PADDING = 100
LEVEL = 6  # of answers made for one request; a file is compressed once, as well as it goes
SIGN_IN = ("/sign-in", "/pages/sign-in")


def install(app: Flask) -> None:
    """Compress what is text, where the caller takes gzip."""

    @app.after_request
    def compress(response: Response) -> Response:
        if response.mimetype not in TEXT:
            return response
        response.vary.add("Accept-Encoding")
        if not _may_compress(response):
            return response
        if request.endpoint == "static":
            _send_packed_file(response)
        elif not response.is_streamed and len(content := response.get_data()) >= LEAST:
            response.set_data(_packed(content))
            response.headers["Content-Encoding"] = "gzip"
        return response


def masked(secret: str) -> str:
    """A secret as a page shows it: written in another way each time, so that its repetition compresses nothing."""
    plain = secret.encode()
    mask = secrets.token_bytes(len(plain))
    return urlsafe_b64encode(mask + _mixed(plain, mask)).decode()


def unmasked(shown: str) -> str:
    """The secret behind what a page showed; nothing for anything that was never shown."""
    try:
        found = urlsafe_b64decode(shown.encode())
        half = len(found) // 2
        return _mixed(found[half:], found[:half]).decode()
    except ValueError:  # no Base64, an odd length, no text
        return ""


def _mixed(one: bytes, other: bytes) -> bytes:
    return bytes(left ^ right for left, right in zip(one, other, strict=True))


def _may_compress(response: Response) -> bool:
    return (
        request.accept_encodings.quality("gzip") > 0
        and response.status_code not in (204, 206, 304)  # nothing in it, or a part named by its bytes
        and "Content-Encoding" not in response.headers
        and not request.path.startswith(SIGN_IN)
    )


def _packed(content: bytes) -> bytes:
    """Gzip with a file name in its header that nobody reads, of random length."""
    packed = io.BytesIO()
    name = "x" * secrets.randbelow(MOST_PADDING + 1)
    with gzip.GzipFile(name, "wb", LEVEL, packed, mtime=0) as file:
        file.write(content)
    return packed.getvalue()


def _send_packed_file(response: Response) -> None:
    """Send a file of ours compressed; its tag turns weak, for it stands for the file and not for these bytes."""
    tag, _weak = response.get_etag()
    path = Path(str(current_app.static_folder), (request.view_args or {})["filename"])
    packed = _packed_file(path, str(tag))
    response.close()  # the opened file, which nobody will read
    response.direct_passthrough = False
    response.set_data(packed)
    response.set_etag(str(tag), weak=True)
    response.headers["Content-Encoding"] = "gzip"
    response.headers.pop("Accept-Ranges", None)


@lru_cache(maxsize=512)
def _packed_file(path: Path, _tag: str) -> bytes:
    return gzip.compress(path.read_bytes(), 9, mtime=0)
