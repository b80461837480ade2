"""Every endpoint is for its roles only, hides what is foreign, and answers as the OpenAPI document says."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import schemathesis
from flask import Flask
from schemathesis.errors import SchemathesisError
from sqlalchemy.orm import Session
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from recycling.policy.access import ROLES, STAFF_ROLES, Principal, Role
from recycling.policy.district import District
from recycling.routes.guard import GuardedBlueprint
from recycling.routes.pages.guard import PageBlueprint
from recycling.usecases.custody.count_stock import Counted, count_stock
from recycling.usecases.custody.hand_over import hand_over
from recycling.usecases.intake.weigh_in import weigh_in
from tests.builders import a_waiting_wish, a_wish_body, an_address_body
from tests.callers import Caller, Callers
from tests.loads import a_batch, a_keeper, a_line, a_reading, a_weighing
from tests.photo_files import a_photo
from tests.routes.test_recurring_pickups import an_agreement
from tests.running_days import a_broken_promise
from tests.trips import a_held_trip

DESK: tuple[Role, ...] = ("clerk", "dispatcher", "admin")
PHOTO_READERS: tuple[Role, ...] = ("resident", "collector", "dispatcher", "admin")
PLANNERS: tuple[Role, ...] = ("dispatcher", "admin")
BUREAU: tuple[Role, ...] = ("clerk", "admin")
BOOKERS: tuple[Role, ...] = ("resident", "dispatcher", "admin")

# Open to everybody: signs of life, public facts, the ways to sign in, the API's own page, the first screens.
OPEN = {
    "static", "api-docs.openapi_json", "docs.show", "health.show_live", "health.show_ready",
    "district_map.show_map", "page_language.choose", "page_type_size.choose", "proof_rules.list_proof_rules",
    "page_collect_parts.show_shell", "page_collect_parts.show_worker", "page_collect_parts.show_manifest",
    "reference.list_item_types", "reference.list_town_units", "reference.list_villages", "reference.list_stations",
    "failed_visit_codes.list_failed_visit_codes", "price_estimates.estimate_price",
    "sms_receipts.create_receipt",  # for providers, who have no account: each body is signed
    "privacy_notice.show_notice", "page_privacy.show",
    "scale_push.create_reading",  # for weighbridges, which have a key of their own: each body is signed
    "tracking.show_tracking", "page_track.show",  # for residents without a sign-in: each link is signed
    "page_receipt.show",  # for whoever holds a receipt: each link has a piece of the ticket's own code
    "page_certificate.show",  # for whoever holds a certificate: each link has a keyed digest
    "sign_in.request_code", "sign_in.sign_in_resident", "sign_in.sign_in_staff", "sign_in.refresh",
    "home.show", "page_book.show", "page_sign_in.show", "page_sign_in.send_code", "page_sign_in.sign_in_resident",
    "page_sign_in.sign_in_staff", "page_sign_in.return_to_form",
}  # fmt: skip

# Everything else, and for whom. Written out, so that a widened guard is a changed line here.
GUARDED: dict[str, tuple[Role, ...]] = {
    "me.show_me": ROLES,
    "me.sign_out": ROLES,
    "my_notices.show_my_notices": ("resident",),
    "my_notices.change_my_notices": ("resident",),
    "pickup_windows.list_windows": BOOKERS,
    "slot_offers.ask_slots": BOOKERS,
    "holds.create_hold": BOOKERS,
    "holds.confirm": BOOKERS,
    "holds.give_up": BOOKERS,
    "bookings.create_booking": BOOKERS,
    "bookings.list_bookings": BOOKERS,
    "bookings.show_booking": BOOKERS,
    "bookings.amend_booking": BOOKERS,
    "bookings.cancel_booking": BOOKERS,
    "certificates.show_certificate": BOOKERS,
    "certificates.print_certificate": BOOKERS,
    "ratings.put_rating": ("resident",),
    "rating_figures.show_figures": PLANNERS,
    "photos.add_photo": BOOKERS,
    "photos.list_photos": PHOTO_READERS,
    "photos.show_photo": PHOTO_READERS,
    "photos.delete_photo": BOOKERS,
    "proof_photos.put_part": ("collector",),
    "proof_photos.show_progress": ("collector",),
    "proof_photos.show_proof": BOOKERS,
    "proof_photos.list_proofs": BOOKERS,
    "custody_tags.show_trace": ("keeper", *PLANNERS),
    "preparation.show_preparation": BOOKERS,
    "address_candidates.list_candidates": BOOKERS,
    "my_addresses.list_addresses": BOOKERS,
    "my_addresses.create_address": BOOKERS,
    "my_addresses.show_address": BOOKERS,
    "my_addresses.amend_address": ("resident",),
    "my_addresses.delete_address": ("resident",),
    "my_data.export_my_data": ("resident",),
    "my_data.create_erasure": BOOKERS,
    "resident_lookups.create_lookup": PLANNERS,
    "my_limits.show_my_limits": ("resident",),
    "booking_imports.create_import": PLANNERS,
    "waiting_list.join": BOOKERS,
    "waiting_list.list_wishes": BOOKERS,
    "waiting_list.show_wish": BOOKERS,
    "waiting_list.withdraw": BOOKERS,
    "recurring_pickups.agree": PLANNERS,
    "recurring_pickups.list_recurring": BOOKERS,
    "recurring_pickups.show_recurring": BOOKERS,
    "recurring_pickups.amend": PLANNERS,
    "recurring_pickups.end": BOOKERS,
    "service_days.show_room": PLANNERS,
    "live_days.show_live_day": PLANNERS,
    "day_changes.record": PLANNERS,
    "day_changes.list_changes": PLANNERS,
    "day_changes.show": PLANNERS,
    "day_changes.end": PLANNERS,
    "days.show_fleet": PLANNERS,
    "days.show_calendar": PLANNERS,
    "my_position.put_position": ("collector",),
    "plans.list_plans": PLANNERS,
    "plans.show_plan": PLANNERS,
    "plans.show_problem": PLANNERS,
    "plans.show_answer": PLANNERS,
    "plans.print_route": PLANNERS,
    "plans.create_publication": PLANNERS,
    "plan_edits.show_board": PLANNERS,
    "plan_edits.show_news": PLANNERS,
    "plan_edits.show_changes": PLANNERS,
    "plan_edits.judge": PLANNERS,
    "plan_edits.list_places": PLANNERS,
    "plan_edits.create_edits": PLANNERS,
    "plan_edits.show_differences": PLANNERS,
    "disruptions.create_disruption": PLANNERS,
    "disruptions.list_disruptions": PLANNERS,
    "replans.ask_replan": PLANNERS,
    "replans.list_replans": PLANNERS,
    "replans.show_replan": PLANNERS,
    "replans.publish": PLANNERS,
    "broken_promises.list_promises": BOOKERS,
    "broken_promises.take": ("resident",),
    "my_route.show_my_route": ("collector",),
    "field_events.record_field_events": ("collector",),
    "field_events.create_ruling": PLANNERS,
    "field_flags.list_flagged_events": PLANNERS,
    "devices.list_all_devices": PLANNERS,
    "devices.end_any_device": PLANNERS,
    "my_sign_ins.list_my_sign_ins": ("resident",),
    "my_sign_ins.end_my_sign_in": ("resident",),
    "staff.list_accounts": ("admin",),
    "staff.create_account": ("admin",),
    "staff.renew": ("admin",),
    "staff.close": ("admin",),
    "my_devices.list_my_devices": ("collector",),
    "my_devices.end_my_device": ("collector",),
    "my_route.export_my_route": ("collector",),
    "my_route.print_my_route": ("collector",),
    "expected_trips.list_expected": ("keeper",),
    "intake_tickets.create_ticket": ("keeper",),
    "intake_tickets.list_tickets": ("keeper", *DESK),
    "intake_tickets.show_ticket": ("keeper", *DESK),
    "intake_tickets.create_correction": ("keeper",),
    "trip_balances.list_trips": ("keeper", *DESK),
    "trip_balances.show_trip": ("keeper", *DESK),
    "trip_balances.create_resolution": ("keeper", "clerk"),
    "missing_parts.list_missing": ("keeper", *DESK),
    "class_averages.list_averages": ("keeper", *DESK),
    "intake_tickets.print_receipt": ("keeper", *DESK),
    "correction_proposals.list_all": ("keeper", *DESK),
    "correction_proposals.create_approval": ("keeper", "clerk"),
    "correction_proposals.create_rejection": ("keeper", "clerk"),
    "ticket_photos.add_photo": ("keeper",),
    "ticket_photos.list_photos": ("keeper", *DESK),
    "ticket_photos.show_photo": ("keeper", *DESK),
    "scale_readings.list_readings": ("keeper", "clerk", "admin"),
    "scale_readings.show_reading": ("keeper", "clerk", "admin"),
    "scale_reading_imports.create_import": ("keeper",),
    "stock.show_stock": ("keeper", *DESK),
    "stock.list_lots": ("keeper", *DESK),
    "stock.show_balance": ("keeper", *DESK),
    "stock.create_count": ("keeper",),
    "stock.list_counts": ("keeper", *DESK),
    "stock.show_count": ("keeper", *DESK),
    "stock.create_decision": ("keeper", "clerk", "admin"),
    "hand_overs.list_processors": ("keeper", *DESK),
    "hand_overs.create_hand_over": ("keeper",),
    "hand_overs.list_hand_overs": ("keeper", *DESK),
    "hand_overs.show_hand_over": ("keeper", *DESK),
    "hand_overs.print_note": ("keeper", *DESK),
    "hand_overs.create_re_weigh": ("keeper", *DESK),
    "hand_overs.create_return": ("keeper",),
    "hand_overs.create_resolution": ("keeper", *DESK),
    "recovered.list_recovered": DESK,
    "kept_windows.list_kept": DESK,
    "kept_windows.export_kept": DESK,
    "goal_progress.show_progress": DESK,
    "goal_progress.export_progress": DESK,
    "goal_progress.show_forecast": DESK,
    "goal_progress.show_months": DESK,
    "baselines.create_baseline": ("clerk",),
    "baselines.create_confirmation": ("clerk", "admin"),
    "baselines.list_baselines": DESK,
    "declared_history.create_upload": ("clerk",),
    "declared_history.list_declared": DESK,
    "declared_history.list_uploads": DESK,
    "declared_history.show_template": DESK,
    "goal_reports.list_reports": DESK,
    "goal_reports.create_report": BUREAU,
    "goal_reports.show_report": DESK,
    "goal_reports.show_differences": DESK,
    "goal_reports.list_tickets": DESK,
    "goal_reports.show_verification": DESK,
    "goal_reports.create_signature": BUREAU,
    "goal_reports.put_publication": BUREAU,
    "goal_reports.download": DESK,
    "job_runs.create_job_run": PLANNERS,
    "job_runs.list_job_runs": DESK,
    "job_runs.show_job_run": DESK,
    "job_runs.show_progress": PLANNERS,
    "job_runs.create_cancellation": PLANNERS,
    "audit_rows.list_rows": ("clerk", "admin"),
    "replays.show_replay": DESK,
    "handling.list_proposals": DESK,
    "handling.show_proposal": DESK,
    "handling.create_acceptance": PLANNERS,
    "handling.create_rejection": PLANNERS,
    "handling.show_table": DESK,
    "fairness.show_fairness": PLANNERS,
    "fairness.export_fairness": PLANNERS,
    "my_figures.show_my_figures": ("collector",),
    "page_sign_out.sign_out": ROLES,
    "page_bookings.show": ("resident",),
    "page_bookings.show_one": ("resident",),
    "page_my_data.show": ("resident",),
    "page_my_data.erase": ("resident",),
    "page_my_data.return_to_form": ("resident",),
    "page_collect.show": ("collector",),
    "page_my_route.show": ("collector",),
    "page_station.begin": ("keeper",),
    "page_station.show_today": ("keeper",),
    "page_station.show_weigh": ("keeper",),
    "page_station.show_ticket": ("keeper",),
    "page_station.show_stock": ("keeper",),
    "page_station.show_hand_overs": ("keeper",),
    "page_station.show_balance": ("keeper",),
    "page_plan.show": PLANNERS,
    "page_board.show": PLANNERS,
    "page_live.show": PLANNERS,
    "page_fleet.show": PLANNERS,
    "page_calendar.show": PLANNERS,
    "page_staff.show": ("admin",),
    "page_goals.show": DESK,
    "page_figures.show": DESK,
    "page_figures.show_tickets": DESK,
    "page_figures.show_ticket": ("keeper", *DESK),
    "page_figures.show_balance": DESK,
    "page_figures.show_averages": DESK,
    "page_reports.show": DESK,
    "page_reports.show_report": DESK,
    "page_reports.show_lines": DESK,
    "page_history.show": DESK,
    "page_history.show_declared": DESK,
    "page_kept_windows.show": DESK,
    "page_records.show": DESK,
    "page_records.show_audit": BUREAU,
    "page_records.show_replay": DESK,
    "page_handling.show": DESK,
    "page_fairness.show": PLANNERS,
}

A_QUESTION = {
    key: value for key, value in a_wish_body(address="清泉路 2 号").items() if key not in ("day", "pickup_window")
}

# A body that passes the form, for endpoints that look at an id only after it.
BODIES: dict[str, Any] = {
    "bookings.amend_booking": {"floor": 2},
    "ratings.put_rating": {"stars": 5},
    "photos.add_photo": a_photo(),
    "my_addresses.amend_address": {"floor": 2},
    "recurring_pickups.amend": {"name": "薛城一中"},
    "plans.create_publication": {"replaces": None},
    "plan_edits.judge": {"routes": []},
    "plan_edits.list_places": {"routes": [], "booking_id": str(UUID(int=1))},
    "plan_edits.create_edits": {"routes": []},
    "handling.create_acceptance": {},
    "staff.renew": {"password": "a password long enough"},
    "day_changes.end": {"ends_on": "2026-11-25"},
    "handling.create_rejection": {"note": "样本太少"},
    "field_events.create_ruling": {"counts": True, "note": "已核实"},
    "broken_promises.take": {"number": 1},
    "trip_balances.create_resolution": {"version": 1, "reason": "reweighed", "note": "复磅无误"},
    "intake_tickets.create_correction": {"reason": "毛重读数有误", "lines": []},
    "correction_proposals.create_rejection": {"note": "与地磅记录不符"},
    "ticket_photos.add_photo": a_photo(),
    "stock.create_decision": {"approved": True, "note": "已到场复核"},
    "hand_overs.create_re_weigh": {"net_g": 41_000},
    "hand_overs.create_return": {"lines": [{"item_type": "fridge", "units": 1}], "note": "退回处理"},
    "hand_overs.create_resolution": {"code": "moisture", "reason": "已电话核实"},
}

# Endpoints after which a row is not there: where it never was, nothing is left to do, and nothing is told.
GONE_EITHER_WAY = {"holds.give_up"}

# Ids whose rows belong to nobody in particular: whoever may call the endpoint sees them all.
NOT_OWNED = {
    "event_id": "dispatchers rule on records of the whole district",
    "plan_id": "plans are the whole district's",
    "proposal_id": "handling proposals are the whole district's",
    "change_id": "changes of fleet and calendar are the whole district's",
    "run_id": "job runs are the whole district's",
    "baseline_id": "baselines are the whole district's",
    "report_id": "goal reports are the whole district's",
    "staff_id": "administrators keep everybody's account",
    "sign_in_id": "the desk ends any collector's device",
}


def rules(app: Flask) -> Iterator[tuple[Rule, str]]:
    """Every address with each of its methods, but those that Flask adds by itself."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule, method


