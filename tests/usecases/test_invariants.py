"""Every invariant holds in a day of real work, and finds the breach that somebody makes behind the program's back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import Executable, insert, select, text
from sqlalchemy.orm import Session

from recycling.gateways.photo_decoder import PlainPhoto
from recycling.gateways.sms import Accepted
from recycling.models.booking import Booking
from recycling.models.job_run import claim, enqueue, finish
from recycling.models.kept_window import KeptWindow
from recycling.models.ledger import TentativeRoute
from recycling.models.outbox import OutboxMessage
from recycling.models.people import Resident, Staff
from recycling.models.plan import Plan, Route, RouteCrew, Unassigned
from recycling.models.position import VehiclePosition
from recycling.models.proof import ProofPart, ProofUpload
from recycling.models.recurring import RecurringDay, RecurringPickup
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.custody_tags import make_tag
from recycling.policy.district import District
from recycling.usecases.audit.make_anchor import make_anchor
from recycling.usecases.bookings.change_pickup import cancel_pickup
from recycling.usecases.bookings.photos import add_photo
from recycling.usecases.custody.count_stock import Counted, count_stock, decide_count
from recycling.usecases.custody.hand_over import hand_over
from recycling.usecases.custody.re_weigh import re_weigh
from recycling.usecases.idempotency import Answer, answer_once
from recycling.usecases.intake.correct_ticket import correct_ticket
from recycling.usecases.intake.propose_correction import approve_correction, propose_correction
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.messages.deliver import deliver_next
from recycling.usecases.messages.receipts import ReceiptReport, take_receipt
from recycling.usecases.queries.invariants import (
    INVARIANTS,
    Invariant,
    bookings,
    figures,
    intake,
    items,
    limits,
    live,
    people,
    records,
    stock,
    work,
)
from recycling.usecases.reporting.goal_report import make_goal_report
from tests.builders import TOMORROW, a_booking, a_resident, a_waiting_wish
from tests.conftest import NOW
from tests.declared import a_baseline, table_of, upload
from tests.invariants import assert_invariants, broken
from tests.loads import a_batch, a_keeper, a_line, a_read_weighing, a_reading, a_weighing, collect
from tests.signers import a_published_report
from tests.usecases.test_balance_invariants import BALANCE_BREACHES
from tests.usecases.test_healing_invariants import HEALING_BREACHES

OPEN_DAY = TOMORROW + timedelta(days=1)
TAGS = [make_tag(1), make_tag(2)]
Breach = Callable[[Session], Sequence[Executable]]


@pytest.fixture
def a_day_of_work(session: Session, district: District, now: datetime) -> Session:
    """Pickups booked, visited, cancelled; tickets, one of them corrected; a report; a run that is done and one due.

    The day of the visits is planned; one more pickup is booked for the day after, which is open.
    """
    keeper, resident = a_keeper(), a_resident(session, now=now)
    a_booking(session, district=district, now=now, by=resident, day=OPEN_DAY)
    visited, waiting, gone = (a_booking(session, district=district, now=now, by=resident) for _ in range(3))
    cancel_pickup(gone.id, version=1, by=resident, district=district, session=session, now=now)
    add_photo(
        waiting.id, b"as sent", decode=lambda _: PlainPhoto(content=b"kept", width=1, height=1), by=resident,
        district=district, session=session, now=now,
    )  # fmt: skip
    collect(session, visited, district=district, now=now, not_yet=[waiting])
    reading = a_reading(session, district, now=now)
    loads = (
        a_read_weighing(reading.id, a_line(booking_id=visited.id), vehicle_key="lincheng-1"),
        a_weighing(a_line("fan"), a_line("stove"), net_g=16_000),
    )
    _, wrong = (
        weigh_in(load, scale_number="1", by=keeper, district=district, session=session, now=now) for load in loads
    )
    correct_ticket(
        wrong.id, a_weighing(a_line("fan"), net_g=4_000), reason="多记一件", by=keeper, district=district,
        session=session, now=now,
    )  # fmt: skip
    heavy = weigh_in(
        a_weighing(a_line("washer-top", 4), net_g=120_000), scale_number="2", by=keeper, district=district,
        session=session, now=now,
    )  # fmt: skip
    proposal = propose_correction(
        heavy.id, a_weighing(a_line("washer-top", 2), net_g=60_000), reason="多记两件", by=keeper, district=district,
        session=session, now=now,
    )  # fmt: skip
    approve_correction(proposal.id, by=a_keeper(), district=district, session=session, now=now)
    _through_the_stock(session, district, now)
    make_goal_report("2026-11", district=district, session=session, now=now)
    a_baseline(district=district, session=session, now=now)
    upload(table_of({date(2025, 3, 1): 100}), district=district, session=session, now=now)
    a_published_report(session, district=district, now=now, period="2026-10")
    answer_once(
        lambda: Answer(status=201, headers={}, body="{}"), caller_id=uuid4(), endpoint="POST /bookings", key="k",
        fingerprint=bytes(32), session=session, now=now,
    )  # fmt: skip
    with atomic(session):
        enqueue(session, job="roll_up", due_at=now, scope="2026-11-22", now=now)
        held = claim(session, now=now, lease=timedelta(minutes=5))
        assert held is not None
        assert finish(session, held, figures={}, now=now)
        enqueue(session, job="roll_up", due_at=now, scope="2026-11-23", now=now)
    make_anchor(folder=None, session=session, now=now)
    _told_by_a_provider(session, district, now)
    a_waiting_wish(session, resident, now=now, day=OPEN_DAY)
    session.rollback()
    return session


def _through_the_stock(session: Session, district: District, now: datetime) -> None:
    """Two freezers under labels, of which one is handed over and weighed again; four fans found, by two people."""
    keeper, clerk = a_keeper(), Principal(id=uuid4(), role="clerk")
    given: dict[str, Any] = {"session": session, "now": now}
    load = a_weighing(a_line("freezer", 2, tags=TAGS), net_g=88_000)
    weigh_in(load, scale_number="2", by=keeper, district=district, **given)
    made = hand_over(a_batch(tags=TAGS[:1], net_g=44_000), by=keeper, district=district, **given)
    re_weigh(made.id, net_g=43_500, slip=None, by=clerk, district=district, **given)
    count = count_stock([Counted(item_type="fan", units=5, reason="found")], by=keeper, district=district, **given)
    decide_count(count.id, approved=True, note="已核实", by=clerk, **given)


class Provider:
    """Takes every text under its message's id."""

    def send(self, phone: str, text: str, *, message_id: UUID) -> Accepted:
        """Take it."""
        return Accepted(provider="one", reference=str(message_id))


