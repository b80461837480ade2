"""`flask custody`: numbers for labels, and pictures that were used twice."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from recycling.models.proof import ProofPhoto
from recycling.policy.custody_tags import is_tag, make_tag
from recycling.policy.district import District
from recycling.usecases.intake.weigh_in import weigh_in
from tests.builders import TOMORROW, a_booking
from tests.loads import a_keeper, a_line, a_weighing
from tests.planned_days import a_collector


def said(app: Flask, *words: str, exit_code: int = 0) -> str:
    """What a command prints."""
    answer = app.test_cli_runner().invoke(args=["custody", *words])
    assert answer.exit_code == exit_code, answer.output
    return answer.output


def test_a_roll_has_as_many_labels_as_asked_for_all_different_and_all_right(app: Flask) -> None:
    lines = said(app, "tags", "50").splitlines()
    assert len(set(lines)) == 50
    assert all(is_tag(line) for line in lines)
    assert said(app, "tags", "1").strip() not in lines
    said(app, "tags", "0", exit_code=2)


def test_pictures_of_several_bookings_are_listed_with_them(
    app: Flask, session: Session, district: District, now: datetime
) -> None:
    # given one picture for two bookings, and another one for one of them
    first, second = (a_booking(session, district=district, now=now).id for _ in range(2))
    collector = a_collector(session, "c01", now=now)
    for number, (booking_id, sha256) in enumerate(((first, "a"), (second, "a"), (second, "b"))):
        session.add(
            ProofPhoto(
                id=uuid4(), booking_id=booking_id, collector_id=collector.id, sha256=sha256 * 64,
                sent_sha256=str(number) * 64, sent_bytes=1, width=1, height=1, size_bytes=1, created_at=now,
                content=b"x",
            )
        )  # fmt: skip
    session.commit()
    told = said(app, "repeated", TOMORROW.isoformat()).splitlines()
    assert told[0].split() == ["a" * 64, *map(str, sorted((first, second)))]
    assert told[1].startswith("1 pictures stand for several bookings")
    assert said(app, "repeated", "2026-11-25").startswith("0 pictures")


def test_trails_that_verify_are_told_and_a_bad_step_is_named(
    app: Flask, session: Session, district: District, now: datetime
) -> None:
    tag = make_tag(77)
    weigh_in(
        a_weighing(a_line(tags=[tag])), scale_number="1", by=a_keeper(), district=district, session=session, now=now
    )
    assert "every trail verifies" in said(app, "verify")
    session.execute(text("UPDATE custody_event SET kind = 'door' WHERE number = 2"))
    session.commit()
    found = said(app, "verify", exit_code=1)
    assert f"{tag}  2  changed" in found
    assert "1 trails do not verify" in found
