"""`flask limits`: work out anew how many live bookings everybody has."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import AppGroup

from recycling.cli.refusals import in_words
from recycling.clock import utc_now
from recycling.extensions import db
from recycling.usecases.bookings.rebuild_limits import rebuild_limits

group = AppGroup("limits", help="Limits on live bookings.")


@group.command("rebuild")
def rebuild() -> None:
    """Count live bookings and no-shows anew: once after migration 0004, or when check-data says I-4 is broken."""
    district = current_app.extensions["district"]
    with in_words():
        found = rebuild_limits(district=district, session=db.session(), now=utc_now())
    click.echo(
        f"{found.live} live bookings have their limits, {found.counters} counters were put right"
        f" / {found.live} 个有效预约已计入限额，更正 {found.counters} 个计数"
    )
    for booking_id in found.clashes:
        click.echo(f"  {booking_id}: the same item is booked twice at this door and day; call the resident / 重复预约")
