"""What moves a ticket further than one person may is proposed by one and approved by another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from recycling.errors import AlreadyWeighed, Conflict, DomainError, Forbidden, NotFound, SecondPersonNeeded
from recycling.models.audit import AuditRow
from recycling.models.correction import CorrectionDecision, CorrectionProposal
from recycling.models.intake import IntakeTicket
from recycling.models.recovery import DailyRecovery, close_month
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.intake import propose_correction as proposing
from recycling.usecases.intake.correct_ticket import correct_ticket
from recycling.usecases.intake.propose_correction import approve_correction, propose_correction, reject_correction
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.queries.corrections import list_proposals
from tests.builders import a_booking
from tests.invariants import assert_invariants
from tests.loads import a_keeper, a_line, a_read_weighing, a_reading, a_weighing, collect

KEEPER, SECOND, CLERK = a_keeper(), a_keeper(), Principal(id=uuid4(), role="clerk")
LIGHT, HEAVY = a_weighing(), a_weighing(a_line("fridge", 3), net_g=120_000)


@pytest.fixture
def acts(session: Session, district: District, now: datetime) -> dict[str, Callable[..., Any]]:
    """Weigh in, correct, propose, approve and reject, by the first keeper unless the test says otherwise."""
    shared: dict[str, Any] = {"session": session, "now": now}

    def said(call: Callable[..., Any], **defaults: Any) -> Callable[..., Any]:
        return lambda *args, **fields: call(*args, **(shared | defaults | fields))

    why = {"reason": "读数有误", "by": KEEPER, "district": district}
    return {
        "weigh": said(weigh_in, scale_number="1", by=KEEPER, district=district),
        "correct": said(correct_ticket, **why),
        "propose": said(propose_correction, **why),
        "approve": said(approve_correction, by=SECOND, district=district),
        "reject": said(reject_correction, note="与地磅记录不符", by=SECOND),
    }


def recovered_g(session: Session) -> int:
    return session.scalar(select(func.sum(DailyRecovery.recovered_g))) or 0


def audited(session: Session) -> list[tuple[str, UUID]]:
    return [(row.action, row.actor_id) for row in session.scalars(select(AuditRow).order_by(AuditRow.number))]


def test_a_small_correction_is_made_by_one_person_and_audited(
    session: Session, acts: dict[str, Callable[..., Any]]
) -> None:
    ticket = acts["weigh"](LIGHT)
    made = acts["correct"](ticket.id, a_weighing(net_g=40_000))
    acts["correct"](made.id, None)
    assert audited(session) == [("ticket.corrected", KEEPER.id), ("ticket.withdrawn", KEEPER.id)]
    first = session.get_one(AuditRow, 1)
    assert (first.subject, first.facts["net_g_before"], first.facts["net_g"]) == (str(made.id), 41_300, 40_000)
    assert_invariants(session)


@pytest.mark.parametrize(
    "wanted",
    [
        None,  # 120 kg withdrawn
        a_weighing(a_line("fridge", 3), net_g=69_999),  # 50.001 kg less
        a_weighing(a_line("fridge", 3), net_g=95_999),  # a fifth of 120 kg is 24 kg
        a_weighing(a_line("fridge", 3), net_g=120_000, refused_g=24_001),  # the net stays, what is accepted does not
        a_weighing(a_line("fridge", 9), net_g=120_000),  # the mass stays, and six fridges more are said to weigh it
    ],
)
def test_a_large_one_is_refused_to_one_person_and_waits_for_a_second(
    session: Session, acts: dict[str, Callable[..., Any]], wanted: Any
) -> None:
    ticket = acts["weigh"](HEAVY)
    with pytest.raises(SecondPersonNeeded, match=r"from 120 kg to .* more than one person may correct"):
        acts["correct"](ticket.id, wanted)
    # when it is proposed, then nothing has changed yet
    proposal = acts["propose"](ticket.id, wanted)
    assert recovered_g(session) == 120_000
    # when another keeper of the station approves
    made = acts["approve"](proposal.id)
    # then the ticket is the proposer's, and names the one it replaces
    assert (made.corrects_id, made.keeper_id, made.correction_reason) == (ticket.id, KEEPER.id, "读数有误")
    assert made.net_g == (wanted.net_g if wanted else 0)
    assert recovered_g(session) == (wanted.net_g - wanted.refused_g if wanted else 0)
    written = "ticket.corrected" if wanted else "ticket.withdrawn"
    assert audited(session) == [
        ("correction.proposed", KEEPER.id), (written, SECOND.id), ("correction.approved", SECOND.id)
    ]  # fmt: skip
    assert_invariants(session)


def test_steps_that_are_small_one_by_one_are_taken_together(
    session: Session, acts: dict[str, Callable[..., Any]]
) -> None:
    def fridges(net_g: int) -> Any:
        return a_weighing(a_line("fridge", 3), net_g=net_g)

    ticket = acts["weigh"](HEAVY)
    # 120 to 100 kg is less than a fifth, and so is 100 to 85 kg; 120 to 85 kg is not
    step = acts["correct"](ticket.id, fridges(100_000))
    with pytest.raises(SecondPersonNeeded):
        acts["correct"](step.id, fridges(85_000))
    # after two have looked at it, it counts anew from there
    seen = acts["approve"](acts["propose"](step.id, fridges(85_000)).id)
    assert acts["correct"](seen.id, fridges(70_000)).net_g == 70_000
    assert_invariants(session)


def test_nobody_approves_or_rejects_their_own(session: Session, acts: dict[str, Callable[..., Any]]) -> None:
    proposal = acts["propose"](acts["weigh"](HEAVY).id, None)
    for decide in ("approve", "reject"):
        with pytest.raises(Forbidden, match="you proposed this correction"):
            acts[decide](proposal.id, by=KEEPER)
    assert session.scalar(select(func.count()).select_from(CorrectionDecision)) == 0
    assert audited(session) == [("correction.proposed", KEEPER.id)]


@pytest.mark.parametrize("guard", [True, False], ids=["check", "control"])
def test_the_database_itself_takes_no_decision_by_the_proposer(
    *, guard: bool, session: Session, acts: dict[str, Callable[..., Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a program that forgot to ask who decides
    monkeypatch.setattr(proposing, "refuse_own", lambda *_args: None)
    proposal = acts["propose"](acts["weigh"](HEAVY).id, None)
    if guard:
        with pytest.raises(IntegrityError, match="by_two"):
            acts["approve"](proposal.id, by=KEEPER)
        session.rollback()
        # nor does it let the decision name another proposer
        with pytest.raises(IntegrityError), atomic(session):
            session.add(
                CorrectionDecision(
                    proposal_id=proposal.id, proposed_by_id=uuid4(), verdict="rejected", decided_by_id=KEEPER.id,
                    decided_at=proposal.proposed_at,
                )
            )  # fmt: skip
        assert session.scalar(select(func.count()).select_from(IntakeTicket)) == 1
    else:
        # then somebody else's decision goes through the same way: it is the check that stopped the above
        assert acts["approve"](proposal.id, by=SECOND).corrects_id is not None


def test_a_clerk_decides_for_any_station_and_a_keeper_for_their_own(
    session: Session, acts: dict[str, Callable[..., Any]]
) -> None:
    proposal = acts["propose"](acts["weigh"](HEAVY).id, None)
    for decide in ("approve", "reject"):
        with pytest.raises(NotFound):
            acts[decide](proposal.id, by=a_keeper("shagou"))
    assert acts["reject"](proposal.id, by=CLERK).decision.verdict == "rejected"
    assert (recovered_g(session), audited(session)[-1]) == (120_000, ("correction.rejected", CLERK.id))
    # and what is decided stays decided
    with pytest.raises(Conflict, match="was rejected already"):
        acts["approve"](proposal.id)
    assert_invariants(session)


def test_an_approval_is_judged_by_what_holds_then(
    session: Session, district: District, now: datetime, acts: dict[str, Callable[..., Any]]
) -> None:
    # given two collected fridges, one of them weighed with two more that were brought
    booking = a_booking(session, district=district, now=now)
    collect(session, booking, district=district, now=now)
    ticket = acts["weigh"](HEAVY)
    proposal = acts["propose"](
        ticket.id, a_weighing(a_line(booking_id=booking.id), net_g=41_300, vehicle_key="lincheng-1")
    )
    # when the fridge goes onto another ticket meanwhile
    acts["weigh"](a_weighing(a_line(booking_id=booking.id)))
    with pytest.raises(AlreadyWeighed):
        acts["approve"](proposal.id)
    # and when the ticket itself is corrected otherwise
    acts["correct"](ticket.id, a_weighing(a_line("fridge", 3), net_g=110_000))
    with pytest.raises(Conflict, match="already replaced"):
        acts["approve"](proposal.id)
    (listed,) = list_proposals(by=CLERK, session=session, limit=9)["proposals"]
    assert listed["state"] == "overtaken"
    assert list_proposals(by=CLERK, session=session, limit=9, waiting=True)["proposals"] == []
    with pytest.raises(Conflict, match="already replaced"):
        acts["propose"](ticket.id, None)
    assert_invariants(session)


def test_an_approval_in_a_later_month_is_a_dated_adjustment(
    session: Session, now: datetime, acts: dict[str, Callable[..., Any]]
) -> None:
    proposal = acts["propose"](acts["weigh"](HEAVY).id, None)
    with atomic(session):
        close_month(session, date(2026, 11, 1), by_id=CLERK.id, now=now)
    made = acts["approve"](proposal.id, now=now + timedelta(days=12))
    assert (made.day, made.counts_on) == (date(2026, 11, 23), date(2026, 12, 5))
    assert_invariants(session)


def test_a_proposal_keeps_its_reading_its_trip_and_its_lines(
    session: Session, district: District, now: datetime, acts: dict[str, Callable[..., Any]]
) -> None:
    booking = a_booking(session, district=district, now=now)
    collect(session, booking, district=district, now=now)
    ticket = acts["weigh"](HEAVY)
    reading = a_reading(session, district, now=now, vehicle="lincheng-1")
    line = a_line(booking_id=booking.id, missing_parts=1)
    made = acts["approve"](acts["propose"](ticket.id, a_read_weighing(reading.id, line, trip=2)).id)
    assert (made.reading_id, made.vehicle_key, made.trip, made.net_g) == (reading.id, "lincheng-1", 2, 41_300)
    assert [(row.booking_id, row.missing_parts, row.net_g) for row in made.lines] == [(booking.id, 1, 41_300)]
    assert_invariants(session)


def test_a_proposal_is_written_once(session: Session, acts: dict[str, Callable[..., Any]]) -> None:
    proposal = acts["propose"](acts["weigh"](HEAVY).id, None)
    proposal.net_after_g = 1
    with pytest.raises(TypeError, match="written once"):
        session.flush()
    session.rollback()


def test_two_who_approve_at_once_make_one_ticket(
    session: Session, district: District, now: datetime, acts: dict[str, Callable[..., Any]]
) -> None:
    proposal_id = acts["propose"](acts["weigh"](HEAVY).id, None).id
    engine, outcomes, together = session.get_bind(), [], threading.Barrier(2)
    session.rollback()

    def approve(by: Principal) -> None:
        with Session(engine) as own:
            together.wait(10)
            try:
                approve_correction(proposal_id, by=by, district=district, session=own, now=now)
                outcomes.append("made")
            except DomainError as error:
                outcomes.append(error.code)

    threads = [threading.Thread(target=approve, args=(by,)) for by in (SECOND, CLERK)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["conflict", "made"]
    assert session.scalar(select(func.count()).select_from(CorrectionProposal)) == 1
    assert_invariants(session)


@pytest.mark.parametrize("late", ["reject", "approve"])
def test_who_decides_just_after_somebody_else_is_told_so(
    session: Session, district: District, now: datetime, acts: dict[str, Callable[..., Any]],
    monkeypatch: pytest.MonkeyPatch, late: str,
) -> None:  # fmt: skip
    proposal_id = acts["propose"](acts["weigh"](HEAVY).id, None).id
    engine, outcomes, looked = session.get_bind(), [], threading.Event()
    session.rollback()
    judged = proposing.refuse_own

    def slowly(proposal: CorrectionProposal, by: Principal) -> None:
        judged(proposal, by)
        if by.id == SECOND.id:  # the first holds the proposal while the other asks for it
            looked.set()
            time.sleep(0.5)

    monkeypatch.setattr(proposing, "refuse_own", slowly)

    def decide(by: Principal, how: str) -> None:
        with Session(engine) as own:
            try:
                acts[how](proposal_id, by=by, session=own)
                outcomes.append((how, "done"))
            except DomainError as error:
                outcomes.append((how, error.code))

    first, other = (threading.Thread(target=decide, args=args) for args in ((SECOND, "reject"), (CLERK, late)))
    first.start()
    assert looked.wait(10)
    other.start()
    for thread in (first, other):
        thread.join(30)
    # whichever of them came to tell of it first
    assert sorted(outcomes) == sorted([("reject", "done"), (late, "conflict")])
    assert_invariants(session)