def guard_of(app: Flask, endpoint: str) -> tuple[Role, ...] | None:
    """The roles that the code lets in."""
    blueprint = app.blueprints.get(endpoint.rpartition(".")[0])
    return blueprint.roles_of(app.view_functions[endpoint]) if isinstance(blueprint, GuardedBlueprint) else None


def path_of(rule: Rule, row_id: object) -> str:
    """The address, with an id where it wants one, and a vehicle where it wants that."""
    return re.sub(r"<uuid:\w+>", str(row_id), str(rule)).replace("<vehicle_key>", "lincheng-1").replace("<form>", "csv")


def is_page(app: Flask, endpoint: str) -> bool:
    return isinstance(app.blueprints.get(endpoint.rpartition(".")[0]), PageBlueprint)


def call(caller: Caller, method: str, path: str, endpoint: str) -> TestResponse:
    """Call with everything an endpoint may want before it looks at the id."""
    return caller.call(method, path, BODIES.get(endpoint), If_Match='"1"')


# --- who may call what ---


def test_every_endpoint_is_guarded_or_named_as_open(app: Flask) -> None:
    found = {rule.endpoint: guard_of(app, rule.endpoint) for rule, _ in rules(app)}
    assert {endpoint for endpoint, roles in found.items() if roles is None} == OPEN
    guarded = {endpoint: set(roles) for endpoint, roles in found.items() if roles is not None}
    assert guarded == {endpoint: set(roles) for endpoint, roles in GUARDED.items()}


