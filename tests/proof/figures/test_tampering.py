"""Random edits, additions, deletions and cuts in the records are all found, at their place; what stands passes."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session

from recycling.models.encrypted import Keyring
from recycling.policy.district import District
from recycling.usecases.audit.copies import copies_in
from recycling.usecases.audit.findings import Finding
from recycling.usecases.audit.judge_anchors import Copy
from recycling.usecases.audit.verify_records import verify_records
from tests.invariants import assert_invariants
from tests.proof.figures.attacks import (
    ANCHOR,
    ATTACKS,
    WITH_MACS_UNSEEN,
    Attacker,
    Records,
    Where,
    cut_a_trail,
    cut_audit_log,
    cut_tickets,
    first_number,
    restamp,
)
from tests.proof.figures.made_months import make_months
from tests.proof.harness import Proof, Size

TRIES = {"small": len(ATTACKS), "full": 200, "release": 2500}  # on each engine
CONTROLS = {"small": 3, "full": 30, "release": 300}
DAYS = {"small": 6, "full": 24, "release": 24}  # of work, spread over ninety
A_DAY = 2  # loads at each of two stations
BEGIN = datetime(2026, 8, 3, 2, tzinfo=UTC)


def test_whatever_somebody_does_to_the_records_is_found_where_it_was_done(
    session: Session, district: District, size: Size, proof: Proof, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given months of work with a closed one, adjustments, and an anchor after each day, in two places
    work = make_months(
        session, district=district, begin=BEGIN, days=DAYS[size], a_day=A_DAY, folder=tmp_path / "anchors", seed=1
    )
    assert_invariants(session)
    records, copies = Records.of(session), copies_in(tmp_path / "anchors")
    now = work.ends_at + timedelta(days=1)

    def found(kept: list[Copy] | None = copies) -> tuple[Finding, ...]:
        session.expire_all()
        return verify_records(session=session, now=now, copies=kept or []).findings

    # when somebody does something to it, again and again, each time to records as they were made
    attacker = Attacker(session, random.Random(2))
    alarms, missed, elsewhere = 0, [], []
    for number in range(TRIES[size]):
        alarms += bool(found()) if number % 10 == 0 else 0
        attack = ATTACKS[number % len(ATTACKS)]
        where = _done(attacker, attack)
        findings = found()
        if not findings:
            missed.append((attack.__name__, where))
        elif (findings[0].kind, first_number(findings[0].row)) != where:
            elsewhere.append((attack.__name__, where, findings[0]))
        records.put_back(session)
    alarms += bool(found())

    # then all of it is found, and named; but without anchors no cut is
    cuts = CONTROLS[size]
    for number in range(cuts):
        _done(attacker, _without_anchors((cut_tickets, cut_audit_log, cut_a_trail)[number % 3]))
        cuts -= bool(found([]))
        records.put_back(session)
    # and without a key nothing is that is done with care
    unseen = _with_chains_of_no_key(attacker, found, monkeypatch, CONTROLS[size])
    records.put_back(session)
    tried = TRIES[size]
    proof.record(
        name="changed records found",
        figure=f"{tried - len(missed)} of {tried} found, {tried - len(missed) - len(elsewhere)} named first,"
        f" {alarms} false alarms ({work.tickets} tickets)",
        target="all found, all named, no alarm",
        control=f"no anchor: {cuts} of {CONTROLS[size]} cuts unseen; no key either: {unseen} of {CONTROLS[size]}"
        " changes unseen",
        ok=not missed and not elsewhere and alarms == 0 and cuts == CONTROLS[size] and unseen > 0,
    )
    assert (missed, elsewhere) == ([], [])


def _done(by: Attacker, attack: Callable[[Attacker], Where]) -> Where:
    by.session.rollback()
    where = attack(by)
    by.session.commit()
    return where


def _without_anchors(attack: Callable[[Attacker], Where]) -> Callable[[Attacker], Where]:
    def and_no_anchor(by: Attacker) -> Where:
        where = attack(by)
        by.do(delete(ANCHOR))
        return where

    return and_no_anchor


def _with_chains_of_no_key(
    by: Attacker, found: Callable[..., tuple[Finding, ...]], monkeypatch: pytest.MonkeyPatch, tries: int
) -> int:
    """How many careful changes nobody sees when macs are plain digests and no anchor is kept."""

    def plain(_self: Keyring, text: str, *, context: str) -> bytes:
        return hashlib.sha256(f"{context}\0{text}".encode()).digest()

    def restamped(*_: Any) -> Where:
        by.do(delete(ANCHOR))
        restamp(by.session)
        return "", ""

    monkeypatch.setattr(Keyring, "digest", plain)
    _done(by, restamped)
    assert found([]) == ()
    unkeyed, unseen = Records.of(by.session), 0
    for number in range(tries):
        _done(by, WITH_MACS_UNSEEN[number % len(WITH_MACS_UNSEEN)])
        _done(by, restamped)
        unseen += not found([])
        unkeyed.put_back(by.session)
    monkeypatch.undo()
    return unseen
