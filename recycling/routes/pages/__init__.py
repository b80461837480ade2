"""The HTML screens: made on the server, read without JavaScript, no part of the OpenAPI document."""

from __future__ import annotations

from flask import Flask
from jinja2 import StrictUndefined

from recycling.routes.pages import (
    board,
    book,
    bookings,
    calendar,
    certificate,
    collect,
    docs,
    fairness,
    figures,
    fleet,
    goals,
    handling,
    history,
    home,
    kept_windows,
    language,
    live,
    my_data,
    my_route,
    plan,
    privacy,
    receipt,
    records,
    reports,
    sign_in,
    staff,
    station,
    track,
    type_size,
)
from recycling.routes.pages.words import FILTERS, page_words

BLUEPRINTS = (
    docs.bp,
    home.bp,
    language.bp,
    type_size.bp,
    sign_in.bp,
    sign_in.out,
    privacy.bp,
    my_data.bp,
    book.bp,
    bookings.bp,
    collect.bp,
    collect.parts,
    my_route.bp,
    station.bp,
    plan.bp,
    board.bp,
    live.bp,
    fleet.bp,
    calendar.bp,
    staff.bp,
    track.bp,
    receipt.bp,
    certificate.bp,
    goals.bp,
    figures.bp,
    reports.bp,
    history.bp,
    kept_windows.bp,
    records.bp,
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
