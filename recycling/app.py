"""`create_app`: the only place where everything is wired together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any, NoReturn

import flask_smorest
from flask import Flask, Request, Response, after_this_request, request
from flask.json.provider import DefaultJSONProvider
from flask.sessions import SessionInterface
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits.errors import ConfigurationError
from secure import (
    ContentSecurityPolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    Secure,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)
from werkzeug.exceptions import BadRequest, LengthRequired
from werkzeug.middleware.proxy_fix import ProxyFix

from recycling import cli, routes
from recycling.errors import ConfigError
from recycling.extensions import MIGRATIONS, db, engine_options, jwt, migrate, prepare_engine
from recycling.gateways.config_files import read_district
from recycling.gateways.geocoders import geocoder
from recycling.gateways.mail import mail_gateway
from recycling.gateways.sms_gateways import sms_gateway
from recycling.gateways.webhook import HttpWebhooks
from recycling.jobs.lateness import late_runs
from recycling.jobs.schedule import jobs_of
from recycling.logs import configure_logs, logger
from recycling.models.encrypted import keyring
from recycling.models.subscribers import Subscriber, subscriber_id, subscribers
from recycling.routes import compression, problems
from recycling.routes.district_map import TILE_HOSTS
from recycling.usecases.live.links import public_address
from recycling.usecases.messages.event_body import SUBSCRIBABLE_KINDS
from recycling.usecases.planning.judges import Judges

log = logger(__name__)

STATIC = Path(__file__).resolve().parent / "static"
LARGEST_BODY = 1 << 20  # 1 MiB: photos have an endpoint of their own, everything else is far smaller

FIXED_SETTINGS: dict[str, Any] = {
    "API_TITLE": "薛城回收 Xuecheng Recycling Network",
    "API_VERSION": "1",
    "OPENAPI_VERSION": "3.1.0",
    "OPENAPI_URL_PREFIX": "/api",
    "OPENAPI_JSON_PATH": "openapi.json",
    "MAX_CONTENT_LENGTH": LARGEST_BODY,
    "JWT_TOKEN_LOCATION": ["headers", "cookies"],
    "JWT_ALGORITHM": "HS256",
    "JWT_DECODE_AUDIENCE": "recycling",
    "JWT_ENCODE_AUDIENCE": "recycling",
    "JWT_COOKIE_CSRF_PROTECT": True,
    "JWT_COOKIE_SAMESITE": "Lax",
    "JWT_SESSION_COOKIE": True,
    "RATELIMIT_HEADERS_ENABLED": False,
    "SEND_FILE_MAX_AGE_DEFAULT": timedelta(days=365),  # of static files: their addresses change with their content
}


class StrictJson(DefaultJSONProvider):
    """JSON without NaN, infinities or doubled keys in; UTF-8 text out."""

    ensure_ascii = False
    sort_keys = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Decode, or answer 400 in words."""
        if not s:
            raise BadRequest("the body is empty; send a JSON object / 请求内容为空")
        try:
            text = s if isinstance(s, str) else s.decode("utf-8")  # json would guess at UTF-16 and UTF-32 too
            return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_doubles, **kwargs)
        except RecursionError:
            raise BadRequest("the body is nested too deeply; send plain objects / 嵌套过深") from None
        except UnicodeDecodeError:
            raise BadRequest("the body is not UTF-8; encode it as UTF-8 / 请用 UTF-8 编码") from None
        except json.JSONDecodeError as error:
            raise BadRequest(
                f"the body is no JSON: {error.msg} at line {error.lineno}, column {error.colno}; correct it there"
                " / 请求内容不是有效 JSON"
            ) from None
        except ValueError:  # an integer longer than Python converts
            raise BadRequest(
                "the body has a number of too many digits; send one that fits its field / 数字过长"
            ) from None


class NoSession(SessionInterface):
    """No cookie of Flask's own: who is signed in stands in the tokens. Writing to `session` raises."""

    def open_session(self, app: Flask, request: Request) -> None:
        """Give none; Flask then puts a session in its place that refuses to be written."""


def _no_constant(name: str) -> NoReturn:
    raise BadRequest(f"{name} is no JSON number; send a finite one / 不是有效数字")


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise BadRequest(f"an object names {key[:40]!r} twice; name each key once / 字段重复")
        found[key] = value
    return found


