"""Printed pages, read back: a real PDF, drawn as pictures, and its QR codes decoded as a phone would."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pytest

DRAWN_DPI = 200  # what an office scanner gives; a phone's camera sees more
POINTS_PER_INCH = 72
LIBRARIES = ("weasyprint", "segno", "pypdfium2", "zxingcpp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page as it was printed: its text, and what its QR codes say from top to bottom."""

    text: str
    codes: tuple[str, ...]
    size_mm: tuple[int, int]


def pages_of(pdf: bytes) -> list[Page]:
    """Every page of a PDF."""
    with import_module("pypdfium2").PdfDocument(pdf) as document:
        return [_page(page) for page in document]


def _page(page: Any) -> Page:
    picture = page.render(scale=DRAWN_DPI / POINTS_PER_INCH).to_pil().convert("L")
    found = import_module("zxingcpp").read_barcodes(picture)
    codes = sorted(found, key=lambda code: (code.position.top_left.y, code.position.top_left.x))
    width_mm, height_mm = (round(points / POINTS_PER_INCH * 25.4) for points in page.get_size())
    return Page(
        text=page.get_textpage().get_text_range(),
        codes=tuple(code.text for code in codes),
        size_mm=(width_mm, height_mm),
    )


@pytest.fixture(scope="session")
def read_pdf() -> Callable[[bytes], list[Page]]:
    """Reads printed pages; a run that cannot print or read says so at its end."""
    for name in LIBRARIES:
        try:
            import_module(name)
        except (ImportError, OSError) as error:
            reason = f"no printed pages: {name} is missing or incomplete ({type(error).__name__}); run make paper"
            if os.environ.get("REQUIRE_PAPER", "") not in ("", "0"):
                pytest.fail(f"REQUIRE_PAPER is set: {reason}", pytrace=False)
            pytest.skip(reason)
    return pages_of