def one_of_each(callers: Callers, *, group: int = 0) -> dict[Role, Caller]:
    """Somebody of each role; another group is made of other people."""
    people: dict[Role, Caller] = {"resident": callers.resident()}
    collector_key = list(callers.app.extensions["district"].network.collectors)[group]
    for role in STAFF_ROLES:
        people[role] = callers.staff(role, collector_key=collector_key if role == "collector" else None)
    return people


def test_each_role_and_stranger_gets_in_exactly_where_the_guard_says(app: Flask, callers: Callers) -> None:
    # given a caller of each role, one without a token, and one whose sign-in has ended
    people = one_of_each(callers)
    stranger, ended = app.test_client(), callers.staff("admin")
    assert ended.call("DELETE", "/me/sign-in").status_code == 204
    documented = documented_statuses(app)
    # when each calls each guarded endpoint; those that end a sign-in come last, each before people of its own
    cells = sorted(rules(app), key=lambda cell: "sign_out" in cell[0].endpoint)
    counted = groups = 0
    for rule, method in cells:
        if rule.endpoint in OPEN:
            continue
        if "sign_out" in rule.endpoint:
            groups += 1
            people = one_of_each(callers, group=groups)
        path = path_of(rule, uuid4())
        for answer in (stranger.open(path, method=method), ended.call(method, path)):
            # then strangers are asked to sign in: by status, on screens by the way to the form
            expected = 303 if is_page(app, rule.endpoint) else 401
            assert answer.status_code == expected, f"{method} {path} by a stranger: {answer.status}"
            counted += 1
        for role, caller in people.items():
            answer = caller.call(method, path)
            shown = f"{method} {path} by {role}: {answer.status} {answer.text[:200]}"
            # and a role is refused exactly where it has no right; what it may do is judged by what it sent
            if role in GUARDED[rule.endpoint]:
                assert answer.status_code not in (401, 403, 500, 503), shown
            else:
                assert answer.status_code == 403, shown
            if (method, str(rule)) in documented:
                assert answer.status_code in documented[method, str(rule)], shown
            counted += 1
    assert counted == len(GUARDED) * (len(ROLES) + 2)