def _told_by_a_provider(session: Session, district: District, now: datetime) -> None:
    """One message taken by a provider, and the receipt that it arrived; the others wait."""
    outcome = None
    while outcome != "sent" or session.scalar(select(OutboxMessage.reference).where(sent_by_provider)) is None:
        outcome = deliver_next(sms=Provider(), district=district, session=session, now=now)
    reference = session.scalars(select(OutboxMessage.reference).where(sent_by_provider)).one()
    report = ReceiptReport(receipt_id="r-1", reference=str(reference), state="delivered", reported_at=now)
    assert take_receipt(report, provider="one", session=session, now=now) == "applied"


sent_by_provider = OutboxMessage.provider == "one"


def sql(*statements: str) -> Breach:
    """The breach as it is typed into a database console."""
    return lambda _session: [text(statement) for statement in statements]


def listed_as_well(session: Session) -> Sequence[Executable]:
    """The visited booking among the unassigned of its plan."""
    booking_id = session.scalar(select(Booking.id).where(Booking.state == "collected"))
    plan_id = session.scalar(select(Plan.id))
    return [insert(Unassigned).values(plan_id=plan_id, booking_id=booking_id, reason="fleet_full", detail="")]


def half_an_upload(session: Session) -> Sequence[Executable]:
    """An upload that says more is stored than its parts are."""
    upload = {
        "id": uuid4(), "booking_id": session.scalar(select(Booking.id).limit(1)), "sent_sha256": "0" * 64,
        "collector_id": session.scalar(select(Staff.id).limit(1)), "total_bytes": 9, "stored_bytes": 5,
        "changed_at": NOW,
    }  # fmt: skip
    part = {"upload_id": upload["id"], "first_byte": 0, "size_bytes": 4, "content": b"four"}
    return [insert(ProofUpload).values(upload), insert(ProofPart).values(part)]


