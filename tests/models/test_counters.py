"""Attempt limits: how many in which stretch of time, by whom, and when the next one works."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import TooManyRequests
from recycling.models.counters import AttemptCounter, spend_attempt
from recycling.models.transaction import atomic

LIMITS = ((2, 60), (3, 3600))


def spend(session: Session, now: datetime, *, kind: str = "k", subject: str = "s") -> None:
    with atomic(session):
        spend_attempt(session, kind=kind, subject=subject, limits=LIMITS, now=now)


def test_the_attempt_after_the_last_is_refused_until_its_period_ends(session: Session, now: datetime) -> None:
    # given two attempts in a minute that takes two; `now` is the minute's first second
    spend(session, now)
    spend(session, now + timedelta(seconds=20))
    # when a third comes 45 s into it
    with pytest.raises(TooManyRequests) as refused:
        spend(session, now + timedelta(seconds=45))
    # then it may come again in 60 - 45 s
    assert refused.value.retry_after_s == 15
    # and does, at the full minute
    spend(session, now + timedelta(seconds=60))


def test_the_longer_period_counts_on(session: Session, now: datetime) -> None:
    # three in an hour: one a minute fits three times
    for minute in range(3):
        spend(session, now + timedelta(minutes=minute))
    with pytest.raises(TooManyRequests) as refused:
        spend(session, now + timedelta(minutes=3))
    # `now` is a full hour: 3600 - 180 s
    assert refused.value.retry_after_s == 3420


def test_a_refused_attempt_spends_nothing(session: Session, now: datetime) -> None:
    for _ in range(2):
        spend(session, now)
    with pytest.raises(TooManyRequests):
        spend(session, now)
    used = {row.period_s: row.used for row in session.scalars(select(AttemptCounter))}
    assert used == {60: 2, 3600: 2}


def test_subjects_and_kinds_count_apart_and_are_not_readable(session: Session, now: datetime) -> None:
    for _ in range(2):
        spend(session, now, subject="13812345678")
    spend(session, now, subject="13900000001")
    spend(session, now, kind="other", subject="13812345678")
    digests = {bytes(row.subject) for row in session.scalars(select(AttemptCounter))}
    # the digest is keyed by kind too: three different ones of 32 bytes
    assert {len(digest) for digest in digests} == {32}
    assert len(digests) == 3