def test_asking_for_the_methods_needs_no_sign_in_and_does_nothing(app: Flask, callers: Callers) -> None:
    for path in ("/bookings", "/me/sign-in", "/plans", "/pages/bookings"):
        for answer in (
            app.test_client().open(path, method="OPTIONS"),
            callers.resident().call("OPTIONS", path),
        ):
            assert (answer.status_code, answer.data) == (200, b"")
            assert "OPTIONS" in answer.headers["Allow"]


# --- what is foreign ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """A row, somebody of a role who may not see it, and somebody of the same role who may."""

    row_id: UUID
    stranger: Caller
    owner: Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What builders of foreign rows work with."""

    session: Session
    district: District
    now: datetime
    callers: Callers


def foreign_bookings(world: World) -> Iterator[Foreign]:
    """A resident's booking before another resident."""
    owner = world.callers.resident()
    booking_id = UUID(owner.post("/bookings", a_wish_body(address=f"长江路 {uuid4()}")).get_json()["id"])
    yield Foreign(row_id=booking_id, stranger=world.callers.resident(), owner=owner)


def foreign_photos(world: World) -> Iterator[Foreign]:
    """A photo of a resident's booking before another resident."""
    (booking,) = foreign_bookings(world)
    added = booking.owner.post(f"/bookings/{booking.row_id}/photos", a_photo("blue"))
    yield Foreign(row_id=UUID(added.get_json()["id"]), stranger=booking.stranger, owner=booking.owner)


