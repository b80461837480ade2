"""`flask staff`: accounts opened, shown and closed by hand."""

from __future__ import annotations

from flask import Flask
from sqlalchemy.orm import Session

from tests.callers import PASSWORD, Callers


def test_every_account_is_listed_with_what_it_is_for_and_whether_it_is_open(app: Flask, session: Session) -> None:
    session.rollback()
    shell = app.test_cli_runner()

    def done(*words: str) -> str:
        answer = shell.invoke(args=["staff", *words])
        assert answer.exit_code == 0, answer.output
        return answer.output

    # given a keeper, a collector, and a clerk whose account is closed
    for login, role, name, *where in (
        ("wang", "keeper", "王保管", "--station", "shagou"),
        ("li", "clerk", "李文员"),
        ("zhao", "collector", "赵师傅", "--collector", "c01"),
    ):
        done("add", login + "-1", role, "--name", name, "--password", PASSWORD, *where)
    done("close", "li-1")
    # then they are listed by login, and no password or hash with them
    printed = done("list")
    assert [line.split() for line in printed.splitlines()[2:]] == [
        ["li-1", "clerk", "停用", "closed", "李文员"],
        ["wang-1", "keeper", "shagou", "启用", "open", "王保管"],
        ["zhao-1", "collector", "c01", "启用", "open", "赵师傅"],
    ]


def test_an_account_without_a_name_is_refused_in_words(app: Flask, session: Session) -> None:
    session.rollback()
    for name in ("", "名" * 65):
        answer = app.test_cli_runner().invoke(
            args=["staff", "add", "wang-1", "clerk", "--name", name, "--password", PASSWORD]
        )
        assert answer.exit_code == 1
        assert "use 1 to 64 printable characters" in answer.output


def test_a_lost_phone_is_found_and_signed_out_by_hand(app: Flask, session: Session, callers: Callers) -> None:
    session.rollback()
    shell = app.test_cli_runner()
    # given a collector signed in at 10:00, and a clerk, who is in no list of devices
    collector = callers.staff("collector", collector_key="c01")
    callers.staff("clerk")
    # when the devices are shown
    printed = shell.invoke(args=["staff", "devices"]).output
    # then there is one line: sign-in, collector, kind, since and last seen, name
    (line,) = (one.split() for one in printed.splitlines()[2:])
    assert line[1:] == ["c01", "app", "11-23", "10:00", "11-23", "10:00", "collector", "1"]
    # and once ended it is refused and gone; a second time there is nothing to end
    assert shell.invoke(args=["staff", "end-device", line[0]]).exit_code == 0
    assert collector.get("/me").status_code == 401
    assert len(shell.invoke(args=["staff", "devices"]).output.splitlines()) == 2
    again = shell.invoke(args=["staff", "end-device", line[0]])
    assert (again.exit_code, "nobody is signed in" in again.output) == (1, True)