def create_app(settings: Mapping[str, Any]) -> Flask:
    """Build the application from settings; reads nothing from the environment.

    Raises
    ------
    ConfigError
        When a setting or a file under the configuration folder cannot be used.
    """
    configure_logs(settings["LOG_LEVEL"])
    app = Flask("recycling", static_url_path=f"/static/{_static_version()}")
    app.json = StrictJson(app)
    app.session_interface = NoSession()
    app.config.from_mapping(FIXED_SETTINGS)
    app.config.from_mapping(settings)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(settings["SQLALCHEMY_DATABASE_URI"])
    public_address.configure(settings.get("PUBLIC_URL", ""))
    keyring.configure(keys=settings["DATA_KEYS"], current=settings["DATA_KEY_ID"], index_key=settings["INDEX_KEY"])
    app.extensions["district"] = read_district(settings["CONFIG_DIR"])
    # For endpoints that show it: they know no schedule.
    jobs = jobs_of(app.extensions["district"])
    app.extensions["late_runs"] = partial(late_runs, jobs=jobs)
    app.extensions["job_words"] = {
        job.key: (job.name_zh, job.name_en, job.does_zh, job.does_en) for job in jobs.values()
    }
    app.extensions["judges"] = Judges()  # of this process
    app.extensions["sms"] = sms_gateway(settings["SMS_GATEWAY"], settings["SMS_PROVIDERS"])
    app.extensions["mail"] = mail_gateway(settings)
    _bind_subscribers(app)
    app.extensions["geocoder"] = geocoder(settings)
    compression.install(app)
    problems.install(app)  # first, so that a request refused by the limiter has its id
    _bind_extensions(app)
    _install_request_rules(app)
    routes.register(app, _api(app))
    cli.register(app)
    if settings["TRUSTED_PROXIES"]:
        hops = settings["TRUSTED_PROXIES"]
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]  # Flask documents it
    return app


@cache
def _static_version() -> str:
    """A digest of all static files, in the address of each: a browser keeps them for good, and scripts import by it."""
    found = hashlib.sha256()
    for path in sorted(path for path in STATIC.rglob("*") if path.is_file()):
        found.update(path.relative_to(STATIC).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:12]


def _bind_subscribers(app: Flask) -> None:
    """Tell the outbox who subscribes to what, and the sender where they are."""
    subscriptions = app.config["WEBHOOKS"]
    strange = {kind for one in subscriptions for kind in one.kinds} - set(SUBSCRIBABLE_KINDS)
    if strange:
        raise ConfigError(
            f"WEBHOOKS subscribes to {', '.join(sorted(strange))}; choose from {', '.join(SUBSCRIBABLE_KINDS)}"
        )
    subscribers.configure(Subscriber(key=one.key, kinds=one.kinds) for one in subscriptions)
    app.extensions["webhooks"] = HttpWebhooks(subscriptions, id_of=subscriber_id)


def _bind_extensions(app: Flask) -> None:
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
    migrate.init_app(app, db, directory=str(MIGRATIONS), render_as_batch=True)
    jwt.init_app(app)
    try:
        Limiter(get_remote_address, app=app)  # one per app: it keeps the limits of the first app it is bound to
    except (ConfigurationError, ValueError) as error:
        raise ConfigError(
            f"RATELIMIT_STORAGE_URI cannot be used ({error}); give process://, or redis://HOST:PORT for several servers"
        ) from error


def _api(app: Flask) -> flask_smorest.Api:
    """The OpenAPI document, with every failure in problem+json."""

    class Api(flask_smorest.Api):
        DEFAULT_ERROR_RESPONSE_NAME = None  # each endpoint lists its own failures

        def _register_error_handlers(self) -> None:
            """Leave failures to `problems.install`: one table, one form, headers kept."""

    api = Api()
    api.init_app(app)
    routes.document(api)
    return api


def _install_request_rules(app: Flask) -> None:
    headers = _headers(production=app.config["ENVIRONMENT"] == "production", tiles=bool(app.config.get("TILES_KEY")))

    @app.before_request
    def sized_body() -> None:
        # A body without a length is cut off unnoticed at MAX_CONTENT_LENGTH, and its framing fails while it is read.
        if request.content_length is None and "Transfer-Encoding" in request.headers:
            after_this_request(_hang_up)
            raise LengthRequired("send the body with its Content-Length, not in chunks / 请带 Content-Length 提交")

    @app.after_request
    def secure_headers(response: Response) -> Response:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"  # answers hold people's bookings
        return response


def _hang_up(response: Response) -> Response:
    """End the connection with the answer: what is left of the body is not waited for."""
    response.headers["Connection"] = "close"
    return response


def _headers(*, production: bool, tiles: bool) -> dict[str, str]:
    """Security headers of every answer: everything from this host, nothing framed, location only for our own pages."""
    rules = Secure(
        csp=ContentSecurityPolicy()
        .default_src("'self'")
        .img_src("'self'", "data:", "blob:", *(TILE_HOSTS if tiles else ()))
        .base_uri("'none'")
        .form_action("'self'")
        .frame_ancestors("'none'")
        .object_src("'none'"),
        # Only where the site is served over TLS: a browser would remember it against plain-HTTP demos.
        hsts=StrictTransportSecurity().max_age(31_536_000).include_subdomains() if production else None,
        permissions=PermissionsPolicy().geolocation("self").camera("self").microphone(),
        referrer=ReferrerPolicy().same_origin(),
        xcto=XContentTypeOptions().nosniff(),
        xfo=XFrameOptions().deny(),
    )
    return dict(rules.headers)