def foreign_addresses(world: World) -> Iterator[Foreign]:
    """A resident's saved address before another resident."""
    owner = world.callers.resident()
    address_id = UUID(owner.post("/my-addresses", an_address_body()).get_json()["id"])
    yield Foreign(row_id=address_id, stranger=world.callers.resident(), owner=owner)


def foreign_holds(world: World) -> Iterator[Foreign]:
    """A resident's hold before another resident."""
    owner = world.callers.resident()
    offered = owner.post("/slot-offers", A_QUESTION).get_json()["days"][0]
    slot = offered["windows"][0]
    chosen = {"day": offered["day"], "pickup_window": slot["pickup_window"], "hold_token": slot["hold_token"]}
    hold_id = UUID(owner.post("/holds", A_QUESTION | chosen).get_json()["id"])
    yield Foreign(row_id=hold_id, stranger=world.callers.resident(), owner=owner)


def foreign_wishes(world: World) -> Iterator[Foreign]:
    """A resident's waiting wish before another resident."""
    owner = world.callers.resident()
    yield Foreign(
        row_id=a_waiting_wish(world.session, Principal(id=owner.id, role="resident"), now=world.now),
        stranger=world.callers.resident(),
        owner=owner,
    )


def foreign_tickets(world: World) -> Iterator[Foreign]:
    """A ticket of one station before the keeper of another."""
    ticket = weigh_in(
        a_weighing(), scale_number="1", by=a_keeper("lincheng"),
        district=world.district, session=world.session, now=world.now,
    )  # fmt: skip
    row_id = ticket.id
    world.session.rollback()
    keeper, other = (world.callers.staff("keeper", station_key=key) for key in ("lincheng", "xingren"))
    yield Foreign(row_id=row_id, stranger=other, owner=keeper)