def on_two_routes(session: Session) -> Sequence[Executable]:
    """The crew of the one route on a second one."""
    route = session.scalars(select(Route)).one()
    second = {
        "id": uuid4(), "plan_id": route.plan_id, "vehicle_key": "shagou-1", "collector_key": route.collector_key,
        "distance_m": 0, "travel_s": 0,
    }  # fmt: skip
    crew = {"route_id": second["id"], "collector_key": route.collector_key}
    return [insert(Route).values(second), insert(RouteCrew).values(crew)]


def twice(session: Session) -> Sequence[Executable]:
    """The route of one vehicle as another's too."""
    route = session.scalars(select(TentativeRoute).where(TentativeRoute.day == OPEN_DAY)).one()
    again = {"day": route.day, "vehicle_key": "shagou-1", "version": route.version, "route": route.route}
    return [insert(TentativeRoute).values(again)]


def of_somebody_else(session: Session) -> Sequence[Executable]:
    """A day of an agreement with one contact, and the booking of another."""
    booking, staff_id = session.scalars(select(Booking).limit(1)).one(), session.scalars(select(Staff.id)).first()
    contact, pickup = uuid4(), uuid4()
    agreed = {
        "id": pickup, "resident_id": contact, "name": "n", "wish": {}, "weekdays": [0], "every_weeks": 1,
        "month_day": None, "pickup_window": "08-10", "starts_on": OPEN_DAY, "until": None, "state": "active",
        "made_by": staff_id, "version": 1, "created_at": NOW, "changed_at": NOW,
    }  # fmt: skip
    day = {"recurring_id": pickup, "day": OPEN_DAY, "state": "booked", "booking_id": booking.id, "note": "", "at": NOW}
    return [
        insert(Resident).values(id=contact, phone="13900000000", phone_index=bytes(32), created_at=NOW),
        insert(RecurringPickup).values(agreed),
        insert(RecurringDay).values(day),
    ]


def a_place(*, over: bool) -> Breach:
    """A place of a vehicle that never set out, towards the visited booking, or towards one that waits, hours ago."""

    def breach(session: Session) -> Sequence[Executable]:
        state = "booked" if over else "collected"
        booking_id = session.scalars(select(Booking.id).where(Booking.state == state)).first()
        point, made_at = {"lat": 34.8, "lon": 117.2, "accuracy_m": 5}, NOW - timedelta(hours=2 if over else 0)
        place = {"vehicle_key": "shagou-1", "booking_id": booking_id, "point": point, "made_at": made_at}
        return [insert(VehiclePosition).values(place | {"kept_until": made_at + timedelta(minutes=10)})]

    return breach


def a_judged_window(**wrong: object) -> Breach:
    """The visited booking's window as kept, but for what is wrong with it."""

    def breach(session: Session) -> Sequence[Executable]:
        booking = session.scalars(select(Booking).where(Booking.state == "collected")).one()
        row = {
            "booking_id": booking.id, "day": booking.day, "vehicle_key": "shagou-1",
            "village_code": booking.village_code, "pickup_window": booking.pickup_window, "opens_s": 28_800,
            "closes_s": 36_000, "started_s": 32_400, "late_s": 0, "cause": None, "judged_at": NOW,
        }  # fmt: skip
        return [insert(KeptWindow).values(row | wrong)]

    return breach


LONG_AGO = "'2026-11-23 00:59:59.000000'"  # one second over an hour before tests.conftest.NOW, and before everything

