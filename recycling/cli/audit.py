"""`flask audit`: sign where the records stand, and verify that nobody changed them."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from recycling.cli.refusals import in_words
from recycling.clock import utc_now
from recycling.extensions import db
from recycling.units import instant_at
from recycling.usecases.audit.copies import copies_in
from recycling.usecases.audit.make_anchor import make_anchor
from recycling.usecases.audit.verify_records import verify_records

group = AppGroup("audit", help="The audit log, its anchors, and the records that figures rest on.")


@group.command("anchor")
def anchor() -> None:
    """Make an anchor now, beside that of the night."""
    with in_words():
        made = make_anchor(folder=current_app.config.get("AUDIT_ANCHOR_DIR"), session=db.session(), now=utc_now())
    audit_rows, scales = made.content["audit"][0], made.content["scales"]
    click.echo(
        f"anchor {made.number} of {made.day}: {audit_rows} audit rows, {sum(row[2] for row in scales)} tickets on"
        f" {len(scales)} scales, mac {bytes(made.mac).hex()}"
    )


@group.command("verify")
@click.option(
    "--anchors", "files", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Another copy of the anchors, one JSON line each, such as the bureau's.",
)  # fmt: skip
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d"]), help="Only from the newest anchor of that day's start or earlier."
)
def verify(files: tuple[Path, ...], since: datetime | None) -> None:
    """Verify audit log, tickets, figures and anchors; exit 1 when something was changed."""
    copies = copies_in(current_app.config.get("AUDIT_ANCHOR_DIR"), *files)
    begin = None if since is None else instant_at(since.date(), 0)
    with in_words():
        found = verify_records(session=db.session(), now=utc_now(), copies=copies, since=begin)
    begun = "the start" if found.begun_at is None else f"the anchor of {found.begun_at}"
    click.echo(f"{found.audit_rows} audit rows, {found.tickets} tickets, {found.anchors} anchors; from {begun}")
    for one in found.findings:
        click.echo(f"BROKEN {one.kind} {one.row}: {one.what}")
    if found.findings:
        click.echo(f"{len(found.findings)} findings / 发现 {len(found.findings)} 处异常")
        sys.exit(1)
    click.echo("nothing was changed / 未发现改动")