def foreign_trips(world: World) -> Iterator[Foreign]:
    """A held trip of one station before the keeper of another."""
    balance_id = a_held_trip(world.session, now=world.now)
    keeper, other = (world.callers.staff("keeper", station_key=key) for key in ("lincheng", "xingren"))
    yield Foreign(row_id=balance_id, stranger=other, owner=keeper)


def foreign_ticket_photos(world: World) -> Iterator[Foreign]:
    """A picture of a ticket of one station before the keeper of another."""
    (ticket,) = foreign_tickets(world)
    added = ticket.owner.post(f"/intake-tickets/{ticket.row_id}/photos", a_photo("green"))
    yield Foreign(row_id=UUID(added.get_json()["id"]), stranger=ticket.stranger, owner=ticket.owner)


def foreign_proposals(world: World) -> Iterator[Foreign]:
    """A correction proposed at one station before the keeper of another, and before a second keeper of its own."""
    heavy = weigh_in(
        a_weighing(a_line("fridge", 3), net_g=120_000), scale_number="1", by=a_keeper("lincheng"),
        district=world.district, session=world.session, now=world.now,
    )  # fmt: skip
    ticket_id = heavy.id
    world.session.rollback()
    first, second, other = (
        world.callers.staff("keeper", station_key=key) for key in ("lincheng", "lincheng", "xingren")
    )
    withdrawal = {"reason": "重复录入", "lines": []}
    proposed = first.post(f"/intake-tickets/{ticket_id}/corrections", withdrawal)
    yield Foreign(row_id=UUID(proposed.get_json()["id"]), stranger=other, owner=second)


def foreign_readings(world: World) -> Iterator[Foreign]:
    """A reading of one station's weighbridge before the keeper of another."""
    reading_id = a_reading(world.session, world.district, now=world.now).id
    world.session.rollback()
    keeper, other = (world.callers.staff("keeper", station_key=key) for key in ("lincheng", "xingren"))
    yield Foreign(row_id=reading_id, stranger=other, owner=keeper)


def foreign_hand_overs(world: World) -> Iterator[Foreign]:
    """A batch of one station before the keeper of another."""
    keeper = a_keeper("lincheng")
    weigh_in(a_weighing(), scale_number="1", by=keeper, district=world.district, session=world.session, now=world.now)
    made = hand_over(a_batch(), by=keeper, district=world.district, session=world.session, now=world.now)
    row_id = made.id
    world.session.rollback()
    owner, other = (world.callers.staff("keeper", station_key=key) for key in ("lincheng", "xingren"))
    yield Foreign(row_id=row_id, stranger=other, owner=owner)


def foreign_counts(world: World) -> Iterator[Foreign]:
    """A stock count of one station before the keeper of another."""
    counted = [Counted(item_type="fan", units=9, reason="found")]
    made = count_stock(counted, by=a_keeper("lincheng"), district=world.district, session=world.session, now=world.now)
    row_id = made.id
    world.session.rollback()
    owner, other = (world.callers.staff("keeper", station_key=key) for key in ("lincheng", "xingren"))
    yield Foreign(row_id=row_id, stranger=other, owner=owner)


def foreign_devices(world: World) -> Iterator[Foreign]:
    """A device that a collector is signed in on before another collector."""
    owner, stranger = (world.callers.staff("collector", collector_key=key) for key in ("c01", "c02"))
    # ended by the last of the requests, so it is the one that they come from
    yield Foreign(row_id=UUID(owner.get("/my-devices").get_json()["devices"][0]["id"]), stranger=stranger, owner=owner)


def foreign_sign_ins(world: World) -> Iterator[Foreign]:
    """A resident's sign-in before another resident."""
    owner = world.callers.resident()
    # ended by the last of the requests, so it is the one that they come from
    row_id = UUID(owner.get("/my-sign-ins").get_json()["sign_ins"][0]["id"])
    yield Foreign(row_id=row_id, stranger=world.callers.resident(), owner=owner)


def foreign_promises(world: World) -> Iterator[Foreign]:
    """A resident's broken promise before another resident."""
    (booking,) = foreign_bookings(world)
    promise_id = a_broken_promise(world.session, booking.row_id, now=world.now)
    yield Foreign(row_id=promise_id, stranger=booking.stranger, owner=booking.owner)