# A cancelled booking that is booked again: version 3 follows version 2.
ON_THE_22ND = "UPDATE intake_ticket SET day = '2026-11-22', counts_on = '2026-11-22'"
ADJUSTED_UNCLOSED = (
    "UPDATE intake_ticket SET counters_id = corrects_id, counts_on = '2026-11-24' WHERE corrects_id IS NOT NULL"
)
HEAVIER = "UPDATE stock_lot SET in_g = in_g + 1, left_g = left_g + 1 WHERE left_units > 0"
REOPEN = """
    INSERT INTO booking_change (id, booking_id, at, by_id, by_role, kind, state, version)
    SELECT booking_id, booking_id, at, by_id, by_role, kind, 'booked', 3 FROM booking_change WHERE state = 'cancelled'
"""

# Bookings of several residents as visits of one.
TORN = """
    UPDATE booking SET part_of = (SELECT id FROM booking ORDER BY id LIMIT 1)
    WHERE id <> (SELECT id FROM booking ORDER BY id LIMIT 1)
"""
OTHER_COLUMNS = (
    "day, vehicle_key, plan_version, booking_id, collector_id, device_id, device_seq, kind, reason, items, payload,"
    " words, device_time, made_at, skew_s, quarantined, counts_on, received_at, fingerprint"
)
SAME_NUMBER = (
    f"INSERT INTO field_event (event_id, {OTHER_COLUMNS})"
    f" SELECT '{UUID(int=8).hex}', {OTHER_COLUMNS} FROM field_event LIMIT 1"
)


