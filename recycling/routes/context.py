"""What a view hands down: session, reference facts, the version an edit is based on."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Response, current_app, g, request

from recycling.errors import InvalidInput, VersionRequired
from recycling.extensions import db
from recycling.policy.district import District
from recycling.routes.guard import needs_header
from recycling.usecases.learning.in_force import facts_in_force

View = TypeVar("View", bound=Callable[..., Any])

ETAG_FORM = re.compile(r'"([0-9]{1,9})"')  # strong, and short enough for an integer column


def configured() -> District:
    """The reference facts the app was started with: for what makes no promise and plans nothing."""
    return cast("District", current_app.extensions["district"])


def district() -> District:
    """The reference facts with the handling tables that people have accepted, whichever process they told."""
    session = db.session()
    found = facts_in_force(configured(), session=session)
    if not session.info.get("atomic"):
        session.commit()  # let go of the snapshot, as the guard does: the view opens its own transaction
    return found


def versioned(view: View) -> View:
    """Require ``If-Match`` on an edit; the view reads it with `expected_version`."""

    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        given = request.headers.get("If-Match")
        if given is None:
            raise VersionRequired(
                'say which version you edit: send the row\'s ETag as If-Match, e.g. If-Match: "3"'
                " / 请用 If-Match 请求头带上所改版本的 ETag"
            )
        found = ETAG_FORM.fullmatch(given.strip())
        if found is None:
            raise InvalidInput(
                f'If-Match is {given[:40]!r}; send the ETag of the row as it came, e.g. "3" / 请原样带上读取时的 ETag'
            )
        g.expected_version = int(found[1])
        return view(*args, **kwargs)

    return cast("View", needs_header(checked, "If-Match"))


def expected_version() -> int:
    """The version that the caller's edit is based on."""
    return cast("int", g.expected_version)


def etag(version: int) -> dict[str, str]:
    """The header that names a row's version."""
    return {"ETag": f'"{version}"'}


def tagged_by_content(view: View) -> View:
    """Answer with a strong ETag of the content, and 304 to a caller who names it in ``If-None-Match``."""

    @wraps(view)
    def tagged(*args: Any, **kwargs: Any) -> Response:
        response = current_app.make_response(view(*args, **kwargs))
        response.add_etag()
        response.make_conditional(request.environ)
        return response

    return cast("View", tagged)