def foreign_agreements(world: World) -> Iterator[Foreign]:
    """An enterprise's recurring pickup, whose contact is one resident, before another."""
    owner, desk = world.callers.resident(), world.callers.staff("dispatcher")
    agreement = an_agreement(resident_id=str(owner.id))
    del agreement["phone"]
    agreed = desk.post("/recurring-pickups", agreement)
    yield Foreign(row_id=UUID(agreed.get_json()["id"]), stranger=world.callers.resident(), owner=owner)


OWNED: dict[str, Callable[[World], Iterator[Foreign]]] = {
    "booking_id": foreign_bookings,
    "photo_id": foreign_photos,
    "address_id": foreign_addresses,
    "hold_id": foreign_holds,
    "ticket_id": foreign_tickets,
    "balance_id": foreign_trips,
    "ticket_photo_id": foreign_ticket_photos,
    "correction_proposal_id": foreign_proposals,
    "reading_id": foreign_readings,
    "hand_over_id": foreign_hand_overs,
    "count_id": foreign_counts,
    "wish_id": foreign_wishes,
    "my_sign_in_id": foreign_devices,
    "own_sign_in_id": foreign_sign_ins,
    "promise_id": foreign_promises,
    "recurring_id": foreign_agreements,
}


def with_id(app: Flask) -> list[tuple[Rule, str, str]]:
    """Endpoints with an id in their address, and the id's name."""
    found = []
    for rule, method in rules(app):
        if "<uuid:" in str(rule):
            (name,) = re.findall(r"<uuid:(\w+)>", str(rule))
            found.append((rule, method, name))
    return found


def test_every_id_in_an_address_has_a_builder_of_a_foreign_row_or_is_nobodys(app: Flask) -> None:
    ids = {name for _, _, name in with_id(app)}
    assert ids == OWNED.keys() | NOT_OWNED.keys(), "give each new id a builder in OWNED, or a reason in NOT_OWNED"
    # and no address takes an id in another form, past this test
    others = {str(rule) for rule, _ in rules(app) if rule.arguments and "<uuid:" not in str(rule)}
    assert others == {
        f"{app.static_url_path}/<path:filename>", "/pages/sign-in/<any(code, resident, staff):_form>",
        "/pages/language/<any(zh, en):chosen>", "/pages/type/<any(large, normal):chosen>", "/sms-receipts/<provider>",
        "/service-days/<day>/room", "/proof-photos/<sha256>", "/proof-photos/<sha256>/progress", "/custody-tags/<tag>",
        "/service-days/<day>/live", "/replays/<day>", "/tracking/<token>", "/pages/track/<token>",
        "/pages/receipts/<ticket>/<proof>", "/pages/certificates/<booking>/<proof>",
    }  # fmt: skip


def test_a_foreign_row_is_answered_like_an_absent_one(
    app: Flask, session: Session, district: District, now: datetime, callers: Callers
) -> None:
    world = World(session=session, district=district, now=now, callers=callers)
    rows = {name: list(build(world)) for name, build in OWNED.items()}
    cells = 0
    for rule, method, name in with_id(app):
        endpoint, roles = rule.endpoint, GUARDED[rule.endpoint]
        matching = [one for one in rows.get(name, ()) if one.stranger.role in roles]
        # to the desk nothing is foreign
        assert matching or name in NOT_OWNED or roles == PLANNERS, f"no foreign row tried at {endpoint}"
        for one in matching:
            absent = uuid4()
            theirs = call(one.stranger, method, path_of(rule, one.row_id), endpoint)
            nobodys = call(one.stranger, method, path_of(rule, absent), endpoint)
            # then both are 404, the same to the letter but for the id that was asked for and the request's own
            expected = 204 if endpoint in GONE_EITHER_WAY else 404
            assert theirs.status_code == expected, f"{method} {rule} by {one.stranger.role}: {theirs.text}"
            assert spoken(theirs).replace(str(one.row_id), str(absent)) == spoken(nobodys)
            assert headers_of(theirs) == headers_of(nobodys)
            cells += 1
    # and the same requests by the owners find their rows, so that none of the above was a 404 for another reason
    for rule, method, name in sorted(
        with_id(app), key=lambda cell: ("GET", "POST", "PUT", "PATCH", "DELETE").index(cell[1])
    ):
        for one in rows.get(name, ()):
            if one.owner.role in GUARDED[rule.endpoint]:
                answer = call(one.owner, method, path_of(rule, one.row_id), rule.endpoint)
                # a hold is confirmed first, so that giving it up is refused instead of passing over an absent one
                assert answer.status_code in (200, 201, 204, 409, 412), f"{method} {rule}: {answer.text}"
    # bookings: show, amend, cancel, rate, their photos listed and added, photos of the visit listed, preparation,
    # certificate (also printed) and page, by residents; holds: confirm and give up; photos: show and delete; addresses:
    # show, amend and delete; waiting wishes: show and withdraw; tickets: show, correct, print, photos listed and added;
    # a ticket's photo; a reading; a correction: approve and reject; trip balances: show and resolve; a device's end and
    # the alternative to a broken promise; hand-overs: show, print, re-weigh, take back and settle; stock counts: show
    # and decide; agreements: show and end; a sign-in's end
    assert cells == 44


