"""The application with three faults planted: a crash, an undocumented answer, one of another form. A control."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from config.settings import from_environment
from recycling.app import create_app

app = create_app(from_environment())


def crash(**_: Any) -> Response:
    """Fail."""
    raise KeyError("planted")


def answer_a_teapot() -> Response:
    """Answer with a status that the document does not name."""
    return Response("{}", 418, content_type="application/json")


def answer_in_another_form() -> Response:
    """Answer with a list where the document promises an object."""
    return jsonify(["planted"])


app.view_functions["reference.list_villages"] = crash
app.view_functions["reference.list_stations"] = answer_a_teapot
app.view_functions["reference.list_town_units"] = answer_in_another_form
