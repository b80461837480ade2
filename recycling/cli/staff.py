"""`flask staff`: open, renew and close accounts of people who work in the network."""

from __future__ import annotations

from typing import cast
from uuid import UUID

import click
from flask import current_app
from flask.cli import AppGroup

from recycling.cli.refusals import in_words
from recycling.cli.tables import plain_table, print_table
from recycling.clock import SHANGHAI, utc_now
from recycling.extensions import db
from recycling.policy.access import STAFF_ROLES, SYSTEM, Role
from recycling.usecases.people.devices import end_device
from recycling.usecases.people.staff import AddStaff, add_staff, close_staff, renew_staff
from recycling.usecases.queries.devices import list_devices
from recycling.usecases.queries.staff import list_staff

group = AppGroup("staff", help="Accounts of staff.")


@group.command("list")
def show_accounts() -> None:
    """Show every account: login, role, station or collector, whether it is open, name."""
    table = plain_table(
        "登录名\nlogin", "角色\nrole", "站点/回收员\nstation/collector", "状态\nstate", words="姓名\nname"
    )
    for row in list_staff(session=db.session()):
        state = "启用 open" if row.active else "停用 closed"
        table.add_row(row.login, row.role, row.station_key or row.collector_key or "", state, row.name)
    print_table(table)


@group.command("add")
@click.argument("login")
@click.argument("role", type=click.Choice(STAFF_ROLES))
@click.option("--name", required=True, help="Shown to others.")
@click.option("--station", help="A keeper's station key.")
@click.option("--collector", help="A collector's key in network.toml.")
@click.password_option(help="At least 12 characters; asked for when absent.")
def add(login: str, role: str, name: str, station: str | None, collector: str | None, password: str) -> None:
    """Open an account."""
    command = AddStaff(
        login=login,
        name=name,
        role=cast("Role", role),
        password=password,
        station_key=station,
        collector_key=collector,
    )
    with in_words():
        add_staff(command, by=SYSTEM, district=current_app.extensions["district"], session=db.session(), now=utc_now())
    click.echo(f"{login} ({role}) can sign in now.")


@group.command("renew")
@click.argument("login")
@click.password_option(help="At least 12 characters; asked for when absent.")
def renew(login: str, password: str) -> None:
    """Give an account a new password and end its sign-ins; a closed account is open again."""
    with in_words():
        renew_staff(login, password, by=SYSTEM, session=db.session(), now=utc_now())
    click.echo(f"{login} can sign in with the new password only.")


@group.command("close")
@click.argument("login")
def close(login: str) -> None:
    """Close an account and end its sign-ins."""
    with in_words():
        close_staff(login, by=SYSTEM, session=db.session(), now=utc_now())
    click.echo(f"{login} can sign in no more.")


@group.command("devices")
def show_devices() -> None:
    """Show the devices that collectors are signed in on."""
    table = plain_table(
        "登录编号\nsign-in", "回收员\ncollector", "类型\nkind", "登录\nsince", "最近使用\nseen", words="姓名\nname"
    )
    for row in list_devices(by=SYSTEM, session=db.session(), now=utc_now()):
        since, seen = (f"{row[name].astimezone(SHANGHAI):%m-%d %H:%M}" for name in ("signed_in_at", "seen_at"))
        table.add_row(str(row["id"]), row["collector_key"], row["kind"], since, seen, row["name"])
    print_table(table)


@group.command("end-device")
@click.argument("sign_in_id", type=click.UUID)
def end(sign_in_id: UUID) -> None:
    """Sign a device of a collector out at once; SIGN_IN_ID is the first column of `flask staff devices`."""
    with in_words():
        end_device(sign_in_id, by=SYSTEM, session=db.session(), now=utc_now())
    click.echo("Signed out; its next request is refused.")