BREACHES: list[tuple[Invariant, Breach]] = [
    # a place lost, one of a booking that is none any more, one of another day, and one that stands twice
    (bookings.routes_hold_what_is_promised, sql("DELETE FROM tentative_route")),
    (bookings.routes_hold_what_is_promised, sql("UPDATE booking SET state = 'cancelled' WHERE state = 'booked'")),
    (bookings.routes_hold_what_is_promised, sql("UPDATE booking SET day = '2026-11-26' WHERE state = 'booked'")),
    (bookings.routes_hold_what_is_promised, twice),
    (bookings.visits_go_together, sql(TORN)),
    (bookings.bookings_ask_for_something, sql("UPDATE booked_item SET declared_units = 0")),
    (bookings.versions_count_changes, sql("UPDATE booking SET version = 9")),
    (bookings.versions_count_changes, sql("DELETE FROM booking_change WHERE version = 1")),
    (bookings.versions_count_changes, sql("UPDATE booking SET state = 'failed' WHERE state = 'collected'")),
    (bookings.states_follow_the_graph, sql("UPDATE booking_change SET state = 'failed' WHERE version = 1")),
    (bookings.states_follow_the_graph, sql(REOPEN)),
    (bookings.nobody_is_in_two_places, on_two_routes),
    (bookings.published_plans_cover_their_day, sql("DELETE FROM route_stop")),
    (bookings.published_plans_cover_their_day, listed_as_well),
    (bookings.published_plans_are_of_their_day, sql("UPDATE published_plan SET day = '2026-12-24'")),
    (bookings.bookings_are_what_was_recorded, sql("UPDATE booking SET state = 'failed' WHERE state = 'collected'")),
    (bookings.bookings_are_what_was_recorded, sql("UPDATE booked_item SET collected_units = 2 * collected_units")),
    (bookings.bookings_are_what_was_recorded, sql("UPDATE booked_item SET collected_units = 1")),
    (bookings.outcomes_have_an_event, sql("DELETE FROM field_flag", "DELETE FROM field_event")),
    (bookings.publications_are_kept, sql("DELETE FROM publication")),
    (bookings.device_numbers_are_unique_or_flagged, sql(SAME_NUMBER)),
    (bookings.events_happened_before_they_came, sql("UPDATE field_event SET made_at = '2099-01-01 00:00:00.000000'")),
    (bookings.events_come_from_the_crew, sql("DELETE FROM route_crew")),
    (figures.figures_are_their_lines, sql("UPDATE daily_recovery SET recovered_g = recovered_g + 1")),
    (figures.figures_are_their_lines, sql("DELETE FROM daily_recovery WHERE item_type = 'fan'")),
    (figures.figures_are_their_lines, sql("UPDATE intake_line SET units = 2 WHERE item_type = 'fridge'")),
    (figures.months_are_their_days, sql("UPDATE monthly_recovery SET units = units + 1")),
    (figures.months_are_their_days, sql("DELETE FROM monthly_recovery")),
    (figures.adjustments_counter_their_original, sql(ADJUSTED_UNCLOSED)),
    (figures.weighed_units_are_on_tickets, sql("UPDATE booked_item SET weighed_units = 0")),
    (figures.weighed_units_are_on_tickets, sql("UPDATE intake_line SET booking_id = NULL")),
    (figures.tickets_are_whole, sql("UPDATE intake_ticket SET refused_g = 1, refused_reason = 'wet'")),
    (figures.tickets_are_whole, sql("UPDATE intake_line SET booking_id = NULL")),
    (figures.tickets_are_whole, sql("UPDATE intake_ticket SET channel = 'walk_in'")),
    (figures.corrections_stay_in_place, sql(f"{ON_THE_22ND} WHERE number = 3")),
    (figures.numbers_have_no_gap, sql("UPDATE scale SET last_number = last_number + 1")),
    (figures.numbers_have_no_gap, sql("UPDATE intake_ticket SET number = 0 WHERE number = 1")),
    (figures.numbers_have_no_gap, sql("DELETE FROM scale")),
    (figures.reports_are_what_was_kept, sql("""UPDATE goal_report SET body = '{"units": 1000000}'""")),
    (figures.baselines_are_what_was_confirmed, sql("UPDATE baseline_proposal SET units = units + 1")),
    (figures.baselines_are_what_was_confirmed, sql("UPDATE baseline_confirmation SET sha256 = '0'")),
    (figures.uploads_are_whole, sql("DELETE FROM declared_figure WHERE units = 0")),
    (figures.reports_are_what_was_kept, sql("UPDATE goal_report SET inputs_sha256 = ''")),
    (figures.reports_are_what_was_kept, sql("UPDATE report_file SET sha256 = ''")),
    (figures.published_reports_are_whole, sql("DELETE FROM report_signature WHERE place = 1")),
    (figures.published_reports_are_whole, sql("DELETE FROM report_signature")),
    (figures.published_reports_are_whole, sql("UPDATE report_signature SET sha256 = 'x' WHERE place = 2")),
    (figures.published_reports_are_whole, sql("DELETE FROM report_file WHERE form = 'csv'")),
    (figures.published_reports_are_whole, sql("DELETE FROM closed_month")),
    (figures.days_are_local_dates, sql(ON_THE_22ND)),
    # 16:00 UTC is midnight in Shanghai: the day after has begun
    (figures.days_are_local_dates, sql("UPDATE intake_ticket SET weighed_at = '2026-11-23 16:00:00.000000'")),
    (figures.times_follow_each_other, sql(f"UPDATE booking SET changed_at = {LONG_AGO}")),
    (figures.times_follow_each_other, sql(f"UPDATE intake_ticket SET weighed_at = {LONG_AGO} WHERE number = 3")),
    (intake.readings_are_held_by_their_ticket, sql("DELETE FROM weighed_reading")),
    (intake.readings_are_held_by_their_ticket, sql("UPDATE intake_ticket SET reading_id = NULL")),
    (intake.tickets_are_as_read, sql("UPDATE scale_reading SET gross_g = gross_g + 1, net_g = net_g + 1")),
    (intake.tickets_are_as_read, sql("UPDATE scale_reading SET station_key = 'shagou'")),
    (intake.trips_are_held_by_their_ticket, sql("DELETE FROM weighed_trip")),
    (intake.trips_are_held_by_their_ticket, sql("UPDATE weighed_trip SET trip = 7")),
    (intake.approvals_are_what_was_proposed, sql(f"UPDATE intake_ticket SET keeper_id = '{UUID(int=8).hex}'")),
    (intake.approvals_are_what_was_proposed, sql("UPDATE correction_proposal SET net_after_g = 1")),
    (items.photos_are_counted, sql("UPDATE photo_count SET used = 2")),
    (items.photos_are_counted, sql("DELETE FROM photo")),
    (items.proofs_are_counted, sql("INSERT INTO proof_count (booking_id, used) SELECT id, 1 FROM booking LIMIT 1")),
    (items.parts_come_to_their_upload, half_an_upload),
    (stock.stations_balance, sql("UPDATE hand_over_line SET net_g = net_g - 1")),
    (stock.stations_balance, sql("UPDATE daily_recovery SET units = units + 1 WHERE item_type = 'freezer'")),
    (stock.stations_balance, sql("DELETE FROM stock_adjustment")),
    (stock.stations_balance, sql("DELETE FROM stock_lot WHERE item_type = 'fridge'")),
    (stock.lots_are_their_movements, sql(HEAVIER)),
    (stock.lots_are_their_movements, sql("UPDATE hand_over_line SET lot_day = '2026-11-22'")),
    (stock.lots_are_their_movements, sql("UPDATE stock_adjustment SET units = units + 1")),
    (stock.station_numbers_have_no_gap, sql("UPDATE station_book SET last_hand_over = 2")),
    (stock.station_numbers_have_no_gap, sql("UPDATE stock_count SET number = 7")),
    (stock.station_numbers_have_no_gap, sql("DELETE FROM station_book")),
    (stock.batches_are_whole, sql("UPDATE hand_over SET kind = 'reuse'")),
    (stock.batches_are_whole, sql("DELETE FROM hand_over_line")),
    (stock.held_counts_are_approved, sql("DELETE FROM stock_count_decision")),
    (stock.trails_verify, sql("UPDATE custody_event SET at = '2026-11-22 00:00:00.000000' WHERE number = 2")),
    (stock.trails_verify, sql("DELETE FROM custody_event WHERE kind = 'lot'")),
    (stock.labels_follow_their_goods, sql("UPDATE weighed_tag SET stands = false")),
    (stock.labels_follow_their_goods, sql("UPDATE custody_tag SET item_type = 'fan'")),
    (stock.labels_follow_their_goods, sql("DELETE FROM custody_event WHERE kind = 'station'")),
    (stock.labels_follow_their_goods, sql("DELETE FROM custody_event WHERE kind = 'outlet'")),
    (people.erased_people_are_gone, sql("UPDATE resident SET erased_at = created_at")),
    (people.address_books_count_their_addresses, sql("INSERT INTO address_book SELECT id, 1 FROM resident")),
    (bookings.offers_have_their_place, sql("DELETE FROM waiting_day")),
    (bookings.recurring_days_are_their_bookings, of_somebody_else),
    (limits.live_items_are_of_live_bookings, sql("DELETE FROM live_item")),
    (limits.live_counts_are_live_bookings, sql("UPDATE live_count SET used = 0")),
    (
        limits.no_shows_are_outcomes,
        sql("INSERT INTO no_show (booking_id, resident_id, day) SELECT id, resident_id, day FROM booking LIMIT 1"),
    ),
    (live.positions_lead_to_a_booking, a_place(over=False)),
    (live.positions_are_forgotten, a_place(over=True)),
    (live.windows_are_judged_by_their_start, a_judged_window(day=OPEN_DAY)),
    (live.windows_are_judged_by_their_start, a_judged_window(started_s=36_001)),
    (live.windows_are_judged_by_their_start, a_judged_window(late_s=5, cause="late")),
    (work.keys_have_their_answer, sql("UPDATE idempotency_key SET answer = NULL")),
    (work.messages_end_in_sight, sql("UPDATE outbox_message SET sent_at = created_at WHERE dead_at IS NULL")),
    (work.messages_end_in_sight, sql("UPDATE outbox_message SET dead_at = created_at WHERE sent_at IS NULL")),
    (work.messages_end_in_sight, sql("UPDATE outbox_message SET recipient_id = NULL")),
    (work.messages_end_in_sight, sql("UPDATE outbox_message SET delivery = 'delivered'")),
    (work.receipts_have_their_message, sql("UPDATE outbox_message SET delivery = 'accepted'")),
    (work.receipts_have_their_message, sql("UPDATE outbox_message SET reference = 'r', provider = 'one'")),
    (work.receipts_have_their_message, sql("UPDATE sms_receipt SET reference = 'another'")),
    (work.receipts_have_their_message, sql("UPDATE sms_receipt SET provider = 'another'")),
    (work.messages_are_tried, sql(f"UPDATE outbox_message SET due_at = {LONG_AGO}")),
    (work.runs_are_accounted_for, sql("UPDATE job_run SET attempts = 0")),
    (work.runs_are_accounted_for, sql(f"UPDATE job_run SET finished_at = {LONG_AGO} WHERE state = 'done'")),
    (records.audit_rows_have_no_gap, sql("UPDATE audit_row SET number = 99 WHERE number = 1")),
    (records.audit_rows_have_no_gap, sql("DELETE FROM audit_row")),
    (records.audit_rows_have_no_gap, sql("UPDATE audit_head SET last_number = 2")),
    (records.anchors_follow_each_other, sql("UPDATE audit_anchor SET number = 2")),
    (records.anchors_follow_each_other, sql("DELETE FROM audit_row", "DELETE FROM audit_head")),
    (records.anchors_follow_each_other, sql("UPDATE audit_row SET mac = (SELECT mac FROM audit_anchor)")),
    (work.runs_are_taken, sql(f"UPDATE job_run SET claim_after = {LONG_AGO}, due_at = {LONG_AGO}")),
]  # fmt: skip


