"""What is printed: filled into its template, set as a PDF, and sent to be shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Response, render_template, request

from recycling.gateways.paper import pdf_of, qr_code
from recycling.usecases.reporting.goal_csv import PROVENANCE_NAMES

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
    return _shown(pdf, f"route-{sheet['day']}-{sheet['vehicle_key']}.pdf")


def receipt_answer(ticket: Mapping[str, Any], *, now: datetime) -> Response:
    """A ticket's receipt as an A5 PDF, its link as a QR code.

    Raises
    ------
    NotInstalled
        When the libraries of the extra ``pdf`` are not there.
    Unavailable
        When others have been printing for too long.
    """
    # Where nobody has said how we are reached from outside, it is where the keeper reaches us.
    here = f"{request.host_url.rstrip('/')}{ticket['path']}" if ticket["path"] is not None else None
    html = render_template(
        "paper/receipt.html", ticket=ticket, link=ticket["url"] or here, now=now, qr=qr_code,
        provenance_names=PROVENANCE_NAMES,
    )  # fmt: skip
    pdf = pdf_of(html, css=render_template("paper/receipt.css"))
    return _shown(pdf, f"receipt-{ticket['station_key']}-{ticket['scale_number']}-{ticket['number']}.pdf")


def certificate_answer(certificate: Mapping[str, Any], *, now: datetime) -> Response:
    """A certificate of recovery as an A5 PDF, its link as a QR code; fails as `pdf_answer` does."""
    # Where nobody has said how we are reached from outside, it is where the resident reaches us.
    link = certificate["url"] or f"{request.host_url.rstrip('/')}{certificate['path']}"
    html = render_template(
        "paper/certificate.html", certificate=certificate, link=link, now=now, qr=qr_code,
        provenance_names=PROVENANCE_NAMES,
    )  # fmt: skip
    pdf = pdf_of(html, css=render_template("paper/receipt.css"))
    return _shown(pdf, f"certificate-{certificate['day']}-{certificate['number'][:8]}.pdf")


def _shown(pdf: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f'inline; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(pdf, content_type="application/pdf", headers=headers)


def transfer_note_answer(note: Mapping[str, Any], *, now: datetime) -> Response:
    """The note that goes along with a batch, as an A4 PDF; fails as `pdf_answer` does."""
    html = render_template("paper/transfer_note.html", note=note, now=now, qr=qr_code)
    pdf = pdf_of(html, css=render_template("paper/route.css"))
    name = f"transfer-{note['station']['key']}-{note['number']}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(pdf, content_type="application/pdf", headers=headers)
