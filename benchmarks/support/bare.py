"""The least that could store a booking, for `POST /bookings` to stand beside: Flask, one row, one commit."""

from __future__ import annotations

import os
from uuid import UUID, uuid4

from flask import Flask, Response, jsonify, request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from recycling.extensions import engine_options, prepare_engine


class Base(DeclarativeBase):
    """The bare app's own tables."""


db = SQLAlchemy(model_class=Base)


class BareRow(Base):
    """One row that holds the body."""

    __tablename__ = "bare_row"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    body: Mapped[dict[str, object]] = mapped_column(JSON)


def create_bare() -> Flask:
    """Build the bare app on the database at DATABASE_URL."""
    app = Flask(__name__)
    url = os.environ["DATABASE_URL"]
    app.config.update(SQLALCHEMY_DATABASE_URI=url, SQLALCHEMY_ENGINE_OPTIONS=engine_options(url))
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)

    @app.get("/healthz")
    def live() -> Response:
        return jsonify(status="ok")

    @app.post("/bookings")
    def store() -> tuple[Response, int]:
        row = BareRow(id=uuid4(), body=request.get_json())
        db.session.add(row)
        db.session.commit()
        return jsonify(id=str(row.id)), 201

    return app


def make_table() -> None:
    """Make the bare app's table; its servers find it there."""
    with create_bare().app_context():
        db.create_all()


if os.environ.get("BARE_SERVER"):  # gunicorn imports this module for its `app`; nobody else wants one
    app = create_bare()
