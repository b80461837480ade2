"""Pages to print: HTML becomes a PDF by WeasyPrint, text a QR code by segno; both optional, imported when used."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from recycling.errors import NotInstalled, Unavailable
from recycling.logs import logger

log = logger(__name__)

AT_ONCE = 1  # a route takes a core for seconds; a second one beside it would starve the bookings
QUEUE_S = 20.0
# What is printed holds people's own words: none of them makes the server call anywhere or read its own files.
NO_PROTOCOLS: tuple[str, ...] = ()

# A line for every step of every page would drown what is logged for people.
logging.getLogger("weasyprint.progress").setLevel(logging.WARNING)

_press = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True, slots=True)
class QrCode:
    """A QR code as SVG; a template takes it for markup, which it is."""

    svg: str

    def __html__(self) -> str:
        return self.svg


def pdf_of(
    html: str, *, css: str = "", protocols: tuple[str, ...] = NO_PROTOCOLS, identifier: bytes | None = None
) -> bytes:
    """Set a page of HTML, styled by ``css``, as a PDF. What they refer to outside is left out, never fetched.

    With an ``identifier`` the same page becomes the same bytes each time. ``protocols`` names the URL schemes that may
    be fetched; only a test gives any.

    Raises
    ------
    NotInstalled
        When WeasyPrint, or the Pango that it draws with, is not there.
    Unavailable
        When others have been printing for too long.
    """
    weasyprint = _library("weasyprint")
    fetcher = weasyprint.urls.URLFetcher(allowed_protocols=protocols, allow_redirects=False)
    if not _press.acquire(timeout=QUEUE_S):
        raise Unavailable("others are printing; ask again in a moment / 正在生成其他打印件，请稍后重试")
    try:
        style = weasyprint.CSS(string=css, url_fetcher=fetcher)
        made: bytes = weasyprint.HTML(string=html, url_fetcher=fetcher).write_pdf(
            stylesheets=[style], pdf_identifier=identifier
        )
    finally:
        _press.release()
    return made


def qr_code(text: str) -> QrCode:
    """A QR code of a text, with its quiet zone and a class ``qr``.

    Level M still reads with a seventh of it soiled. Every module is drawn, so that it can be printed at any size.

    Raises
    ------
    NotInstalled
        When segno is not there.
    """
    drawn: str = _library("segno").make_qr(text, error="m").svg_inline(omitsize=True, svgclass="qr", light="#fff")
    return QrCode(drawn)


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except (ImportError, OSError) as error:  # OSError: the Python part is there, the Pango under it is not
        log.warning("paper.not_installed", library=name, error=str(error)[:200])
        raise NotInstalled(
            f"this server cannot print: {name} is missing or incomplete. The operator installs it with make paper"
            " (and on Debian or Ubuntu: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
            " fonts-noto-cjk); until then look at it on a screen: /pages/my-route, GET /intake-tickets"
            " / 服务器未安装打印组件，请联系管理员安装；可先在网页或接口中查看"
        ) from None
