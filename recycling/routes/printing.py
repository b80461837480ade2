"""The route list and the transfer note as PDFs: filled into their templates, set, and sent to be shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Response, render_template

from recycling.gateways.paper import pdf_of, qr_code

PDF = {"type": "string", "format": "binary"}


def pdf_answer(sheet: Mapping[str, Any], *, now: datetime) -> Response:
    """A route's sheet, its phones masked already, as an A4 PDF.

    Raises
    ------
    NotInstalled
        When the libraries of the extra ``pdf`` are not there.
    Unavailable
        When others have been printing for too long.
    """
    html = render_template("paper/route.html", route=sheet, now=now, qr=qr_code)
    pdf = pdf_of(html, css=render_template("paper/route.css"))
    name = f"route-{sheet['day']}-{sheet['vehicle_key']}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(pdf, content_type="application/pdf", headers=headers)


def transfer_note_answer(note: Mapping[str, Any], *, now: datetime) -> Response:
    """The note that goes along with a batch, as an A4 PDF; fails as `pdf_answer` does."""
    html = render_template("paper/transfer_note.html", note=note, now=now, qr=qr_code)
    pdf = pdf_of(html, css=render_template("paper/route.css"))
    name = f"transfer-{note['station']['key']}-{note['number']}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(pdf, content_type="application/pdf", headers=headers)
