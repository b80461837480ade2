"""`flask scales`: keys with which weighbridges sign what they send."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import AppGroup

from recycling.cli.refusals import in_words
from recycling.cli.tables import plain_table, print_table
from recycling.clock import utc_now
from recycling.extensions import db
from recycling.policy.access import SYSTEM
from recycling.units import local_text
from recycling.usecases.intake.scale_keys import end_scale_key, issue_scale_key
from recycling.usecases.queries.readings import list_scale_keys

group = AppGroup("scales", help="Weighbridges that send their readings.")


@group.command("list")
def show_keys() -> None:
    """Show which weighbridges have a key, and since when."""
    table = plain_table("站点\nstation", "磅秤\nscale", words="发放\nissued")
    for key in list_scale_keys(session=db.session()):
        table.add_row(key.station_key, key.scale_number, local_text(key.issued_at))
    print_table(table)


@group.command("key")
@click.argument("station")
@click.argument("scale")
def issue(station: str, scale: str) -> None:
    """Make a new key for SCALE of STATION and show it, this once; the key before ends."""
    with in_words():
        secret = issue_scale_key(
            station, scale, by=SYSTEM, district=current_app.extensions["district"], session=db.session(), now=utc_now()
        )
    click.echo(secret)


@group.command("end")
@click.argument("station")
@click.argument("scale")
def end(station: str, scale: str) -> None:
    """End the key of SCALE of STATION; what it has sent stays."""
    with in_words():
        end_scale_key(station, scale, by=SYSTEM, session=db.session(), now=utc_now())
    click.echo("Its next reading is refused.")