def test_a_day_of_work_keeps_every_invariant(a_day_of_work: Session, now: datetime) -> None:
    assert_invariants(a_day_of_work)
    # those by the clock too: all that is due was due just now
    assert not [row for invariant in INVARIANTS for row in invariant.breaches(a_day_of_work, now)]


def test_an_empty_database_keeps_every_invariant(session: Session) -> None:
    assert_invariants(session)


def test_each_invariant_finds_its_breach(a_day_of_work: Session, now: datetime) -> None:
    session = a_day_of_work
    for invariant, breach in BREACHES:
        # given one breach, made behind the program's back
        statements = breach(session)
        for statement in statements:
            session.execute(statement)
        # then the invariant that it breaks returns the offending rows
        assert invariant.breaches(session, now), (invariant.rule, [str(statement) for statement in statements])
        session.rollback()
    assert_invariants(session)


def test_no_invariant_is_without_its_breach() -> None:
    tried = {id(invariant) for invariant, _ in [*BREACHES, *BALANCE_BREACHES, *HEALING_BREACHES]}
    assert tried == {id(invariant) for invariant in INVARIANTS}


def test_the_command_names_the_broken_rule_and_the_row_and_fails(
    app: Flask, a_day_of_work: Session, now: datetime
) -> None:
    runner = app.test_cli_runner()
    whole = runner.invoke(args=["check-data"])
    assert whole.exit_code == 0, whole.output
    assert f"all {len(INVARIANTS)} invariants hold" in whole.output
    # when a figure is changed by hand
    a_day_of_work.execute(text("UPDATE daily_recovery SET units = 7 WHERE item_type = 'fan'"))
    a_day_of_work.commit()
    found = runner.invoke(args=["check-data"])
    # then one line names the rule, one the figure: 7 units stand there, 1 is on the ticket; the month's is off as well
    assert found.exit_code == 1
    assert "BROKEN I-12  日回收量 = 磅单明细" in found.output
    assert "2026-11-23, lincheng, lincheng, fan, walk_in, weighed, 6, 0, 0" in found.output
    assert "3 of" in found.output  # and with its stock
    off = (figures.figures_are_their_lines, figures.months_are_their_days, stock.stations_balance)
    assert list(broken(a_day_of_work)) == [f"{one.key} {one.rule}" for one in off]
    # and set right, it holds again
    a_day_of_work.execute(text("UPDATE daily_recovery SET units = 1 WHERE item_type = 'fan'"))
    a_day_of_work.commit()
    assert_invariants(a_day_of_work)
