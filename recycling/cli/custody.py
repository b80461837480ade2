"""`flask custody`: labels for a roll, trails that verify, and photos that stand for several bookings."""

from __future__ import annotations

from datetime import datetime

import click
from flask.cli import AppGroup

from recycling.cli.refusals import in_words
from recycling.extensions import db
from recycling.policy.custody_tags import new_tags
from recycling.usecases.queries.custody import verify_custody
from recycling.usecases.queries.proofs import repeated_photos

MOST_TAGS = 10_000  # a roll of labels has one to five thousand

group = AppGroup("custody", help="Labels on what leaves a door, and proof of visits.")


@group.command("tags")
@click.argument("count", type=click.IntRange(1, MOST_TAGS))
def tags(count: int) -> None:
    """Print new label numbers, one a line: label printers read such a list and draw the QR code themselves."""
    for tag in new_tags(count):
        click.echo(tag)


@group.command("verify")
def verify() -> None:
    """Name the first bad step of each label's trail, and fail when there is one."""
    bad = verify_custody(db.session())
    for step in bad:
        click.echo(f"{step.tag}  {step.number}  {step.fault}")
    if bad:
        raise click.ClickException(f"{len(bad)} trails do not verify / {len(bad)} 条追溯记录校验不符")
    click.echo("every trail verifies / 追溯记录全部校验通过")


@group.command("repeated")
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]))
def repeated(day: datetime) -> None:
    """List pictures of a day's visits that stand for other bookings as well."""
    with in_words():
        found = repeated_photos(day.date(), session=db.session())
    for one in found:
        click.echo(f"{one.sha256}  {' '.join(map(str, one.booking_ids))}")
    click.echo(
        f"{len(found)} pictures stand for several bookings; look at them side by side"
        f" / {len(found)} 张照片出现在多个预约，请人工核对"
    )
