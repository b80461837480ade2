"""Signing in: a one-time code for residents, a password for staff; tokens that die with their sign-in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import current_app, request
from flask_jwt_extended import create_access_token, create_refresh_token
from jwt.exceptions import PyJWTError

from recycling.clock import utc_now
from recycling.errors import NotSignedIn
from recycling.extensions import db
from recycling.policy.access import ROLES, Principal
from recycling.policy.device_proof import thumbprint_text
from recycling.routes.binding import admit, device_of_request
from recycling.routes.context import district
from recycling.routes.guard import GuardedBlueprint, header_token, may_prove, principal, token_claims
from recycling.routes.schemas.people import (
    CodeAnswerSchema,
    CodeRequestSchema,
    CodeSentSchema,
    MeSchema,
    PasswordSchema,
    TokensSchema,
)
from recycling.usecases.people import sign_in as people

bp = GuardedBlueprint("sign_in", __name__, roles=None, url_prefix="/sign-in", description="登录 / signing in")
me = GuardedBlueprint("me", __name__, roles=ROLES, url_prefix="/me", description="当前用户 / the caller")


@bp.post("/codes")
@bp.arguments(CodeRequestSchema)
@bp.response(202, CodeSentSchema)
def request_code(body: dict[str, Any]) -> dict[str, Any]:
    """Send a one-time code to a phone (发送验证码)."""
    code_id = people.send_code(
        body["phone"],
        address=caller_address(),
        sms=current_app.extensions["sms"],
        session=db.session(),
        now=utc_now(),
    )
    return {"code_id": code_id, "expires_in_s": int(people.CODE_LIFE.total_seconds())}


@bp.post("/tokens")
@bp.arguments(CodeAnswerSchema)
@bp.response(201, TokensSchema)
@bp.alt_response(401, "Problem")
def sign_in_resident(body: dict[str, Any]) -> dict[str, Any]:
    """Exchange a one-time code for tokens (居民登录)."""
    return tokens(people.sign_in_resident(body["code_id"], body["code"], session=db.session(), now=utc_now()))


@bp.post("/staff")
@bp.arguments(PasswordSchema)
@bp.response(201, TokensSchema)
@bp.alt_response(401, "Problem")
@may_prove
def sign_in_staff(body: dict[str, Any]) -> dict[str, Any]:
    """Sign a staff member in; a collector's app sends device_id and a DPoP proof (工作人员登录)."""
    return tokens(
        people.sign_in_staff(
            body["login"],
            body["password"],
            address=caller_address(),
            district=district(),
            session=db.session(),
            now=utc_now(),
            device=device_of_request(body["device_id"]),
        )
    )


@bp.post("/refresh")
@bp.response(201, TokensSchema)
@bp.alt_response(401, "Problem")
@may_prove
def refresh() -> dict[str, Any]:
    """Renew the tokens, the refresh token sent as the access token is; it works once (续期)."""
    try:
        scheme, token, claims = header_token("refresh")
    except PyJWTError as error:
        raise NotSignedIn(
            "send the refresh token in Authorization, or sign in again / 请在 Authorization 中带上续期令牌，或重新登录"
        ) from error
    sign_in_id = UUID(claims["sub"])
    live = people.find_sign_in(sign_in_id, session=db.session(), now=utc_now())
    db.session.commit()  # lets go of the snapshot, as the guard does
    # Before the token is looked at as used or not: whoever has no key shall not end the sign-in with an old one either.
    if live is not None:
        admit(sign_in_id, live, scheme=scheme, token=token)
    return tokens(people.refresh_sign_in(sign_in_id, int(claims["n"]), session=db.session(), now=utc_now()))


@me.get("")
@me.response(200, MeSchema)
def show_me() -> Principal:
    """Who is signed in (当前登录者)."""
    return principal()


@me.delete("/sign-in")
@me.response(204)
def sign_out() -> None:
    """Sign out; the tokens are dead at once (退出登录)."""
    people.sign_out(UUID(token_claims()["sub"]), session=db.session(), now=utc_now())


def tokens(signed: people.SignedIn) -> dict[str, Any]:
    """Access and refresh token of a sign-in. They carry its id only: role and rights are read afresh each time.

    The key they are bound to stands in them too, where RFC 9449 wants it; what counts is the row's.
    """
    access_life: timedelta = current_app.config["JWT_ACCESS_TOKEN_EXPIRES"]
    subject, bound = str(signed.sign_in_id), signed.key_thumbprint
    confirmed = {} if bound is None else {"cnf": {"jkt": thumbprint_text(bound)}}
    return {
        "token_type": "Bearer" if bound is None else "DPoP",
        "access_token": create_access_token(subject, additional_claims=confirmed),
        "refresh_token": create_refresh_token(
            subject,
            expires_delta=signed.expires_at - utc_now(),
            additional_claims={"n": signed.refresh_count, **confirmed},
        ),
        "expires_in_s": int(access_life.total_seconds()),
        "role": signed.role,
    }


def caller_address() -> str:
    """The network address attempts are counted by; behind a proxy it is right only with TRUSTED_PROXIES set."""
    return request.remote_addr or "unknown"
