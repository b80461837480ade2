"""What ties a request to its device: the proof in an app's ``DPoP`` header, or the cookie only one browser holds."""

from __future__ import annotations

import secrets
from uuid import UUID

from flask import Response, current_app, request

from recycling.clock import utc_now
from recycling.errors import DeviceProofRefused, DeviceProofRequired, NotSignedIn
from recycling.extensions import db
from recycling.policy.device_proof import DeviceProof, read_device_proof
from recycling.usecases.people.devices import admit_app, admit_browser
from recycling.usecases.people.sign_in import WITHOUT_DEVICE, AppDevice, LiveSignIn

BROWSER_COOKIE = "browser_secret"
SECRET_BYTES = 32

UNBOUND = "a collector's token is bound to a device; sign in again with a DPoP proof / 请用设备签名重新登录"
AS_DPOP = (
    "this token is bound to its device: send it as Authorization: DPoP, with a proof in the DPoP header"
    " / 该令牌已绑定设备，请以 Authorization: DPoP 发送并附 DPoP 请求头"
)


def admit(sign_in_id: UUID, live: LiveSignIn, *, scheme: str, token: str) -> None:
    """Let a request in that comes the way its sign-in is bound; ``scheme`` is ``bearer``, ``dpop`` or ``cookie``.

    Raises
    ------
    NotSignedIn
        When the token came from another device or browser, or another way than it was given out.
    """
    session, now = db.session(), utc_now()
    if scheme == "cookie":
        secret = request.cookies.get(BROWSER_COOKIE, "")
        admit_browser(sign_in_id, secret, live=live, session=session, now=now)
    elif live.browser_digest is not None:
        raise NotSignedIn("this token is a browser's and goes in its cookie only; sign in by the API / 请通过接口登录")
    elif live.key_thumbprint is not None:
        if scheme != "dpop":
            raise DeviceProofRefused(AS_DPOP)
        admit_app(sign_in_id, proof_of_request(token), live=live, session=session, now=now)
    elif live.principal.role == "collector":
        raise NotSignedIn(UNBOUND)
    elif scheme != "bearer":
        raise NotSignedIn("this token is bound to no key; send it as Authorization: Bearer / 请以 Bearer 方式发送")


def proof_of_request(token: str | None) -> DeviceProof:
    """The proof that the running request came with, for the token beside it.

    Raises
    ------
    DeviceProofRefused
        When there is none, or it is not for this request.
    """
    given = request.headers.get("DPoP")
    if given is None:
        raise DeviceProofRefused(AS_DPOP)
    return read_device_proof(given, method=request.method, address=request.base_url, now=utc_now(), token=token)


def device_of_request(device_id: UUID | None) -> AppDevice | None:
    """The device that somebody signs in on, when the app shows one.

    Raises
    ------
    DeviceProofRequired
        When it sends the device's id without a proof, or a proof without the id.
    DeviceProofRefused
        When the proof is not for this request.
    """
    if device_id is None and "DPoP" not in request.headers:
        return None
    if device_id is None or "DPoP" not in request.headers:
        raise DeviceProofRequired(WITHOUT_DEVICE)
    return AppDevice(device_id=device_id, proof=proof_of_request(None))


def new_secret() -> str:
    """A secret for one browser and one sign-in."""
    return secrets.token_urlsafe(SECRET_BYTES)


def give_secret(response: Response, secret: str, *, max_age: int | None) -> None:
    """Have the browser keep its secret: out of reach of scripts, and never sent for another site."""
    response.set_cookie(
        BROWSER_COOKIE, secret, max_age=max_age, path="/", httponly=True, samesite="Strict",
        secure=current_app.config["JWT_COOKIE_SECURE"],
    )  # fmt: skip


def drop_secret(response: Response) -> None:
    """Have the browser forget its secret."""
    response.delete_cookie(BROWSER_COOKIE, path="/", httponly=True, samesite="Strict")
