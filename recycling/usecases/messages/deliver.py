"""Deliver the outbox, one message at a time (消息投递).

"Effectively once" means: an effect is written as one row however often it is repeated (its dedupe key); one sender
holds a row at a time (token and lease); and what was handed over is marked in the next statement. Only a sender that
dies between those two lets the same text be handed over again, when its lease has ended: a message may then come
twice, and is never lost. It ends as sent or, after its last attempt, as dead: kept, logged as an error and shown by
``flask jobs list``.

What is told of one booking comes in the sequence in which it happened: a message waits for the older ones, and one that
is no longer true when its turn comes ends as obsolete, which is logged and kept with its reason. So does a reminder or
advice whose resident takes none. Events for other systems keep their sequence too, and are all told: they say
what happened, not what is so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import DomainError, NotFound
from recycling.gateways.mail import MailGateway, NullMail
from recycling.gateways.sms import Accepted, SmsGateway
from recycling.gateways.webhook import NullWebhooks, WebhookGateway
from recycling.logs import logger, mask_phones
from recycling.models import outbox
from recycling.models.outbox import HeldMessage, OutboxMessage
from recycling.models.people import Resident
from recycling.models.transaction import atomic
from recycling.policy.district import District
from recycling.policy.quiet_hours import is_daytime, next_morning
from recycling.usecases.messages.bureau_mail import bureau_mail
from recycling.usecases.messages.event_body import event_body
from recycling.usecases.messages.fresh_facts import fresh_facts
from recycling.usecases.messages.receipts import apply_receipts
from recycling.usecases.messages.still_true import why_obsolete
from recycling.usecases.messages.texts import DAYTIME_KINDS, OPTIONAL_KINDS, SIGNATURE, render

log = logger(__name__)

Delivery = Literal["sent", "rests", "obsolete", "put_off", "dead", "taken_over"]

LEASE = timedelta(minutes=2)  # longer than any gateway's time-out
MOST_ATTEMPTS = 8
# After the n-th failed attempt: 1, 2, 4 … 60 minutes, about two hours in all.
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)


def deliver_next(
    *,
    sms: SmsGateway,
    district: District,
    session: Session,
    now: datetime,
    webhooks: WebhookGateway | None = None,
    mail: MailGateway | None = None,
) -> Delivery | None:
    """Deal with the message that waits longest; ``None`` when none is due. No transaction is open while it is sent."""
    session.rollback()
    nothing = not outbox.waiting(session, now=now)
    session.rollback()
    if nothing:
        return None
    with atomic(session):
        held = _take(session, district=district, now=now)
    if not isinstance(held, HeldMessage):
        return held
    try:
        if held.attempt > MOST_ATTEMPTS:
            raise NotFound(f"{MOST_ATTEMPTS} senders died with this message; look for their end in the log")
        taken_by = _hand_over(
            held, sms=sms, webhooks=webhooks or NullWebhooks(), mail=mail or NullMail(), district=district,
            session=session, now=now,
        )  # fmt: skip
    except Exception as error:  # whatever a gateway raises: the message waits or dies, the next one is sent
        return _failed(held, error, session=session, now=now)
    with atomic(session):
        marked = outbox.mark_sent(session, held, now=now, taken_by=taken_by)
    log.info("message.sent", message_id=str(held.id), kind=held.kind, attempt=held.attempt, marked=marked)
    if marked and taken_by is not None:
        apply_receipts(*taken_by, session=session)  # of those that were quicker than we
    return "sent" if marked else "taken_over"


def try_dead_again(*, session: Session, now: datetime, message_id: UUID | None = None) -> int:
    """Give every dead message, or the named one, a new round of attempts; returns how many."""
    with atomic(session):
        revived = outbox.revive(session, now=now, message_id=message_id)
    log.info("messages.revived", messages=revived)
    return revived


def _take(session: Session, *, district: District, now: datetime) -> HeldMessage | Literal["rests", "obsolete"] | None:
    """Hold the next message, or do with it what makes way for the one after it."""
    due = outbox.next_due(session, now=now)
    if due is None:  # another sender was faster
        return None
    first, *behind = outbox.line_of(session, due)
    reason = _why_not(first, behind, district=district, session=session, now=now)
    if reason is not None and outbox.withdraw(session, first, reason=reason, now=now):
        log.info("message.obsolete", message_id=str(first.id), kind=first.kind, reason=reason)
        return "obsolete"
    if first is not due:  # it rests, waits for its next attempt, or is in another sender's hands
        outbox.let_rest(due, until=max(first.due_at, first.lease_until or first.due_at))
        return "rests"
    if due.recipient_kind != "webhook" and due.kind in DAYTIME_KINDS and not is_daytime(now):
        outbox.let_rest(due, until=next_morning(now))
        return "rests"
    return outbox.hold(session, due, now=now, lease=LEASE)


def _why_not(
    message: OutboxMessage, behind: Sequence[OutboxMessage], *, district: District, session: Session, now: datetime
) -> str | None:
    """Why a message is not to be sent at all."""
    if message.recipient_kind == "webhook":
        return None
    if any(one.kind == message.kind for one in behind):
        return "a newer one of its kind waits"
    if message.kind in OPTIONAL_KINDS and message.recipient_kind == "resident":
        since = session.scalar(select(Resident.declined_at).where(Resident.id == message.recipient_id))
        if since is not None:
            return "opted out"
    return why_obsolete(message.kind, message.facts, district=district, session=session, now=now)


def _hand_over(
    held: HeldMessage,
    *,
    sms: SmsGateway,
    webhooks: WebhookGateway,
    mail: MailGateway,
    district: District,
    session: Session,
    now: datetime,
) -> tuple[str, str] | None:
    """Give a message to whoever brings it on; the provider and its name for a text, when receipts will follow."""
    if held.recipient_kind == "webhook":
        if held.recipient_id is None:
            raise NotFound("an event names no subscriber; it is kept")
        webhooks.send(held.recipient_id, event_body(held), message_id=held.id, now=now)
        return None
    fresh = fresh_facts(held.kind, held.facts, district=district, session=session, now=now)
    text = render(held.kind, held.facts | fresh, district=district)
    if held.recipient_kind == "bureau":
        subject, attachments = bureau_mail(held.kind, held.facts, session=session)
        session.rollback()
        if mail.send(subject, text, message_id=held.id, sent_at=held.created_at, attachments=attachments):
            return None
    if held.recipient_kind != "resident":
        # Staff, and a bureau without mail, have no channel of their own: the log is theirs, the screens show the rest.
        log.info(
            "message.logged", message_id=str(held.id), kind=held.kind, recipient_kind=held.recipient_kind,
            recipient_id=str(held.recipient_id or ""), text=text,
        )  # fmt: skip
        return None
    resident = session.get(Resident, held.recipient_id)
    phone = None if resident is None else resident.phone
    session.rollback()
    if not phone:  # erased: a pseudonym has none
        raise NotFound(f"resident {held.recipient_id} is gone; nobody can be told")
    accepted: Accepted | None = sms.send(phone, f"{SIGNATURE}{text}", message_id=held.id)
    return None if accepted is None else (accepted.provider, accepted.reference)


def _asked_to_wait(error: Exception) -> timedelta:
    """How long the other side wants to be left alone, if it said so."""
    facts = error.facts if isinstance(error, DomainError) else {}
    return timedelta(seconds=facts.get("retry_after_s") or 0)


def _failed(held: HeldMessage, error: Exception, *, session: Session, now: datetime) -> Delivery:
    """Let the message wait, or give it up when waiting cannot help or was tried often enough."""
    hopeless = isinstance(error, DomainError) and not error.retryable
    # Only our own errors are quoted: a foreign one may repeat what it was given, phone and all.
    words = f"{error.code}: {error.message}" if isinstance(error, DomainError) else type(error).__name__
    words = mask_phones(words)
    fields = {"message_id": str(held.id), "kind": held.kind, "attempt": held.attempt, "error": words}
    with atomic(session):
        if hopeless or held.attempt >= MOST_ATTEMPTS:
            held_still = outbox.bury(session, held, error=words, now=now)
        else:
            wait = max(min(FIRST_WAIT * 2 ** (held.attempt - 1), LONGEST_WAIT), _asked_to_wait(error))
            held_still = outbox.put_off(session, held, error=words, again_at=now + wait)
    if not held_still:
        return "taken_over"
    if hopeless or held.attempt >= MOST_ATTEMPTS:
        log.error("message.dead", **fields)
        return "dead"
    log.warning("message.put_off", **fields)
    return "put_off"
