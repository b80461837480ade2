"""Whatever is sent, the API answers as its document says, and never with a fault of its own."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
import time_machine
from flask import Flask
from hypothesis import strategies as st
from schemathesis.engine import events, from_schema
from sqlalchemy.orm import Session

from recycling.app import create_app
from recycling.extensions import db
from recycling.policy.access import ROLES, Role
from recycling.policy.district import District
from recycling.routes.guard import GuardedBlueprint
from recycling.units import instant_at
from tests.builders import TOMORROW, a_booking, a_wish_body
from tests.callers import Caller, Callers
from tests.conftest import empty
from tests.devices import Phone
from tests.field_events import an_event
from tests.invariants import broken
from tests.planned_days import a_published_plan, driver_of, generous
from tests.proof.harness import Proof, Size
from tests.servers import Server, server_settings, serving

LEAST_CASES = {"small": 150, "full": 2000, "release": 20_000}
EXAMPLES = {"small": 4, "full": 12, "release": 600}  # per endpoint and kind of input
CHANGED = {"small": 20, "full": 150, "release": 2000}  # good requests with something changed, per endpoint

# What the document cannot know and schemathesis would take for faults.
CHECKS: dict[str, Any] = {
    # the domain refuses what the forms allow: a day long past, a point outside the district
    "positive_data_acceptance": {"enabled": False},
    # an edit without its version is answered 428 (RFC 6585)
    "missing_required_header": {"expected-statuses": [400, 401, 403, 406, 415, 422, 428]},
}

# Records are judged each by itself: one that cannot be read is refused in its answer, beside others that are taken.
ALONE: dict[str, Any] = {"POST /field-events": {"negative_data_rejection": {"enabled": False}}}


@dataclass(slots=True)
class Found:
    """What a run of cases came to."""

    cases: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def server_errors(self) -> int:
        """Answers that blame the server; a 503 would mean that it was overrun."""
        return sum(count for status, count in self.answers.items() if status >= 500)


# --- whatever a tool thinks of ---


def test_no_input_makes_a_fault_or_an_undocumented_answer(
    engine_url: str, server: Server, size: Size, proof: Proof, tmp_path: Path
) -> None:
    # given a served, empty database, and people of all roles
    app = create_app(server_settings(engine_url))
    callers = Callers(app)
    try:
        people: dict[Role, Caller] = {role: _sign_in(callers, role) for role in ROLES}
        # when schemathesis sends what it derives from the document: valid, broken, missing, at every bound
        with _proven_by(people["collector"].phone or Phone()):
            found = _run(server, _tokens(app, callers, people), size)
        # and the same to an application with three planted faults
        with serving(engine_url, wsgi="tests.proof.line.with_faults:app", log=tmp_path / "log", workers=1) as faulty:
            planted = _run(faulty, [], "small", only="^GET /(villages|stations|town-units)$")
    finally:
        _leave_empty(app)
    # then every answer is a documented one, and the planted faults are seen
    proof.record(
        name="schemathesis",
        figure=f"{found.cases} cases, {found.server_errors} server errors, {len(found.faults)} faults",
        target=f"{LEAST_CASES[size]} cases, 0, 0",
        control=f"{len(planted.faults)} faults where 3 are planted",
        ok=found.cases >= LEAST_CASES[size]
        and not found.server_errors
        and not found.faults
        and {name.split(":")[0] for name in planted.faults} == {"GET /villages", "GET /stations", "GET /town-units"},
    )
    assert not found.faults, "\n\n".join(f"{name}\n{said}" for name, said in found.faults.items())


def _sign_in(callers: Callers, role: Role) -> Caller:
    return callers.resident() if role == "resident" else callers.staff(role)


def _leave_empty(app: Flask) -> None:
    with app.app_context():
        db.session.remove()
        empty(db.session())
        db.session.remove()
        db.engine.dispose()


def _tokens(app: Flask, callers: Callers, people: dict[Role, Caller]) -> list[dict[str, Any]]:
    """For each guarded operation the token of somebody who may call it; signing out ends one of its own."""
    found = []
    for rule in app.url_map.iter_rules():
        blueprint = app.blueprints.get(rule.endpoint.rpartition(".")[0])
        roles = blueprint.roles_of(app.view_functions[rule.endpoint]) if isinstance(blueprint, GuardedBlueprint) else ()
        if not roles:
            continue
        caller = callers.resident() if "sign_out" in rule.endpoint else people[roles[-1]]
        path = str(rule).replace("<uuid:", "{").replace(">", "}")
        scheme, token = "Bearer" if caller.phone is None else "DPoP", caller.tokens["access_token"]
        headers = {"Authorization": f"{scheme} {token}"}  # the proof beside it is made when a request is sent
        found += [
            {"include-name": f"{method} {path}", "headers": headers, "checks": ALONE.get(f"{method} {path}", {})}
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        ]
    return found


@contextmanager
def _proven_by(phone: Phone) -> Iterator[None]:
    """Give every request with a token that is bound to the phone a proof of its own."""

    def prove(request: requests.PreparedRequest) -> requests.PreparedRequest:
        scheme, _, token = str(request.headers.get("Authorization", "")).partition(" ")
        if scheme == "DPoP":
            request.headers["DPoP"] = phone.proof(str(request.method), str(request.url), token)
        return request

    def before_call(_context: Any, _case: Any, kwargs: dict[str, Any]) -> None:
        kwargs["auth"] = prove

    schemathesis.hook(before_call)
    try:
        yield
    finally:
        schemathesis.hooks.unregister(before_call)


def _run(server: Server, tokens: Sequence[dict[str, Any]], size: Size, *, only: str = "") -> Found:
    """All phases of schemathesis at full size; its fuzzing alone at small size."""
    whole = size != "small"
    config = schemathesis.Config.from_dict(
        {
            "seed": 1,
            "base-url": server.address,
            "continue-on-failure": True,
            "generation": {"database": "none", "max-examples": EXAMPLES[size], "no-shrink": True, "mode": "all"},
            "checks": CHECKS,
            "phases": {"coverage": {"enabled": whole}, "stateful": {"enabled": whole}},
            "operations": list(tokens),
        }
    )
    document = schemathesis.openapi.from_url(f"{server.address}/api/openapi.json", config=config)
    schema = document.include(name_regex=only) if only else document
    found = Found()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            _count(found, event)
        elif isinstance(event, events.NonFatalError):
            found.faults[f"{event.label}: not run"] = str(event.value)
        elif isinstance(event, events.FatalError):
            raise event.exception
    return found


def _count(found: Found, event: events.ScenarioFinished) -> None:
    recorder = event.recorder
    found.cases += len(recorder.interactions)
    found.answers.update(one.response.status_code for one in recorder.interactions.values() if one.response is not None)
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                failure = check.failure_info.failure
                sent = recorder.cases[case_id].value.as_curl_command()
                found.faults[f"{recorder.label}: {check.name}"] = f"{failure.title}\n{failure.message}\n{sent}"[:3000]


# --- good requests with something changed ---

# What has broken web applications before: ends of types, other types, halves of characters, words of other languages.
NASTY: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 1.5, -0.0, 1e308, 2**31, 2**63, -(2**63), 10**30, "", " ", "0", "x" * 300, "长" * 300,
    "\x00", "a\x00b", "\ud800", "\uffff", "\u202e", "2026-11-24", "0001-01-01", "9999-12-31", "2026-02-30",
    "2026-11-24T00:00:00+08:00", "9999-12-31T23:59:59-23:59", "' OR 1=1 --", "<script>alert(1)</script>", "{{7*7}}",
    "${7*7}", "../../etc/passwd", "%s%n", "=1+1", "00000000-0000-0000-0000-000000000000", [], {}, [[]], [None], {"": 1},
)  # fmt: skip

# What is often right at a place of this name, so that many of the changed requests get through the forms.
FITTING: dict[str, tuple[Any, ...]] = {
    "day": ("2026-11-25", "2026-11-30", "2026-12-07"),
    "pickup_window": ("08-10", "10-12", "13-15", "15-17", "all-day"),
    "village_code": ("370403001001", "370403001002"),
    "floor": (-5, 1, 60),
    "has_lift": (True, False),
    "coordinate_system": ("wgs84", "gcj02"),
    "note": ("", "按门铃", "<b>后门</b> & '门卫'"),
    "address": ("清泉路 1 号", "=1+1 路"),
    "item_type": ("fridge", "sofa-three", "phone-mobile"),
    "quantity": (1, 2, 12),
    "condition": ("unknown", "working", "repairable", "scrap"),
    "wipe_consent": (True, False),
    "units": (1, 2, 1000),
    "kind": ("collected", "partly", "failed"),
    "reason": ("nobody_home", "not_presented", None, "毛重读数有误"),
    "gross_g": (51_301, 60_000, 2**31 - 1),
    "tare_g": (0, 9_999, 51_299),
    "refused_g": (1, 41_299, 41_300),
    "scale_number": ("2", "A-1"),
    "lines": ([],),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Good:
    """A request that is accepted, or refused for the present state of things alone."""

    caller: Caller
    operation: tuple[str, str]
    path: str
    body: Any
    at: datetime | None = None  # when it is sent; now, unless it is something that happens on its day


def test_a_good_request_with_something_changed_is_accepted_or_refused_in_words(
    app: Flask,
    session: Session,
    district: District,
    now: datetime,
    callers: Callers,
    size: Size,
    proof: Proof,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(app.extensions, "district", generous(district))  # one resident books what is accepted
    # given good requests to everything that writes, deep in the domain
    document = schemathesis.openapi.from_wsgi("/api/openapi.json", app)
    requests = list(_good_requests(session, district, now, callers))
    found = Found()
    for good in requests:
        first = _send(good, good.body)
        assert first.status_code in (200, 201, 202), f"{good.path}: {first.text}"
        path, method = good.operation
        # when one or two places of each are changed for something that has broken others
        for body in _changed(good.body, CHANGED[size]):
            answer = _send(good, body)
            found.cases += 1
            found.answers[answer.status_code] += 1
            try:
                document[path][method].validate_response(answer)
            except Exception as error:
                found.faults[f"{method} {path}"] = f"{error}\n{json.dumps(body)[:500]}\n{answer.text[:500]}"
            if answer.status_code >= 500:
                found.faults[f"{method} {path}"] = f"{json.dumps(body)[:500]}\n{answer.text[:500]}"
    session.rollback()
    rules = broken(session)
    refused = sum(count for status, count in found.answers.items() if status >= 400)
    # then each is answered as the document says, and what was accepted keeps the invariants
    proof.record(
        name="good requests with something changed",
        figure=f"{found.cases} cases, {found.server_errors} server errors, {len(rules)} broken invariants",
        target="0, 0",
        control=f"{refused} refused, {found.cases - refused} accepted",
        ok=not found.faults and not rules and 0 < refused < found.cases,
    )
    assert not found.faults, "\n\n".join(f"{name}\n{said}" for name, said in found.faults.items())
    assert not rules, rules


def _good_requests(session: Session, district: District, now: datetime, callers: Callers) -> Iterator[Good]:
    planned = a_booking(session, district=district, now=now).id
    a_published_plan(session, district=district, now=now)
    on_the_day, driver = instant_at(TOMORROW, 9 * 3600), driver_of(session, planned)
    session.rollback()
    with time_machine.travel(on_the_day):
        crew = callers.staff("collector", collector_key=driver)
    keeper, resident, dispatcher = callers.staff("keeper"), callers.resident(), callers.staff("dispatcher")
    wish = a_wish_body(day="2026-11-26", note="后门", floor=3, has_lift=False, coordinate_system="wgs84")
    yield Good(caller=resident, operation=("/bookings", "POST"), path="/bookings", body=wish)
    booking = resident.post("/bookings", wish | {"address": "清泉路 2 号"}).get_json()
    path = f"/bookings/{booking['id']}"
    moved = wish | {"address": "清泉路 2 号"}
    yield Good(caller=resident, operation=("/bookings/{booking_id}", "PATCH"), path=path, body=moved)
    elsewhere = wish | {"address": "清泉路 3 号"}
    question = {name: value for name, value in elsewhere.items() if name not in ("day", "pickup_window")}
    yield Good(
        caller=resident, operation=("/slot-offers", "POST"), path="/slot-offers", body=question | {"explain": True}
    )
    third = resident.post("/slot-offers", question).get_json()["days"][2]
    slot = third["windows"][0]
    held = question | {"day": third["day"], "pickup_window": slot["pickup_window"], "hold_token": slot["hold_token"]}
    yield Good(caller=resident, operation=("/holds", "POST"), path="/holds", body=held)
    reason = {"reason": "nobody_home"}
    event = an_event(planned, "failed", payload=reason, device_time="2026-11-24T09:00:00+08:00")
    yield Good(
        caller=crew, operation=("/field-events", "POST"), path="/field-events", body={"events": [event, event]},
        at=on_the_day,
    )  # fmt: skip
    ticket = {
        "scale_number": "1", "channel": "walk_in", "gross_g": 51_300, "tare_g": 10_000, "refused_g": 0,
        "vehicle_key": None, "lines": [{"item_type": "fridge", "units": 1, "tags": []}],
    }  # fmt: skip
    yield Good(caller=keeper, operation=("/intake-tickets", "POST"), path="/intake-tickets", body=ticket)
    row_id = keeper.post("/intake-tickets", ticket).get_json()["id"]
    correction = {name: value for name, value in ticket.items() if name != "scale_number"} | {"reason": "毛重读数有误"}
    yield Good(
        caller=keeper, operation=("/intake-tickets/{ticket_id}/corrections", "POST"),
        path=f"/intake-tickets/{row_id}/corrections", body=correction,
    )  # fmt: skip
    batch = {
        "processor_key": "dismantler-demo", "net_g": 41_000, "plate": "鲁D12345", "seal": "AB1234",
        "lines": [{"item_type": "fridge", "units": 1, "day": None}],
    }  # fmt: skip
    yield Good(caller=keeper, operation=("/hand-overs", "POST"), path="/hand-overs", body=batch)
    keeper.post("/intake-tickets", ticket)
    batch_id = keeper.post("/hand-overs", batch).get_json()["id"]
    yield Good(
        caller=keeper, operation=("/hand-overs/{hand_over_id}/re-weighs", "POST"),
        path=f"/hand-overs/{batch_id}/re-weighs", body={"net_g": 41_000, "slip": "A-17"},
    )  # fmt: skip
    counted = {"lines": [{"item_type": "fan", "units": 1, "net_g": 4_000, "reason": "found", "missing": []}]}
    yield Good(caller=keeper, operation=("/stock-counts", "POST"), path="/stock-counts", body=counted)
    run = {"job": "plan_day", "day": "2026-11-25"}
    yield Good(caller=dispatcher, operation=("/job-runs", "POST"), path="/job-runs", body=run)


def _send(good: Good, body: Any) -> Any:
    method = good.operation[1]
    headers = {"If_Match": good.caller.get(good.path).headers["ETag"]} if method == "PATCH" else {}
    with nullcontext() if good.at is None else time_machine.travel(good.at):
        return good.caller.call(method, good.path, body, **headers)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value, from the outside inwards."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from _places(one, (*path, key))


def _put(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of the body with another value at a place; what is no longer there stays away."""
    if not path:
        return value
    changed = copy.deepcopy(body)
    at = changed
    try:
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value
    except (TypeError, IndexError, KeyError):
        return changed
    return changed


def _changed(good: Any, count: int) -> list[Any]:
    """So many bodies made from a good one, the same ones each time."""
    odd = st.sampled_from(NASTY) | st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)

    def at(place: tuple[Any, ...]) -> st.SearchStrategy[tuple[tuple[Any, ...], Any]]:
        fitting = FITTING.get(str(place[-1]) if place else "")
        drawn = st.booleans().flatmap(lambda fits: st.sampled_from(fitting) if fits and fitting else odd)
        return st.tuples(st.just(place), drawn)

    change = st.sampled_from(list(_places(good))).flatmap(at)
    bodies: list[Any] = []

    @hypothesis.seed(1)
    @hypothesis.settings(
        max_examples=count, deadline=None, database=None, phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    @hypothesis.given(st.lists(change, min_size=1, max_size=2))
    def draw(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
        body = good
        for path, value in changes:
            body = _put(body, path, value)
        bodies.append(body)

    draw()
    return bodies
