"""The HTML screens: made on the server, read without JavaScript, no part of the OpenAPI document."""

from __future__ import annotations

from flask import Flask
from jinja2 import StrictUndefined

from recycling.routes.pages import (
    bookings,
    calendar,
    docs,
    fairness,
    fleet,
    goals,
    handling,
    home,
    language,
    live,
    my_data,
    my_route,
    plan,
    privacy,
    receipt,
    running_day,
    sign_in,
    staff,
    track,
)
from recycling.routes.pages.words import FILTERS, page_words

BLUEPRINTS = (
    docs.bp,
    home.bp,
    language.bp,
    sign_in.bp,
    sign_in.out,
    privacy.bp,
    my_data.bp,
    bookings.bp,
    my_route.bp,
    plan.bp,
    running_day.bp,
    live.bp,
    fleet.bp,
    calendar.bp,
    staff.bp,
    track.bp,
    receipt.bp,
    goals.bp,
    handling.bp,
    fairness.bp,
)


def register(app: Flask) -> None:
    """Hang the screens into the app, and what their templates share."""
    app.jinja_env.undefined = StrictUndefined  # a misspelt name fails in the test instead of printing nothing
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters |= FILTERS
    app.jinja_env.globals["say"] = language.say  # also inside imported macros
    app.context_processor(page_words)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
