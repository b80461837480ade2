"""The collector's phone page (今日收运): a shell that works without a network, and what installs and keeps it.

The page holds nothing of anybody: its scripts fetch the day's list over the API and keep it on the phone. So the shell
that the worker keeps is open to all, and a phone without a network shows it to whoever holds the phone.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from flask import Response, current_app, jsonify, render_template, url_for

from recycling.routes.pages.guard import PageBlueprint

SCOPE = "/pages/collect"
SHELL = Path(__file__).resolve().parents[2] / "templates" / "collect" / "shell.html"
SCRIPT = "text/javascript; charset=utf-8"
# Facts that are nobody's, which the worker keeps beside the shell: what can be picked at a door, and the map's ground.
FACTS = ("/item-types", "/failed-visit-codes", "/proof-rules", "/district-map")
# What the shell loads beside its own folders.
SHARED = (
    "pages.css",
    "collect.css",
    "icon.svg",
    "js/words.js",
    "js/dom.js",
    "js/api.js",
    "js/server-time.js",
    "js/map.js",
)
# Scripts that are not read at every opening: the map's, and those that are no modules of the page.
LATER = ("js/map.js", "js/collect/mapped.js", "js/collect/early.js", "js/collect/sign_in.js")
FOLDERS = ("collect", "js/collect", "vendor/leaflet-1.9.4")

bp = PageBlueprint("page_collect", __name__, roles=("collector",), url_prefix=SCOPE)
parts = PageBlueprint("page_collect_parts", __name__, roles=None, url_prefix=SCOPE)


@bp.get("")
def show() -> str:
    """Show today's route to its collector."""
    return _shell()


@parts.get("/shell")
def show_shell() -> str:
    """Show the same to the worker, which keeps it for when there is no network."""
    return _shell()


@parts.get("/worker.js")
def show_worker() -> Response:
    """The worker of the page: another one whenever the shell or a static file is another one."""
    script = render_template("collect/worker.js", files=_files(), facts=FACTS, page=SCOPE, shell_digest=_shell_digest())
    # By itself a worker answers for what lies below its own address, which the page does not.
    return Response(script, content_type=SCRIPT, headers={"Service-Worker-Allowed": SCOPE, "Cache-Control": "no-cache"})


@parts.get("/manifest.webmanifest")
def show_manifest() -> Response:
    """What a phone needs to install the page; the sign-in form stays inside the installed window."""
    about: dict[str, Any] = {
        "name": "薛城回收 · 今日收运", "short_name": "今日收运", "lang": "zh-CN", "id": SCOPE, "start_url": SCOPE,
        "scope": "/pages/", "display": "standalone", "background_color": "#f4f7f5", "theme_color": "#0b6b4a",
        "icons": [
            _icon("192x192", "collect/icon-192.png"),
            _icon("512x512", "collect/icon-512.png"),
            _icon("512x512", "collect/icon-maskable-512.png") | {"purpose": "maskable"},
        ],
    }  # fmt: skip
    response = jsonify(about)
    response.content_type = "application/manifest+json"
    return response


def _shell() -> str:
    names = _names(str(current_app.static_folder))
    scripts = [name for name in names if name.startswith("js/") and name not in LATER]
    return render_template("collect/shell.html", scripts=scripts)


def _icon(sizes: str, name: str) -> dict[str, str]:
    return {"src": url_for("static", filename=name), "sizes": sizes, "type": "image/png"}


@cache
def _shell_digest() -> str:
    return hashlib.sha256(SHELL.read_bytes()).hexdigest()[:12]


def _files() -> list[str]:
    return [url_for("static", filename=name) for name in _names(str(current_app.static_folder))]


@cache
def _names(static: str) -> tuple[str, ...]:
    """The static files that the worker keeps."""
    folder = Path(static)
    own = [path for name in FOLDERS for path in sorted((folder / name).rglob("*")) if path.suffix]
    return (*SHARED, *(path.relative_to(folder).as_posix() for path in own))
