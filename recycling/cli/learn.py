"""`flask learn`: propose new handling minutes from the records of a period."""

from __future__ import annotations

from datetime import datetime

import click
from flask import current_app
from flask.cli import AppGroup

from recycling.cli.refusals import in_words
from recycling.clock import utc_now
from recycling.extensions import db
from recycling.models.handling import HandlingProposal
from recycling.policy.access import SYSTEM
from recycling.usecases.learning.in_force import facts_in_force
from recycling.usecases.learning.propose_handling import propose_handling

group = AppGroup("learn", help="Minutes of stops and travel, learned from plan against actual.")

LOCAL_DAY = click.DateTime(formats=["%Y-%m-%d"])


@group.command("propose")
@click.option("--from", "first", type=LOCAL_DAY, required=True, help="First day of the period.")
@click.option("--to", "last", type=LOCAL_DAY, required=True, help="Last day; it must be over.")
def propose(first: datetime, last: datetime) -> None:
    """Work out what the records say and keep it as a proposal; a dispatcher accepts or rejects it."""
    with in_words():
        session = db.session()
        facts = facts_in_force(current_app.extensions["district"], session=session)
        proposal = propose_handling(
            first.date(), last.date(), by=SYSTEM, district=facts, session=session, now=utc_now()
        )
    if proposal is None:
        click.echo(f"{first.date()} to {last.date()}: no visit that counts / 该时间段没有可用的上门记录")
        return
    _print(proposal)


def _print(proposal: HandlingProposal) -> None:
    click.echo(
        f"{proposal.id}: {proposal.visits} visits, {proposal.legs} legs, {proposal.trimmed} too far off to count"
        f" / {proposal.visits} 次上门，{proposal.legs} 个路段，剔除 {proposal.trimmed} 次"
    )
    for row in proposal.parameters:
        if row["new"] != row["old"]:
            click.echo(
                f"  {row['name']}: {row['old']} -> {row['new']} ({row['low']} to {row['high']}, n={row['sample']})"
            )
    for name, shares in proposal.gain.items():
        held = shares["held_out"]
        click.echo(f"  {name}, days held out: median error {held['before_s']} s before, {held['after_s']} s after")
