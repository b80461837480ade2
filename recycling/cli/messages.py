"""`flask messages`: what waits in the outbox, what was given up, what a provider could not bring to its phone."""

from __future__ import annotations

from uuid import UUID

import click
from flask.cli import AppGroup

from recycling.cli.jobs import local_text
from recycling.cli.tables import plain_table, print_table
from recycling.clock import utc_now
from recycling.extensions import db
from recycling.models import outbox
from recycling.usecases.messages.deliver import try_dead_again

group = AppGroup("messages", help="Messages: waiting, given up, not delivered.")


@group.command("list")
@click.option(
    "--state", type=click.Choice(["waiting", "dead", "undelivered"]), default="dead", show_default=True,
    help="Which ones.",
)  # fmt: skip
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
def show_messages(state: str, limit: int) -> None:
    """Show messages with their last error; never to whom, which the ids tell those who may know."""
    session = db.session()
    if state == "waiting":
        found = outbox.waiting_messages(session, limit=limit)
    elif state == "undelivered":
        found = outbox.undelivered_messages(session, limit=limit)
    else:
        found = outbox.dead_messages(session)[:limit]
    table = plain_table("message", "kind", "to", "created", "due", "tries", "provider", words="last error")
    for message in found:
        table.add_row(
            str(message.id), message.kind, message.recipient_kind, local_text(message.created_at),
            local_text(message.due_at), str(message.attempts), message.provider or "", message.last_error,
        )  # fmt: skip
    print_table(table)
    whole = outbox.outbox_state(session, now=utc_now())
    click.echo(
        f"待发消息 / outbox: {whole['waiting']} waiting, the oldest for {whole['oldest_s']} s, {whole['dead']} dead"
    )


@group.command("retry")
@click.argument("message_id", type=click.UUID, required=False)
@click.option("--all", "all_of_them", is_flag=True, help="Every message that was given up.")
def retry_messages(message_id: UUID | None, *, all_of_them: bool) -> None:
    """Give a message that was given up, or all of them, a new round of attempts."""
    if (message_id is None) != all_of_them:
        raise click.UsageError("name one message, or all of them with --all")
    revived = try_dead_again(session=db.session(), now=utc_now(), message_id=message_id)
    if not revived and message_id is not None:
        raise click.ClickException(f"no message {message_id} was given up; look at: flask messages list")
    click.echo(f"{revived} messages wait for delivery again.")
