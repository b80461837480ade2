"""Who calls, and whether this endpoint is for them. Every blueprint is a `GuardedBlueprint`; a test sees to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast
from uuid import UUID

import flask_smorest
import jwt
import marshmallow as ma
from flask import abort, current_app, g, request
from flask_jwt_extended import get_jwt, verify_jwt_in_request
from flask_jwt_extended.exceptions import CSRFError, JWTExtendedException
from jwt.exceptions import InvalidTokenError, PyJWTError
from webargs.flaskparser import FlaskParser

from recycling.clock import utc_now
from recycling.errors import Forbidden, NotSignedIn
from recycling.extensions import db
from recycling.policy.access import Principal, Role
from recycling.routes.binding import admit
from recycling.routes.compression import unmasked
from recycling.usecases.people.sign_in import find_sign_in

View = TypeVar("View", bound=Callable[..., Any])

# Failures that any endpoint, any guarded one, any reading or creating one may answer with; documented in OpenAPI.
ANY_FAILURES = {404, 429, 503}
GUARDED_FAILURES = {401, 403}
ARGUMENT_FAILURES = {400, 422}
BODY_FAILURES = {409, 411, 413, 415}
VERSION_FAILURES = {412, 428}

HEADER_SCHEMES = ("bearer", "dpop")  # of tokens bound to nothing, and to a device's key


class StrictParser(FlaskParser):
    """Unknown fields are refused everywhere, so that a typing error is never silently dropped."""

    DEFAULT_UNKNOWN_BY_LOCATION = dict.fromkeys(("json", "query", "form", "files"), ma.RAISE)

    def load_json(self, req: Any, schema: ma.Schema) -> Any:
        """A body must be there, be JSON and say so."""
        if not req.is_json:
            abort(415, description="send the body as Content-Type: application/json / 请以 JSON 提交")
        return req.get_json()  # by the app's own strict decoder, which webargs would pass by

    def load_querystring(self, req: Any, schema: ma.Schema) -> Any:
        """A name given twice is refused: whichever value were taken, the other would be dropped in silence."""
        doubled = [name for name, values in req.args.lists() if len(values) > 1]
        if doubled:
            raise ma.ValidationError({name: ["is given twice; give each name once."] for name in doubled})
        return super().load_querystring(req, schema)


class GuardedBlueprint(flask_smorest.Blueprint):
    """A blueprint whose every view is for named roles only, or declared open to all."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, import_name: str, *, roles: tuple[Role, ...] | None, **options: Any) -> None:
        """Guard the blueprint; ``roles=None`` opens it: for sign-in, public facts, and what a signature guards."""
        super().__init__(name, import_name, **options)
        self.roles = roles
        self._prepare_doc_cbks.append(self._document_failures)
        if roles is not None:
            self.before_request(self._check)

    def arguments(self, schema: Any, **options: Any) -> Any:
        """Read the request by this schema: one instance for all requests, where webargs would make one for each."""
        return super().arguments(schema() if isinstance(schema, type) else schema, **options)

    def _check(self) -> None:
        if request.method == "OPTIONS":  # answered by Flask itself with the methods, which are no secret
            return
        g.principal = signed_in()
        allowed = self.roles_of(current_app.view_functions[str(request.endpoint)])
        if allowed is not None and g.principal.role not in allowed:
            raise Forbidden(
                f"this is for {' or '.join(allowed)}; you are signed in as {g.principal.role} / 当前身份无权进行此操作"
            )

    def roles_of(self, view: Any) -> tuple[Role, ...] | None:
        """Roles that may call a view: its own, else the blueprint's."""
        return getattr(view, "only_roles", None) or self.roles

    def _document_failures(self, doc: Any, doc_info: Any, *, method: str, **_about: Any) -> Any:
        """Write down the failures an endpoint can answer with, so that none is a surprise to a client."""
        statuses = set(ANY_FAILURES)
        if self.roles is not None:
            statuses |= GUARDED_FAILURES
            doc.setdefault("security", [{"bearer": []}, {"cookie": []}])
            if "collector" in self.roles:
                doc["security"] = [*doc["security"], {"dpop": []}]
        if doc_info.get("may_prove") or "collector" in (self.roles or ()):
            doc.setdefault("parameters", []).append("DPoP")  # by its name in components
        if doc_info.get("arguments"):
            statuses |= ARGUMENT_FAILURES
        if method != "get":
            statuses |= ARGUMENT_FAILURES | BODY_FAILURES
        for header in doc_info.get("needs_headers", ()):
            statuses |= ARGUMENT_FAILURES | (VERSION_FAILURES if header == "If-Match" else set())
            doc.setdefault("parameters", []).append(header)  # by its name in components
        for status in sorted(statuses):
            doc.setdefault("responses", {}).setdefault(str(status), "Problem")
        return doc


