"""first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "attempt_counter",
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.LargeBinary(length=32), nullable=False),
        sa.Column("period_s", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.CheckConstraint("used >= 1", name=op.f("ck_attempt_counter_used")),
        sa.PrimaryKeyConstraint("kind", "subject", "period_s", "starts_at", name=op.f("pk_attempt_counter")),
    )
    op.create_table(
        "daily_recovery",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("station_key", sa.String(length=64), nullable=False),
        sa.Column("town_key", sa.String(length=64), nullable=False),
        sa.Column("item_type", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("provenance", sa.String(length=16), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("recovered_g", sa.BigInteger(), nullable=False),
        sa.Column("ticket_lines", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "units > 0 AND recovered_g > 0 AND ticket_lines > 0", name=op.f("ck_daily_recovery_amounts")
        ),
        sa.PrimaryKeyConstraint(
            "day", "station_key", "town_key", "item_type", "channel", "provenance", name=op.f("pk_daily_recovery")
        ),
    )
    op.create_table(
        "day_ledger",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("area", sa.String(length=64), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("service_used_s", sa.Integer(), nullable=False),
        sa.Column("service_cap_s", sa.Integer(), nullable=False),
        sa.Column("load_used_g", sa.Integer(), nullable=False),
        sa.Column("load_cap_g", sa.Integer(), nullable=False),
        sa.Column("load_used_l", sa.Integer(), nullable=False),
        sa.Column("load_cap_l", sa.Integer(), nullable=False),
        sa.CheckConstraint("load_used_g BETWEEN 0 AND load_cap_g", name=op.f("ck_day_ledger_grams")),
        sa.CheckConstraint("load_used_l BETWEEN 0 AND load_cap_l", name=op.f("ck_day_ledger_litres")),
        sa.CheckConstraint("service_used_s BETWEEN 0 AND service_cap_s", name=op.f("ck_day_ledger_service")),
        sa.PrimaryKeyConstraint("day", "area", name=op.f("pk_day_ledger")),
    )
    op.create_table(
        "goal_report",
        sa.Column("period", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_goal_report")),
        sa.UniqueConstraint("period", "version", name=op.f("uq_goal_report_period_version")),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("caller_id", sa.Uuid(), nullable=False),
        sa.Column("endpoint", sa.String(length=128), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("caller_id", "endpoint", "key", name=op.f("pk_idempotency_key")),
    )
    with op.batch_alter_table("idempotency_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_key_created_at"), ["created_at"], unique=False)

    op.create_table(
        "intake_ticket",
        sa.Column("station_key", sa.String(length=64), nullable=False),
        sa.Column("scale_number", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("gross_g", sa.Integer(), nullable=False),
        sa.Column("tare_g", sa.Integer(), nullable=False),
        sa.Column("net_g", sa.Integer(), nullable=False),
        sa.Column("refused_g", sa.Integer(), nullable=False),
        sa.Column("vehicle_key", sa.String(length=64), nullable=True),
        sa.Column("keeper_id", sa.Uuid(), nullable=False),
        sa.Column("weighed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("corrects_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.String(length=200), nullable=True),
        sa.Column("made_up", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("channel IN ('door', 'walk_in')", name=op.f("ck_intake_ticket_channel")),
        sa.CheckConstraint(
            "(corrects_id IS NULL) = (correction_reason IS NULL)", name=op.f("ck_intake_ticket_correction_has_reason")
        ),
        sa.CheckConstraint("net_g = gross_g - tare_g", name=op.f("ck_intake_ticket_net")),
        sa.CheckConstraint("net_g > 0 OR corrects_id IS NOT NULL", name=op.f("ck_intake_ticket_something_weighed")),
        sa.CheckConstraint(
            "tare_g >= 0 AND net_g >= 0 AND refused_g BETWEEN 0 AND net_g", name=op.f("ck_intake_ticket_masses")
        ),
        sa.ForeignKeyConstraint(["corrects_id"], ["intake_ticket.id"], name=op.f("fk_intake_ticket_corrects_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intake_ticket")),
        sa.UniqueConstraint("corrects_id", name=op.f("uq_intake_ticket_corrects_id")),
        sa.UniqueConstraint(
            "station_key", "scale_number", "number", name=op.f("uq_intake_ticket_station_key_scale_number_number")
        ),
    )
    with op.batch_alter_table("intake_ticket", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_intake_ticket_day_station_key"), ["day", "station_key"], unique=False)

    op.create_table(
        "job_run",
        sa.Column("job", sa.String(length=32), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("scope", sa.String(length=64), nullable=False),
        sa.Column("asked_by_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claim_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token", sa.Uuid(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("figures", sa.JSON(), nullable=True),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'running') = (token IS NOT NULL AND lease_until IS NOT NULL)", name=op.f("ck_job_run_held")
        ),
        sa.CheckConstraint(
            "(state IN ('done', 'failed', 'skipped')) = (finished_at IS NOT NULL)", name=op.f("ck_job_run_finished")
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'skipped')", name=op.f("ck_job_run_state")
        ),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_job_run_attempts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_run")),
        sa.UniqueConstraint("job", "due_at", "scope", name=op.f("uq_job_run_job_due_at_scope")),
    )
    with op.batch_alter_table("job_run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_job_run_due_at"), ["due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_job_run_state_due_at"), ["state", "due_at"], unique=False)

    op.create_table(
        "one_time_code",
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("code_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tries_left", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("tries_left >= 0", name=op.f("ck_one_time_code_tries_left")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_code")),
    )
    with op.batch_alter_table("one_time_code", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_one_time_code_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "outbox_message",
        sa.Column("dedupe_key", sa.String(length=160), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("recipient_kind", sa.String(length=16), nullable=False),
        sa.Column("recipient_id", sa.Uuid(), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("token", sa.Uuid(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dead_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(length=200), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "recipient_kind IN ('resident', 'staff', 'bureau')", name=op.f("ck_outbox_message_recipient_kind")
        ),
        sa.CheckConstraint("(token IS NULL) = (lease_until IS NULL)", name=op.f("ck_outbox_message_held")),
        sa.CheckConstraint("sent_at IS NULL OR dead_at IS NULL", name=op.f("ck_outbox_message_one_end")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_message")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_outbox_message_dedupe_key")),
    )
    with op.batch_alter_table("outbox_message", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_outbox_message_sent_at_dead_at_due_at"), ["sent_at", "dead_at", "due_at"], unique=False
        )

    op.create_table(
        "recovery_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("station_key", sa.String(length=64), nullable=False),
        sa.Column("rolled_up_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("day", "station_key", name=op.f("pk_recovery_day")),
    )
    op.create_table(
        "resident",
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("phone_index", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resident")),
        sa.UniqueConstraint("phone_index", name=op.f("uq_resident_phone_index")),
    )
    op.create_table(
        "scale",
        sa.Column("station_key", sa.String(length=64), nullable=False),
        sa.Column("scale_number", sa.String(length=32), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.CheckConstraint("last_number >= 0", name=op.f("ck_scale_last_number")),
        sa.PrimaryKeyConstraint("station_key", "scale_number", name=op.f("pk_scale")),
    )
    op.create_table(
        "staff",
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("password_hash", sa.String(length=256), nullable=False),
        sa.Column("station_key", sa.String(length=64), nullable=True),
        sa.Column("collector_key", sa.String(length=64), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(role = 'collector') = (collector_key IS NOT NULL)", name=op.f("ck_staff_collector_has_key")
        ),
        sa.CheckConstraint("(role = 'keeper') = (station_key IS NOT NULL)", name=op.f("ck_staff_keeper_has_station")),
        sa.CheckConstraint(
            "role IN ('collector', 'keeper', 'dispatcher', 'clerk', 'admin')", name=op.f("ck_staff_role")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("collector_key", name=op.f("uq_staff_collector_key")),
        sa.UniqueConstraint("login", name=op.f("uq_staff_login")),
    )
    op.create_table(
        "window_ledger",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("area", sa.String(length=64), nullable=False),
        sa.Column("pickup_window", sa.String(length=64), nullable=False),
        sa.Column("places_used", sa.Integer(), nullable=False),
        sa.Column("places_cap", sa.Integer(), nullable=False),
        sa.CheckConstraint("places_used BETWEEN 0 AND places_cap", name=op.f("ck_window_ledger_places")),
        sa.PrimaryKeyConstraint("day", "area", "pickup_window", name=op.f("pk_window_ledger")),
    )
    op.create_table(
        "booking",
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("area", sa.String(length=64), nullable=False),
        sa.Column("pickup_window", sa.String(length=64), nullable=False),
        sa.Column("village_code", sa.String(length=12), nullable=False),
        sa.Column("place", sa.LargeBinary(), nullable=False),
        sa.Column("floor", sa.Integer(), nullable=False),
        sa.Column("has_lift", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("service_s", sa.Integer(), nullable=False),
        sa.Column("declared_g", sa.Integer(), nullable=False),
        sa.Column("declared_l", sa.Integer(), nullable=False),
        sa.Column("made_up", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('booked', 'collected', 'partly_collected', 'failed', 'cancelled')", name=op.f("ck_booking_state")
        ),
        sa.CheckConstraint("service_s >= 0 AND declared_g >= 0 AND declared_l >= 0", name=op.f("ck_booking_amounts")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_booking_version")),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"], name=op.f("fk_booking_resident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking")),
    )
    with op.batch_alter_table("booking", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_booking_day_area"), ["day", "area"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_booking_resident_id_created_at"), ["resident_id", "created_at"], unique=False
        )

    op.create_table(
        "plan",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("problem", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("problem_sha256", sa.String(length=64), nullable=False),
        sa.Column("cost_total", sa.BigInteger(), nullable=False),
        sa.Column("travel_quality", sa.String(length=32), nullable=False),
        sa.Column("search", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.Uuid(), nullable=False),
        sa.Column("made_by_run_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_plan_version")),
        sa.ForeignKeyConstraint(["made_by_run_id"], ["job_run.id"], name=op.f("fk_plan_made_by_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
        sa.UniqueConstraint("day", "version", name=op.f("uq_plan_day_version")),
        sa.UniqueConstraint("made_by_run_id", name=op.f("uq_plan_made_by_run_id")),
    )
    op.create_table(
        "sign_in",
        sa.Column("resident_id", sa.Uuid(), nullable=True),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("refresh_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(resident_id IS NULL) <> (staff_id IS NULL)", name=op.f("ck_sign_in_one_person")),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"], name=op.f("fk_sign_in_resident_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_sign_in_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
    )
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_sign_in_resident_id"), ["resident_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sign_in_staff_id"), ["staff_id"], unique=False)

    op.create_table(
        "booked_item",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("item_type", sa.String(length=64), nullable=False),
        sa.Column("declared_units", sa.Integer(), nullable=False),
        sa.Column("dismantle", sa.Boolean(), nullable=False),
        sa.Column("collected_units", sa.Integer(), nullable=False),
        sa.Column("weighed_units", sa.Integer(), nullable=False),
        sa.CheckConstraint("declared_units >= 0 AND collected_units >= 0", name=op.f("ck_booked_item_units")),
        sa.CheckConstraint("weighed_units BETWEEN 0 AND collected_units", name=op.f("ck_booked_item_weighed_once")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_booked_item_booking_id")),
        sa.PrimaryKeyConstraint("booking_id", "item_type", name=op.f("pk_booked_item")),
    )
    op.create_table(
        "booking_change",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("by_role", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_booking_change_booking_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_change")),
    )
    with op.batch_alter_table("booking_change", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_booking_change_booking_id"), ["booking_id"], unique=False)

    op.create_table(
        "doorstep_event",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("collector_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("device_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint("kind IN ('collected', 'partly', 'failed')", name=op.f("ck_doorstep_event_kind")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_doorstep_event_booking_id")),
        sa.ForeignKeyConstraint(["collector_id"], ["staff.id"], name=op.f("fk_doorstep_event_collector_id")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_doorstep_event")),
    )
    with op.batch_alter_table("doorstep_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_doorstep_event_booking_id"), ["booking_id"], unique=False)

    op.create_table(
        "intake_line",
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("item_type", sa.String(length=64), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("net_g", sa.Integer(), nullable=False),
        sa.Column("provenance", sa.String(length=16), nullable=False),
        sa.Column("town_key", sa.String(length=64), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("provenance IN ('weighed', 'type_table')", name=op.f("ck_intake_line_provenance")),
        sa.CheckConstraint("units > 0 AND net_g > 0", name=op.f("ck_intake_line_amounts")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_intake_line_booking_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["intake_ticket.id"], name=op.f("fk_intake_line_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", "position", name=op.f("pk_intake_line")),
    )
    with op.batch_alter_table("intake_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_intake_line_booking_id"), ["booking_id"], unique=False)

    op.create_table(
        "published_plan",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_published_plan_plan_id")),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_published_plan")),
        sa.UniqueConstraint("plan_id", name=op.f("uq_published_plan_plan_id")),
    )
    op.create_table(
        "route",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("vehicle_key", sa.String(length=64), nullable=False),
        sa.Column("collector_key", sa.String(length=64), nullable=False),
        sa.Column("distance_m", sa.Integer(), nullable=False),
        sa.Column("travel_s", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_route_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_route")),
        sa.UniqueConstraint("plan_id", "vehicle_key", name=op.f("uq_route_plan_id_vehicle_key")),
    )
    op.create_table(
        "unassigned",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.String(length=500), nullable=False),
        sa.Column("cheapest_fix", sa.JSON(), nullable=True),
        sa.CheckConstraint(
            "reason IN ('missing_skill', 'over_capacity', 'outside_windows', 'fleet_full', 'invalid')",
            name=op.f("ck_unassigned_reason"),
        ),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_unassigned_booking_id")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_unassigned_plan_id")),
        sa.PrimaryKeyConstraint("plan_id", "booking_id", name=op.f("pk_unassigned")),
    )
    op.create_table(
        "route_crew",
        sa.Column("route_id", sa.Uuid(), nullable=False),
        sa.Column("collector_key", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["route_id"], ["route.id"], name=op.f("fk_route_crew_route_id")),
        sa.PrimaryKeyConstraint("route_id", "collector_key", name=op.f("pk_route_crew")),
    )
    with op.batch_alter_table("route_crew", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_route_crew_collector_key"), ["collector_key"], unique=False)

    op.create_table(
        "route_stop",
        sa.Column("route_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("station_key", sa.String(length=64), nullable=True),
        sa.Column("arrival_s", sa.Integer(), nullable=False),
        sa.Column("start_s", sa.Integer(), nullable=False),
        sa.Column("end_s", sa.Integer(), nullable=False),
        sa.Column("load_g", sa.Integer(), nullable=False),
        sa.Column("load_l", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('start', 'pickup', 'break', 'unload', 'end')", name=op.f("ck_route_stop_kind")),
        sa.CheckConstraint("position >= 0", name=op.f("ck_route_stop_position")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_route_stop_booking_id")),
        sa.ForeignKeyConstraint(["route_id"], ["route.id"], name=op.f("fk_route_stop_route_id")),
        sa.PrimaryKeyConstraint("route_id", "position", name=op.f("pk_route_stop")),
    )
    with op.batch_alter_table("route_stop", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_route_stop_booking_id"), ["booking_id"], unique=False)


def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table("route_stop", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_route_stop_booking_id"))

    op.drop_table("route_stop")
    with op.batch_alter_table("route_crew", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_route_crew_collector_key"))

    op.drop_table("route_crew")
    op.drop_table("unassigned")
    op.drop_table("route")
    op.drop_table("published_plan")
    with op.batch_alter_table("intake_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_intake_line_booking_id"))

    op.drop_table("intake_line")
    with op.batch_alter_table("doorstep_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_doorstep_event_booking_id"))

    op.drop_table("doorstep_event")
    with op.batch_alter_table("booking_change", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_booking_change_booking_id"))

    op.drop_table("booking_change")
    op.drop_table("booked_item")
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_staff_id"))
        batch_op.drop_index(batch_op.f("ix_sign_in_resident_id"))
        batch_op.drop_index(batch_op.f("ix_sign_in_expires_at"))

    op.drop_table("sign_in")
    op.drop_table("plan")
    with op.batch_alter_table("booking", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_booking_resident_id_created_at"))
        batch_op.drop_index(batch_op.f("ix_booking_day_area"))

    op.drop_table("booking")
    op.drop_table("window_ledger")
    op.drop_table("staff")
    op.drop_table("scale")
    op.drop_table("resident")
    op.drop_table("recovery_day")
    with op.batch_alter_table("outbox_message", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outbox_message_sent_at_dead_at_due_at"))

    op.drop_table("outbox_message")
    with op.batch_alter_table("one_time_code", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_one_time_code_expires_at"))

    op.drop_table("one_time_code")
    with op.batch_alter_table("job_run", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_job_run_state_due_at"))
        batch_op.drop_index(batch_op.f("ix_job_run_due_at"))

    op.drop_table("job_run")
    with op.batch_alter_table("intake_ticket", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_intake_ticket_day_station_key"))

    op.drop_table("intake_ticket")
    with op.batch_alter_table("idempotency_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotency_key_created_at"))

    op.drop_table("idempotency_key")
    op.drop_table("goal_report")
    op.drop_table("day_ledger")
    op.drop_table("daily_recovery")
    op.drop_table("attempt_counter")
