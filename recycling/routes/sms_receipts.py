"""What providers say became of a text (短信回执). No account: each body is signed, and counts once."""

from __future__ import annotations

from typing import Any

from flask import current_app, request

from recycling.clock import utc_now
from recycling.errors import NotSignedIn
from recycling.extensions import db
from recycling.policy.signature import check_signature
from recycling.routes.guard import GuardedBlueprint
from recycling.routes.schemas.sms_receipts import ReceiptSchema, ReceiptTakenSchema
from recycling.usecases.messages.receipts import ReceiptReport, take_receipt

SIGNATURE_HEADER = "Receipt-Signature"
# Verified against when nobody of that name is known, so that the answer tells nothing about names.
NOBODYS_SECRET = bytes(32)

bp = GuardedBlueprint(
    "sms_receipts",
    __name__,
    roles=None,
    url_prefix="/sms-receipts",
    description="短信回执 / delivery receipts of providers",
)


@bp.before_request
def check_sender() -> None:
    """Let through only what a configured provider has signed, before any of the body is read as JSON."""
    if request.method == "OPTIONS":
        return
    name = (request.view_args or {}).get("provider")
    known = {one.name: one.receipt_secret for one in current_app.config["SMS_PROVIDERS"] if one.receipt_secret}
    secret = known.get(str(name))
    check_signature(
        request.headers.get(SIGNATURE_HEADER, ""), secret=secret or NOBODYS_SECRET, body=request.get_data(),
        now_s=int(utc_now().timestamp()),
    )  # fmt: skip
    if secret is None:  # somebody has guessed the secret of nobody
        raise NotSignedIn("the signature does not belong to this body and secret; sign the bytes as sent / 签名不正确")


@bp.post("/<provider>")
@bp.arguments(ReceiptSchema)
@bp.response(200, ReceiptTakenSchema)
@bp.alt_response(401, "Problem")
def create_receipt(report: ReceiptReport, provider: str) -> dict[str, Any]:
    """Take in one receipt; needs no Idempotency-Key, since it carries an id of its own (接收短信回执)."""
    return {"taken": take_receipt(report, provider=provider, session=db.session(), now=utc_now())}
