"""Certificates of recovery (回收证明) of bookings."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.routes.context import configured
from recycling.routes.guard import GuardedBlueprint, principal
from recycling.routes.printing import PDF, certificate_answer
from recycling.routes.schemas.certificates import CertificateSchema
from recycling.usecases.queries.certificates import certificate

bp = GuardedBlueprint(
    "certificates", __name__, roles=("resident", "dispatcher", "admin"), url_prefix="/bookings",
    description="回收证明 / what became of a booking's items",
)  # fmt: skip


@bp.get("/<uuid:booking_id>/certificate")
@bp.response(200, CertificateSchema)
@bp.alt_response(409, "Problem")
def show_certificate(booking_id: UUID) -> dict[str, Any]:
    """Show what became of a booking's items: weighed how, at which station, handed to whom (回收证明)."""
    return certificate(booking_id, by=principal(), district=configured(), session=db.session())


@bp.get("/<uuid:booking_id>/certificate.pdf")
@bp.response(200, PDF, content_type="application/pdf")
@bp.alt_response(409, "Problem")
@bp.alt_response(501, "Problem")
def print_certificate(booking_id: UUID) -> Response:
    """Print it, with a QR code that proves it genuine (打印回收证明)."""
    found = certificate(booking_id, by=principal(), district=configured(), session=db.session())
    return certificate_answer(found, now=utc_now())
