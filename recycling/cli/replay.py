"""`flask replay`: a past day as it was known at an instant, in its one byte form."""

from __future__ import annotations

from datetime import datetime

import click
from flask.cli import with_appcontext

from recycling.cli.refusals import in_words
from recycling.clock import SHANGHAI, utc_now
from recycling.extensions import db
from recycling.usecases.queries.replay import replay


@click.command("replay")
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]))
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]),
    help="What was known then; local time unless an offset is given. Default now.",
)  # fmt: skip
@with_appcontext
def command(day: datetime, as_of: datetime | None) -> None:
    """Print what was known of a day, the plans made, what happened, and the reports that came out, as JSON."""
    if as_of is not None and as_of.tzinfo is None:
        as_of = as_of.replace(tzinfo=SHANGHAI)
    with in_words():
        found = replay(day.date(), session=db.session(), now=utc_now(), as_of=as_of)
    click.echo(found)
