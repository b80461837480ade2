"""HTTP: one file per resource, its schemas in `schemas/`, the HTML screens in `pages/`."""

from __future__ import annotations

import flask_smorest
from flask import Flask

from recycling.routes import (
    address_candidates,
    arrivals,
    audit_rows,
    balances,
    baselines,
    booking_imports,
    bookings,
    certificates,
    correction_proposals,
    custody_tags,
    day_changes,
    declared_history,
    devices,
    district_map,
    estimates,
    expected_trips,
    fairness,
    field_events,
    goal_progress,
    goal_reports,
    hand_overs,
    handling,
    healing,
    health,
    intake_tickets,
    job_runs,
    kept_windows,
    my_addresses,
    my_limits,
    my_notices,
    my_route,
    pages,
    photos,
    plan_edits,
    plans,
    privacy,
    proof_photos,
    ratings,
    recovered,
    recurring_pickups,
    reference,
    replays,
    scale_readings,
    service_days,
    sign_in,
    slots,
    sms_receipts,
    staff,
    stock,
    ticket_photos,
    waiting_list,
)
from recycling.routes.schemas.problem import ProblemSchema

BLUEPRINTS = (
    health.bp,
    reference.bp,
    district_map.bp,
    sign_in.bp,
    sign_in.me,
    slots.offers_bp,
    slots.holds_bp,
    slots.windows_bp,
    service_days.bp,
    day_changes.bp,
    day_changes.days_bp,
    arrivals.board_bp,
    arrivals.tracking_bp,
    arrivals.position_bp,
    my_notices.bp,
    bookings.bp,
    certificates.bp,
    ratings.bp,
    ratings.figures_bp,
    photos.bp,
    proof_photos.bp,
    estimates.bp,
    estimates.preparation_bp,
    address_candidates.bp,
    my_addresses.bp,
    privacy.notice_bp,
    privacy.bp,
    privacy.lookups_bp,
    booking_imports.bp,
    waiting_list.bp,
    recurring_pickups.bp,
    plans.bp,
    plan_edits.bp,
    healing.disruptions_bp,
    healing.replans_bp,
    healing.promises_bp,
    my_limits.bp,
    my_route.bp,
    field_events.bp,
    field_events.codes_bp,
    field_events.rules_bp,
    field_events.flags_bp,
    devices.bp,
    devices.mine_bp,
    devices.sign_ins_bp,
    staff.bp,
    custody_tags.bp,
    expected_trips.bp,
    intake_tickets.bp,
    balances.bp,
    balances.missing_parts_bp,
    balances.averages_bp,
    correction_proposals.bp,
    ticket_photos.bp,
    scale_readings.push_bp,
    scale_readings.bp,
    scale_readings.imports_bp,
    stock.bp,
    hand_overs.bp,
    recovered.bp,
    kept_windows.bp,
    goal_progress.bp,
    baselines.bp,
    declared_history.bp,
    goal_reports.bp,
    job_runs.bp,
    audit_rows.bp,
    replays.bp,
    handling.bp,
    fairness.bp,
    fairness.mine_bp,
    sms_receipts.bp,
)


def register(app: Flask, api: flask_smorest.Api) -> None:
    """Hang every resource into the app and its API page, and the screens into the app alone."""
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
    pages.register(app)


def document(api: flask_smorest.Api) -> None:
    """Write down what all endpoints share: the failure, the two request headers, the ways to sign in."""
    components = api.spec.components
    components.schema("Problem", schema=ProblemSchema)
    components.response(
        "Problem",
        {
            "description": "RFC 9457 problem: what failed, the value, the next step",
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        },
    )
    components.parameter(
        "Idempotency-Key",
        "header",
        {
            "required": True,
            "description": "A new value for each new wish, repeated when the request is repeated",
            "schema": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"},
        },
    )
    components.parameter(
        "If-Match",
        "header",
        {
            "required": True,
            "description": "The ETag of the version this edit is based on",
            "schema": {"type": "string", "pattern": '^"[0-9]{1,9}"$'},
        },
    )
    components.parameter(
        "DPoP",
        "header",
        {
            "required": False,
            "description": "设备签名 / RFC 9449, beside a token of type DPoP and when a collector signs in: a JWT of"
            " typ dpop+jwt signed ES256 with the device's key (its public half as jwk in the header); jti new for"
            " every request, htm the method, htu the address without query, iat the time (401 tells server_time when it"
            " is off), ath the SHA-256 of the token in base64url",
            "schema": {"type": "string"},
        },
    )
    components.security_scheme("dpop", {"type": "http", "scheme": "dpop"})
    components.security_scheme("bearer", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"})
    components.security_scheme("cookie", {"type": "apiKey", "in": "cookie", "name": "access_token_cookie"})
