"""Plans: immutable versions of a service day's routes, and the pointer to the published one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from recycling.models.base import Base, UtcDateTime, WithId, key_column, one_of
from recycling.models.encrypted import EncryptedBytes, EncryptedJson
from recycling.models.written_once import written_once
from recycling.routing.plan import REASONS, STEP_KINDS, Reason, StepKind


@written_once
class Plan(WithId, Base):
    """One version of a day's plan: the problem as given, the answer as checked. Rows are written once, never changed.

    ``problem`` and ``answer`` are the planner's JSON forms (stop keys are booking ids), encrypted: they hold places.
    ``travel`` is the matrix of a problem whose ways came from a road engine, in the ``.npz`` form the planner reads.
    ``problem_sha256`` is that of the day as it was asked for, its ways still estimated: a road engine may answer
    otherwise or not at all the next time, and no plan is out of date for that.
    From ``blanked_at`` on the problem is empty: routes and answer stay, the places are gone.
    """

    __tablename__ = "plan"
    __table_args__ = (UniqueConstraint("day", "version"), CheckConstraint("version >= 1", name="version"))

    day: Mapped[date]
    version: Mapped[int]
    problem: Mapped[dict[str, Any]] = mapped_column(EncryptedJson("plan.problem"), deferred=True)
    answer: Mapped[dict[str, Any]] = mapped_column(EncryptedJson("plan.answer"), deferred=True)
    travel: Mapped[bytes | None] = mapped_column(EncryptedBytes("plan.travel"), deferred=True)
    problem_sha256: Mapped[str] = mapped_column(String(64))
    cost_total: Mapped[int] = mapped_column(BigInteger)  # each pickup left out costs more than the whole fleet's day
    travel_quality: Mapped[str] = mapped_column(String(32))  # the rung of the ladder that gave all its ways, or mixed
    travel_cells: Mapped[dict[str, int] | None] = mapped_column(JSON(none_as_null=True))  # ways by rung
    travel_note: Mapped[str | None] = mapped_column(String(32))  # why not all of them are live
    search: Mapped[dict[str, Any]] = mapped_column(JSON)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_by_id: Mapped[UUID] = mapped_column(Uuid)
    made_by_run_id: Mapped[UUID | None] = mapped_column(ForeignKey("job_run.id"), unique=True)
    blanked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    routes: Mapped[list[Route]] = relationship(back_populates="plan", order_by="Route.vehicle_key")
    unassigned: Mapped[list[Unassigned]] = relationship(order_by="Unassigned.booking_id")
    published: Mapped[PublishedPlan | None] = relationship(viewonly=True)


class PublishedPlan(Base):
    """Which version of a day people act on. One row a day; moving it is a compare-and-swap on ``plan_id``."""

    __tablename__ = "published_plan"

    day: Mapped[date] = mapped_column(primary_key=True)
    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plan.id"), unique=True)
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)
    published_by_id: Mapped[UUID] = mapped_column(Uuid)


@written_once
class Publication(Base):
    """That a plan was published, and when: a plan that another one has replaced stays one that people went by.

    ``cause`` says why a running day was planned again, ``None`` for the plan of the evening before.
    """

    __tablename__ = "publication"

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plan.id"), primary_key=True)
    day: Mapped[date] = mapped_column(index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by_id: Mapped[UUID] = mapped_column(Uuid)
    cause: Mapped[str | None] = key_column()


@written_once
class Route(WithId, Base):
    """One vehicle's route in a plan; ``collector_key`` is the crew member who answers for it."""

    __tablename__ = "route"
    __table_args__ = (UniqueConstraint("plan_id", "vehicle_key"),)

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plan.id"))
    vehicle_key: Mapped[str] = key_column()
    collector_key: Mapped[str] = key_column()
    distance_m: Mapped[int]
    travel_s: Mapped[int]

    plan: Mapped[Plan] = relationship(back_populates="routes")
    stops: Mapped[list[RouteStop]] = relationship(order_by="RouteStop.position", back_populates="route")
    crew: Mapped[list[RouteCrew]] = relationship(order_by="RouteCrew.collector_key")


@written_once
class RouteCrew(Base):
    """One of the collectors who ride on a route's vehicle; each of them sees it and records at its doors."""

    __tablename__ = "route_crew"

    route_id: Mapped[UUID] = mapped_column(ForeignKey("route.id"), primary_key=True)
    collector_key: Mapped[str] = key_column(primary_key=True, index=True)


@written_once
class RouteStop(Base):
    """One step of a route, in its place; seconds after midnight of the plan's day.

    ``station_key`` is set for start, unload and end.
    """

    __tablename__ = "route_stop"
    __table_args__ = (one_of("kind", STEP_KINDS), CheckConstraint("position >= 0", name="position"))

    route_id: Mapped[UUID] = mapped_column(ForeignKey("route.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[StepKind] = mapped_column(String(16))
    booking_id: Mapped[UUID | None] = mapped_column(ForeignKey("booking.id"), index=True)
    station_key: Mapped[str | None] = key_column()
    arrival_s: Mapped[int]
    start_s: Mapped[int]
    end_s: Mapped[int]
    load_g: Mapped[int]
    load_l: Mapped[int]

    route: Mapped[Route] = relationship(back_populates="stops")


@written_once
class Unassigned(Base):
    """A booking that a plan leaves out, and why."""

    __tablename__ = "unassigned"
    __table_args__ = (one_of("reason", REASONS),)

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plan.id"), primary_key=True)
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.id"), primary_key=True)
    reason: Mapped[Reason] = mapped_column(String(32))
    detail: Mapped[str] = mapped_column(String(500))
    cheapest_fix: Mapped[dict[str, Any] | None] = mapped_column(JSON)


@written_once
class PlanEdit(Base):
    """That a plan was made by hand: from which version, and how many stops were moved."""

    __tablename__ = "plan_edit"
    __table_args__ = (CheckConstraint("moved >= 1", name="moved"),)

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plan.id"), primary_key=True)
    base_plan_id: Mapped[UUID] = mapped_column(ForeignKey("plan.id"), index=True)
    moved: Mapped[int]