def only(*roles: Role) -> Callable[[View], View]:
    """Narrow one view of a blueprint to these roles."""

    def mark(view: View) -> View:
        cast("Any", view).only_roles = roles
        return view

    return mark


def needs_header(view: View, name: str) -> View:
    """Note in the API page that a view wants this request header."""
    info = cast("Any", view).__dict__.setdefault("_apidoc", {})
    info["needs_headers"] = (*info.get("needs_headers", ()), name)
    return view


def may_prove(view: View) -> View:
    """Note in the API page that a view open to all takes a device proof."""
    cast("Any", view).__dict__.setdefault("_apidoc", {})["may_prove"] = True
    return view


def signed_in() -> Principal:
    """The caller behind the request's token.

    Raises
    ------
    NotSignedIn
        When there is no token, it is not ours or over, its sign-in was ended, or it came from another device.
    Forbidden
        When a cookie came without its CSRF token.
    """
    try:
        scheme, token, g.claims = _token_of_request()
    except CSRFError as error:
        raise Forbidden(
            "the form has no valid CSRF token; reload the page and send again / 表单已失效，请刷新页面后重新提交"
        ) from error
    except (JWTExtendedException, PyJWTError) as error:
        raise NotSignedIn("sign in first: no valid access token came with the request / 请先登录") from error
    sign_in_id = UUID(token_claims()["sub"])
    found = find_sign_in(sign_in_id, session=db.session(), now=utc_now())
    # Let go of the snapshot before the view opens its own transaction; by COMMIT, since psycopg throws away all its
    # prepared statements after a ROLLBACK, and a booking then costs PostgreSQL nearly twice the work.
    db.session.commit()
    if found is None:
        raise NotSignedIn("this sign-in has ended; sign in again / 登录已失效，请重新登录")
    admit(sign_in_id, found, scheme=scheme, token=token)
    return found.principal


def token_claims() -> dict[str, Any]:
    """What the token of the running, guarded request says."""
    return cast("dict[str, Any]", g.claims)


def header_token(kind: str) -> tuple[str, str, dict[str, Any]]:
    """Scheme, text and claims of the token in ``Authorization``: ``kind`` is ``access`` or ``refresh``.

    Decoded here, once: flask-jwt-extended, which cookies need for their CSRF token, decodes a token four times.

    Raises
    ------
    PyJWTError
        When there is none, or it is not ours, over, or of the other kind.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() not in HEADER_SCHEMES:
        raise InvalidTokenError("no token")
    config = current_app.config
    found: dict[str, Any] = jwt.decode(
        token,
        config["JWT_SECRET_KEY"],
        algorithms=[config["JWT_ALGORITHM"]],
        audience=config["JWT_DECODE_AUDIENCE"],
        options={"require": ["exp", "sub", "type"]},
    )
    if found["type"] != kind:
        raise InvalidTokenError(f"this is no {kind} token")
    return scheme.lower(), token, found


def _token_of_request() -> tuple[str, str, dict[str, Any]]:
    scheme = request.headers.get("Authorization", "").partition(" ")[0].lower()
    if scheme in HEADER_SCHEMES:
        return header_token("access")
    if request.method not in ("GET", "HEAD") and "X-CSRF-TOKEN" not in request.headers:
        # A form has no headers of its own; what it carries is masked, and the library knows nothing of that.
        request.environ["HTTP_X_CSRF_TOKEN"] = unmasked(request.form.get("csrf_token", ""))
    verify_jwt_in_request(locations=["cookies"])
    return "cookie", request.cookies[current_app.config["JWT_ACCESS_COOKIE_NAME"]], get_jwt()


def principal() -> Principal:
    """The caller of the running, guarded request."""
    return cast("Principal", g.principal)
