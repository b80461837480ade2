"""One effect and one answer per key, and no key without its effect."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.errors import IdempotencyKeyMismatch
from recycling.models.idempotency import IdempotencyKey
from recycling.models.people import Resident, phone_index
from recycling.usecases.idempotency import Answer, answer_once, forget_keys

CALLER = UUID("00000000-0000-4000-8000-000000000001")
FIRST, OTHER = b"1" * 32, b"2" * 32


class Work:
    """An effect that writes one row, counts its runs, and fails when told to."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session, self.now, self.runs, self.fails = session, now, 0, False

    def do(self) -> Answer:
        """Write a row and answer with the number of the run."""
        self.runs += 1
        phone = f"1370000000{self.runs}"
        self.session.add(Resident(id=uuid4(), phone=phone, phone_index=phone_index(phone), created_at=self.now))
        self.session.flush()
        if self.fails:
            raise RuntimeError("half-way")
        return Answer(status=201, headers={"ETag": '"1"'}, body=f"run {self.runs} 第一次")

    def send(
        self, *, caller: UUID = CALLER, endpoint: str = "POST /things", key: str = "k", fingerprint: bytes = FIRST
    ) -> tuple[Answer, bool]:
        """Send the request under a key."""
        return answer_once(
            self.do,
            caller_id=caller, endpoint=endpoint, key=key, fingerprint=fingerprint, session=self.session, now=self.now,
        )  # fmt: skip

    def rows(self) -> tuple[int, int]:
        """Effects and keys in the database."""
        count = [
            self.session.scalars(select(func.count()).select_from(one)).one() for one in (Resident, IdempotencyKey)
        ]
        return count[0], count[1]


@pytest.fixture
def work(session: Session, now: datetime) -> Work:
    return Work(session, now)


def test_the_same_request_gets_the_same_answer_and_does_the_work_once(work: Work) -> None:
    first, replayed_first = work.send()
    again, replayed_again = work.send()
    assert (replayed_first, replayed_again) == (False, True)
    assert again == first == Answer(status=201, headers={"ETag": '"1"'}, body="run 1 第一次")
    assert (work.runs, work.rows()) == (1, (1, 1))


def test_another_body_under_the_key_is_refused_and_changes_nothing(work: Work) -> None:
    work.send()
    with pytest.raises(IdempotencyKeyMismatch, match="'k'"):
        work.send(fingerprint=OTHER)
    assert (work.runs, work.rows()) == (1, (1, 1))


def test_a_failed_effect_leaves_neither_row_nor_key_and_a_repeat_does_the_work(work: Work) -> None:
    # given an effect that fails after it has written
    work.fails = True
    with pytest.raises(RuntimeError):
        work.send()
    assert work.rows() == (0, 0)
    # when the request is repeated
    work.fails = False
    answer, replayed = work.send()
    # then it is done, as if for the first time
    assert (answer.body, replayed, work.rows()) == ("run 2 第一次", False, (1, 1))


def test_callers_and_endpoints_have_their_own_keys(work: Work) -> None:
    work.send()
    for _, replayed in (work.send(caller=uuid4()), work.send(endpoint="POST /others"), work.send(key="k2")):
        assert not replayed
    assert (work.runs, work.rows()) == (4, (4, 4))


def test_the_kept_answer_cannot_be_read_in_the_table(work: Work, session: Session) -> None:
    work.send()
    raw = session.connection().exec_driver_sql("SELECT answer FROM idempotency_key").scalar_one()
    assert "第一次".encode() not in bytes(raw)


def test_keys_are_forgotten_after_their_time_and_not_before(work: Work, session: Session) -> None:
    work.send(key="old")
    work.now += timedelta(days=30)
    work.send(key="new")
    # what is older than thirty days goes; exactly thirty stays
    assert forget_keys(before=work.now - timedelta(days=30), session=session) == 0
    assert forget_keys(before=work.now - timedelta(days=30, microseconds=-1), session=session) == 1
    assert work.send(key="new")[1] is True
    assert work.send(key="old")[1] is False
