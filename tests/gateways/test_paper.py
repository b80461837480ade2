"""Printing fetches nothing: neither from a network nor from the server's own files."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from recycling.gateways.paper import pdf_of, qr_code
from tests.papers import Page

ReadPdf = Callable[[bytes], list[Page]]


class Watched:
    """A server that notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        noted = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                noted.append(self.path)
                self.send_response(404)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def watched() -> Iterator[Watched]:
    found = Watched()
    thread = threading.Thread(target=found.server.serve_forever, daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


def a_page_that_refers(address: str) -> str:
    """HTML that names something outside in each of the ways a page can."""
    return f"""<html><head><link rel="stylesheet" href="{address}/style.css">
        <style>@import "{address}/import.css"; @font-face {{ font-family: f; src: url({address}/font.woff) }}
        p {{ font-family: f; background: url({address}/ground.png) }}</style></head>
        <body><p>printed</p><img src="{address}/picture.png"><object data="{address}/object.svg"></object>
        <svg width="9" height="9"><image href="{address}/inner.png" width="9" height="9"/></svg>
        <a rel="attachment" href="{address}/attached.txt">x</a></body></html>"""


def test_a_page_that_refers_to_another_server_is_printed_without_asking_it(watched: Watched, read_pdf: ReadPdf) -> None:
    (page,) = read_pdf(pdf_of(a_page_that_refers(watched.address)))
    assert "printed" in page.text
    assert watched.asked == []
    # with the refusal off the same page asks for all of it, so that the silence above was the refusal's
    pdf_of(a_page_that_refers(watched.address), protocols=("http",))
    assert {path.strip("/") for path in watched.asked} == {
        "style.css", "import.css", "font.woff", "ground.png", "picture.png", "object.svg", "inner.png", "attached.txt",
    }  # fmt: skip


def test_a_page_that_refers_to_a_file_of_the_server_is_printed_without_it(tmp_path: Path, read_pdf: ReadPdf) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the key of all keys")
    page = f'<p>printed</p><a rel="attachment" href="{secret.as_uri()}">x</a>'
    assert b"EmbeddedFile" not in pdf_of(page)
    assert read_pdf(pdf_of(page))[0].text.startswith("printed")
    # with the refusal off it goes out inside the PDF
    assert b"EmbeddedFile" in pdf_of(page, protocols=("file",))


@pytest.mark.parametrize("side_mm", [15, 26])
def test_a_code_is_read_from_paper_as_it_was_written_even_soiled(side_mm: int, read_pdf: ReadPdf) -> None:
    # given a link as it is printed on a route list, clean, and with a spot over a hundredth of it
    link = "https://uri.amap.com/navigation?to=117.2712,34.8123,%E7%AC%AC12%E7%AB%99&mode=car&coordinate=wgs84"

    def read(*, spot_at: float, spot_side: float) -> list[tuple[str, ...]]:
        """The code as it is read under a black spot, whose place and side are shares of the code's own."""
        at, side = spot_at * side_mm, spot_side * side_mm
        spot = f"position: absolute; left: {at}mm; top: {at}mm; width: {side}mm; height: {side}mm; background: #000"
        style = f"<style>svg {{ width: {side_mm}mm; height: {side_mm}mm }} div {{ position: relative }}</style>"
        return [page.codes for page in read_pdf(pdf_of(f'{style}<div>{qr_code(link).svg}<i style="{spot}"></i></div>'))]

    assert read(spot_at=0, spot_side=0) == [(link,)]
    assert read(spot_at=0.6, spot_side=0.1) == [(link,)]
    # a spot over a quarter of it is too much, so that what was read above is the code and nothing beside it
    assert read(spot_at=0.2, spot_side=0.5) == [()]
