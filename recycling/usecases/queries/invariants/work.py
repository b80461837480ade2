"""Invariants of idempotency keys, messages and scheduled jobs."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from recycling.models.idempotency import IdempotencyKey
from recycling.models.job_run import JobRun
from recycling.models.outbox import OutboxMessage
from recycling.models.receipt import SmsReceipt
from recycling.usecases.queries.invariants.rule import Breaches, invariant, rows

WAITS_AT_MOST = timedelta(hours=1)  # a message or a run that nobody has taken up for longer is stuck


@invariant("I-3", "幂等键与其结果同在 / an idempotency key has its one fingerprint and its one answer")
def keys_have_their_answer(session: Session, _now: datetime) -> Breaches:
    """Keys without the answer of an effect, or without the fingerprint of a body."""
    key = IdempotencyKey
    return rows(
        session,
        select(key.caller_id, key.endpoint).where(or_(key.answer.is_(None), func.length(key.fingerprint) != 32)),
    )


@invariant("I-21", "消息有始有终 / a message is sent after an attempt, or dead with its error, to somebody")
def messages_end_in_sight(session: Session, _now: datetime) -> Breaches:
    """Messages with an end that nobody brought about, still held after it, with no recipient, or delivered unsent."""
    message = OutboxMessage
    ended = or_(message.sent_at.is_not(None), message.dead_at.is_not(None))
    wrong = or_(
        and_(message.sent_at.is_not(None), or_(message.attempts == 0, message.sent_at < message.created_at)),
        and_(message.dead_at.is_not(None), message.last_error.is_(None)),
        and_(ended, message.token.is_not(None)),
        (message.recipient_kind == "bureau") != message.recipient_id.is_(None),
        and_(message.delivery.is_not(None), or_(message.sent_at.is_(None), message.recipient_kind != "resident")),
    )
    return rows(session, select(message.id, message.kind, message.attempts).where(wrong))


@invariant("I-21", "回执归其消息 / a receipt belongs to the text it names, and none says more than its message")
def receipts_have_their_message(session: Session, _now: datetime) -> Breaches:
    """Receipts linked to another text than theirs, or that say a text arrived whose message does not know it."""
    receipt, message = SmsReceipt, OutboxMessage
    linked = select(receipt.id, receipt.reference, message.delivery).join(message, message.id == receipt.message_id)
    wrong = or_(
        receipt.provider != func.coalesce(message.provider, ""),
        receipt.reference != func.coalesce(message.reference, ""),
        and_(receipt.state == "delivered", func.coalesce(message.delivery, "") != "delivered"),
    )
    return rows(session, linked.where(wrong))


@invariant("I-21", "没有滞留消息 / no message waits for an hour without being tried", by_clock=True)
def messages_are_tried(session: Session, now: datetime) -> Breaches:
    """Messages that are due and that no sender has taken up."""
    message = OutboxMessage
    stuck = and_(message.sent_at.is_(None), message.dead_at.is_(None), message.due_at < now - WAITS_AT_MOST)
    return rows(session, select(message.id, message.kind, message.due_at).where(stuck))


@invariant("I-22", "任务执行有据 / a run that has ended was attempted, and its times follow each other")
def runs_are_accounted_for(session: Session, _now: datetime) -> Breaches:
    """Runs done or failed without an attempt, or finished before they began."""
    run = JobRun
    wrong = or_(
        and_(run.state.in_(("done", "failed", "running")), or_(run.attempts == 0, run.started_at.is_(None))),
        and_(run.state == "failed", run.error.is_(None)),
        run.finished_at < run.started_at,
    )
    return rows(session, select(run.id, run.job, run.due_at, run.state).where(wrong))


@invariant("I-22", "没有滞留任务 / no due run waits for an hour without being taken", by_clock=True)
def runs_are_taken(session: Session, now: datetime) -> Breaches:
    """Runs that no worker has taken up, or whose worker went away without anybody taking over."""
    run, since = JobRun, now - WAITS_AT_MOST
    stuck = or_(
        and_(run.state == "queued", run.claim_after < since, run.due_at < since),
        and_(run.state == "running", run.lease_until < since),
    )
    return rows(session, select(run.id, run.job, run.due_at, run.state).where(stuck))
