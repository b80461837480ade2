"""`flask check-data`: whether the stored rows keep every invariant, one line each."""

from __future__ import annotations

import sys

import click
from flask.cli import with_appcontext

from recycling.cli.refusals import in_words
from recycling.clock import utc_now
from recycling.extensions import db
from recycling.usecases.queries.invariants import INVARIANTS

SHOWN = 5  # offending rows printed of each invariant


@click.command("check-data")
@with_appcontext
def command() -> None:
    """Check every invariant of the stored data; exit 1 when one is broken."""
    broken = 0
    for invariant in INVARIANTS:
        with in_words():
            rows = invariant.breaches(db.session(), utc_now())
        db.session.rollback()
        broken += bool(rows)
        click.echo(f"{'BROKEN' if rows else 'ok':<6} {invariant.key:<5} {invariant.rule}")
        for row in rows[:SHOWN]:
            click.echo(f"             {', '.join(str(value) for value in row)}")
        if len(rows) > SHOWN:
            click.echo(f"             … {len(rows) - SHOWN} more")
    if broken:
        click.echo(f"{broken} of {len(INVARIANTS)} invariants are broken / 有 {broken} 项数据不变量被破坏")
        sys.exit(1)
    click.echo(f"all {len(INVARIANTS)} invariants hold / 全部 {len(INVARIANTS)} 项数据不变量成立")
