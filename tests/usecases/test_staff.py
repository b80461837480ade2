"""Accounts of staff: who may have one, each once, and what closing it does."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from recycling.errors import Conflict, InvalidInput, NotFound, WrongCode
from recycling.extensions import db
from recycling.models.people import Staff
from recycling.policy.access import SYSTEM
from recycling.policy.district import District
from recycling.usecases.people.sign_in import BrowserDevice, SignedIn, find_principal, sign_in_staff
from recycling.usecases.people.staff import AddStaff, add_staff, close_staff, renew_staff
from tests.callers import PASSWORD


def a_clerk(**overrides: Any) -> AddStaff:
    fields = {"login": "wen-yuan", "name": "文员", "role": "clerk", "password": PASSWORD}
    return AddStaff(**(fields | overrides))


@pytest.mark.parametrize(
    ("command", "named"),
    [
        (a_clerk(login="A"), "'A'"),
        (a_clerk(login="Upper"), "'Upper'"),
        (a_clerk(login="two words"), "'two words'"),
        (a_clerk(login="x" * 33), "3 to 32"),
        (a_clerk(name=""), "name '': use 1 to 64"),
        (a_clerk(name="　 "), "1 to 64"),
        (a_clerk(name="名" * 65), "1 to 64"),
        (a_clerk(name="a\x00b"), "1 to 64"),
        # eleven characters
        (a_clerk(password="elevenchars"), "11 characters"),
        (a_clerk(role="resident"), "'resident'"),
        (a_clerk(role="keeper"), "station_key None"),
        (a_clerk(role="keeper", station_key="atlantis"), "'atlantis'"),
        (a_clerk(station_key="lincheng"), "'lincheng'"),
        (a_clerk(role="collector"), "collector_key None"),
        (a_clerk(role="collector", collector_key="atlantis-1"), "'atlantis-1'"),
        (a_clerk(collector_key="lincheng-1"), "'lincheng-1'"),
    ],
)
def test_an_account_that_cannot_work_is_refused_by_value(
    session: Session, district: District, now: datetime, command: AddStaff, named: str
) -> None:
    with pytest.raises(InvalidInput, match=named):
        add_staff(command, by=SYSTEM, district=district, session=session, now=now)
    assert session.scalars(select(Staff)).all() == []


def test_the_refusal_of_a_password_does_not_repeat_it(session: Session, district: District, now: datetime) -> None:
    with pytest.raises(InvalidInput) as refused:
        add_staff(a_clerk(password="elevenchars"), by=SYSTEM, district=district, session=session, now=now)
    assert "elevenchars" not in refused.value.message


def test_a_login_is_given_once_and_a_collector_has_one_account(
    session: Session, district: District, now: datetime
) -> None:
    add_staff(a_clerk(), by=SYSTEM, district=district, session=session, now=now)
    collector = next(iter(district.network.collectors))
    add_staff(
        a_clerk(login="si-ji", role="collector", collector_key=collector),
        by=SYSTEM, district=district, session=session, now=now,
    )  # fmt: skip
    for again in (a_clerk(name="他人"), a_clerk(login="si-ji-2", role="collector", collector_key=collector)):
        with pytest.raises(Conflict, match=again.login):
            add_staff(again, by=SYSTEM, district=district, session=session, now=now)
    assert sorted(session.scalars(select(Staff.login))) == ["si-ji", "wen-yuan"]


def test_of_two_who_open_one_account_at_once_one_hears_conflict(
    app: Flask, session: Session, district: District, now: datetime
) -> None:
    start = threading.Barrier(4)

    def open_account(_: int) -> bool:
        with app.app_context():
            start.wait(timeout=30)
            try:
                add_staff(a_clerk(), by=SYSTEM, district=district, session=db.session(), now=now)
            except Conflict:
                return False
            return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(open_account, range(4))) == 1
    assert session.scalars(select(func.count()).select_from(Staff)).one() == 1


def sign_in_on_browser(login: str, password: str, *, district: District, session: Session, now: datetime) -> SignedIn:
    """Sign in on a browser of one's own."""
    return sign_in_staff(
        login, password, address="192.0.2.1", district=district, session=session, now=now,
        device=BrowserDevice(secret="s"),
    )  # fmt: skip


def test_a_forgotten_password_is_replaced_and_a_closed_account_opened_by_the_same(
    session: Session, district: District, now: datetime
) -> None:
    # given a collector who is signed in, and whose account is then closed
    collector = a_clerk(login="c01", role="collector", collector_key="c01")
    add_staff(collector, by=SYSTEM, district=district, session=session, now=now)
    before = sign_in_on_browser("c01", PASSWORD, district=district, session=session, now=now)
    close_staff("c01", by=SYSTEM, session=session, now=now)
    # another account for the same collector is refused, with the way out
    again = a_clerk(login="c01-new", role="collector", collector_key="c01")
    with pytest.raises(Conflict, match="flask staff renew"):
        add_staff(again, by=SYSTEM, district=district, session=session, now=now)
    # when the account is renewed, then the new password opens it and neither the old one nor the old device does
    with pytest.raises(InvalidInput, match="5 characters"):
        renew_staff("c01", "short", by=SYSTEM, session=session, now=now)
    renew_staff("c01", "another horse entirely", by=SYSTEM, session=session, now=now)
    with pytest.raises(WrongCode):
        sign_in_on_browser("c01", PASSWORD, district=district, session=session, now=now)
    assert find_principal(before.sign_in_id, session=session, now=now) is None
    opened = sign_in_on_browser("c01", "another horse entirely", district=district, session=session, now=now)
    # and renewing once more ends that sign-in as well
    renew_staff("c01", PASSWORD, by=SYSTEM, session=session, now=now)
    assert find_principal(opened.sign_in_id, session=session, now=now) is None


def test_an_unknown_account_cannot_be_closed(session: Session, now: datetime) -> None:
    with pytest.raises(NotFound, match="'nobody'"):
        close_staff("nobody", by=SYSTEM, session=session, now=now)
    with pytest.raises(NotFound, match="'nobody'"):
        renew_staff("nobody", PASSWORD, by=SYSTEM, session=session, now=now)


@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "keeper", "station_key": None},
        {"role": "clerk", "station_key": "lincheng"},
        {"role": "collector", "collector_key": None},
        {"role": "nobody"},
    ],
)
def test_the_database_itself_keeps_role_and_key_together(
    session: Session, now: datetime, wrong: dict[str, Any]
) -> None:
    # given a row written past the use case
    session.add(Staff(login="x", name="x", password_hash="x", created_at=now, **wrong))
    with pytest.raises(IntegrityError):
        session.commit()
    session.rollback()