def spoken(answer: TestResponse) -> str:
    """A problem, or the page of one, without its request's id and the secret that each page writes anew."""
    if answer.status_code == 204:
        return ""
    if not answer.is_json:  # a page
        page = answer.text.replace(answer.headers["X-Request-Id"], "")
        return re.sub(r'name="csrf_token" value="[^"]*"', "", page)
    said = answer.get_json()
    del said["request_id"]
    return json.dumps(said, sort_keys=True)


def headers_of(answer: TestResponse) -> dict[str, str]:
    """The headers, but for the request's id and the length, which follows the ids."""
    return {name: value for name, value in answer.headers if name not in ("X-Request-Id", "Content-Length", "Date")}


def test_an_absent_row_is_not_found_by_every_role_that_may_look(app: Flask, callers: Callers) -> None:
    people = one_of_each(callers)
    for rule, method, _ in with_id(app):
        for role in GUARDED[rule.endpoint]:
            answer = call(people[role], method, path_of(rule, uuid4()), rule.endpoint)
            expected = 204 if rule.endpoint in GONE_EITHER_WAY else 404
            assert answer.status_code == expected, f"{method} {rule} by {role}: {answer.status} {answer.text[:300]}"


# --- what is written down ---


def openapi(app: Flask) -> dict[str, Any]:
    found: dict[str, Any] = app.test_client().get("/api/openapi.json").get_json()
    return found


def documented_statuses(app: Flask) -> dict[tuple[str, str], set[int]]:
    """The statuses that the document names, by method and Flask's own form of the address."""
    forms = {re.sub(r"<(?:uuid:)?(\w+)>", r"{\1}", str(rule)): str(rule) for rule, _ in rules(app)}
    return {
        (method.upper(), forms[path]): {int(status) for status in operation["responses"]}
        for path, operations in openapi(app)["paths"].items()
        for method, operation in operations.items()
        if method != "parameters"
    }


def test_the_document_is_openapi_3_1(app: Flask) -> None:
    document = openapi(app)
    assert document["openapi"].startswith("3.1")
    schemathesis.openapi.from_dict(document).validate()
    # the same judge refuses a broken one
    broken = copy.deepcopy(document)
    broken["paths"]["/bookings"]["post"]["responses"] = "all of them"
    with pytest.raises((SchemathesisError, ValueError)):
        schemathesis.openapi.from_dict(broken).validate()


def test_every_endpoint_of_the_api_is_documented_with_its_failures(app: Flask) -> None:
    documented = documented_statuses(app)
    screens = {"static", "api-docs.openapi_json", "docs.show"}
    for rule, method in rules(app):
        endpoint = rule.endpoint
        if endpoint in screens or is_page(app, endpoint):
            continue
        statuses = documented[method, str(rule)]
        shown = f"{method} {rule}: {sorted(statuses)}"
        assert statuses & {200, 201, 202, 204}, shown
        assert statuses >= {404, 429, 503}, shown
        if endpoint in GUARDED:
            assert statuses >= {401, 403}, shown
        if method != "GET":
            assert statuses >= {400, 409, 413, 415, 422}, shown


def test_every_operation_says_what_it_does_and_fails_in_one_form(app: Flask) -> None:
    document = openapi(app)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method == "parameters":
                continue
            assert operation["summary"].strip(), f"{method} {path}"
            secured = bool(operation.get("security"))
            endpoint_is_open = not any(status in operation["responses"] for status in ("403",))
            assert secured is not endpoint_is_open, f"{method} {path}"
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert response == {"$ref": "#/components/responses/Problem"}, f"{method} {path} {status}"
                elif int(status) not in (204, 304):
                    assert response["content"], f"{method} {path} {status}"
    problem = document["components"]["responses"]["Problem"]["content"]
    assert list(problem) == ["application/problem+json"]
