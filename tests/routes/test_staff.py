"""Accounts over HTTP: opened, renewed and closed by administrators only, and nobody's password ever told."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.audit import AuditRow
from tests.callers import Callers

PASSWORD = "correct horse battery"


def test_an_administrator_opens_renews_and_closes_an_account(session: Session, callers: Callers) -> None:
    admin = callers.staff("admin")
    new = {"login": "keeper-new", "name": "新站点", "role": "keeper", "station_key": "lincheng", "password": PASSWORD}
    made = admin.post("/staff", new)
    assert made.status_code == 201, made.text
    assert PASSWORD not in made.text
    assert "password" not in made.get_json()
    staff_id = made.get_json()["id"]

    def sign_in(password: str) -> int:
        body = {"login": "keeper-new", "password": password}
        return callers.app.test_client().post("/sign-in/staff", json=body).status_code

    assert sign_in(PASSWORD) == 201
    assert admin.post("/staff", new | {"name": "又一个"}).status_code == 409
    assert admin.post(f"/staff/{staff_id}/password", {"password": "short"}).status_code == 422
    assert admin.post(f"/staff/{staff_id}/password", {"password": "another long one"}).status_code == 204
    assert (sign_in(PASSWORD), sign_in("another long one")) == (401, 201)
    assert admin.post(f"/staff/{staff_id}/closing").status_code == 204
    assert sign_in("another long one") == 401
    (row,) = [one for one in admin.get("/staff").get_json()["staff"] if one["id"] == staff_id]
    assert row["active"] is False
    # nobody locks the door behind themselves
    assert admin.post(f"/staff/{admin.id}/closing").status_code == 409
    # and each step is in the audit log, under the administrator's name
    wanted = select(AuditRow.action).where(AuditRow.subject == staff_id, AuditRow.actor_id == admin.id)
    assert session.scalars(wanted.order_by(AuditRow.number)).all() == ["staff.added", "staff.renewed", "staff.closed"]
