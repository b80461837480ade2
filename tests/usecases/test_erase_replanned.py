"""Whoever is erased leaves no door in any version of a day that was planned again."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from recycling.models.booking import Booking
from recycling.models.healing import Disruption
from recycling.models.plan import Plan
from recycling.policy.access import SYSTEM, Principal
from recycling.policy.district import District
from recycling.usecases.housekeeping import clean_up
from recycling.usecases.people.erase_person import CONFIRMATIONS, erase_person
from recycling.usecases.planning.publish_replan import publish_replan
from recycling.usecases.planning.record_disruption import Incident, record_disruption
from tests.builders import DISPATCHER, TOMORROW
from tests.planned_days import with_vehicles
from tests.running_days import FLEET, LATER, TEN, a_proposal, a_running_day, at, broken_down, drive, vehicles_out


def test_a_visit_that_was_over_before_the_day_was_planned_again_leaves_no_door_behind(
    session: Session, district: District, now: datetime
) -> None:
    # given a day planned again at ten, and somebody whose visit was over by then: the mid-day problem has no such stop
    small = with_vehicles(district, *FLEET)
    a_running_day(session, district=small, now=now, per_window=8)
    drive(session, TEN)
    broken_down(session, vehicles_out(session)[-1], at(TEN))
    plan_id = a_proposal(session, at(TEN), district=small)
    publish_replan(plan_id, by=SYSTEM, district=small, session=session, now=at(TEN) + LATER)
    over = session.scalars(select(Booking).where(Booking.state == "collected").order_by(Booking.id)).first()
    assert over is not None
    booking_id, whole = str(over.id), (over.place["lat"], over.place["lon"])
    resident = Principal(id=over.resident_id, role="resident")
    root = session.scalars(select(Plan).where(Plan.version == 1).options(undefer(Plan.problem))).one()
    (place,) = [stop["location"] for stop in root.problem["stops"] if stop["key"] == booking_id]
    problem = session.get_one(Plan, plan_id).problem
    assert booking_id not in {stop["key"] for stop in problem["stops"]}
    assert tuple(problem["locations"][place]) == whole
    # when they are erased the day after
    erase_person(CONFIRMATIONS[0], by=resident, session=session, now=at(TEN) + timedelta(days=2))
    session.expire_all()
    # then both versions know the neighbourhood alone
    for plan in session.scalars(select(Plan).options(undefer(Plan.problem))):
        assert plan.problem["locations"][place] == [round(whole[0], 2), round(whole[1], 2)]


def test_what_a_dispatcher_noted_about_a_day_goes_with_the_words_of_that_day(
    session: Session, district: District, now: datetime
) -> None:
    small = with_vehicles(district, *FLEET)
    a_running_day(session, district=small, now=now, per_window=1)
    incident = Incident(day=TOMORROW, kind="sick", vehicle_key=FLEET[0], note="发烧，已就医")
    record_disruption(incident, by=DISPATCHER, district=small, session=session, now=at(TEN))
    last = at(TEN) + small.privacy.kept("field-words")
    assert clean_up(small.privacy, session=session, now=last)["disruption_notes"] == 0
    assert clean_up(small.privacy, session=session, now=last + timedelta(days=1))["disruption_notes"] == 1
    session.expire_all()
    # and the incident stays
    assert [(one.kind, one.note) for one in session.scalars(select(Disruption))] == [("sick", None)]
