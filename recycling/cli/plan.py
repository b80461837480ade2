"""`flask plan`: make, publish, show and export the plan of a day by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from flask import current_app
from flask.cli import AppGroup
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from recycling.cli.refusals import in_words
from recycling.clock import utc_now
from recycling.extensions import db
from recycling.models.plan import Plan, PublishedPlan
from recycling.policy.access import SYSTEM
from recycling.routes.pages.words import travel_text
from recycling.routing.solve import Progress
from recycling.units import clock_text, kg_text
from recycling.usecases.learning.in_force import facts_in_force
from recycling.usecases.planning.plan_day import plan_day
from recycling.usecases.planning.publish_plan import publish_plan
from recycling.usecases.planning.road_travel import travel_setting
from recycling.usecases.queries.plans import overtaken_by, plan_in_full, plan_of_day, planner_file, route_figures

group = AppGroup("plan", help="Plans of service days.")

# Two lines each, so that a route's line fits a terminal of 80 columns.
HEADINGS = (
    "车辆\nvehicle", "回收员\ncrew", "上门\npickups", "卸货\nunloads", "出发\nstart", "返回\nend", "公斤\nkg",
    "公里\nkm",
)  # fmt: skip

DAY = click.DateTime(formats=["%Y-%m-%d"])


@group.command("make")
@click.argument("day", type=DAY)
@click.option("--seconds", type=click.FloatRange(min=0.1), help="Time to search; PLAN_SECONDS when left out.")
@click.option(
    "--publish", is_flag=True, help="Publish it at once, in place of the day's published plan if there is one."
)
def make(day: datetime, *, seconds: float | None, publish: bool) -> None:
    """Make the next version of a day's plan."""
    with in_words():
        plan = make_plan(day.date(), console=Console(stderr=True), seconds=seconds, publish=publish)
        show_plan(plan.id, Console())


@group.command("show")
@click.argument("day", type=DAY)
def show(day: datetime) -> None:
    """Print the published plan of a day, or its newest version."""
    with in_words():
        show_plan(plan_of_day(day.date(), session=db.session()), Console())


@group.command("export")
@click.argument("day", type=DAY)
@click.option("--problem", type=click.Path(path_type=Path, dir_okay=False, writable=True), required=True)
@click.option("--plan", "answer", type=click.Path(path_type=Path, dir_okay=False, writable=True), required=True)
def export(day: datetime, problem: Path, answer: Path) -> None:
    """Write a day's published plan, or its newest version, as the planner's files for `python -m recycling.routing`."""
    with in_words():
        plan_id = plan_of_day(day.date(), session=db.session())
        _write(problem, planner_file(plan_id, "problem", session=db.session()))
        _write(answer, planner_file(plan_id, "answer", session=db.session()))
    click.echo(f"python -m recycling.routing check {problem} {answer}")


def make_plan(day: date, *, console: Console, seconds: float | None = None, publish: bool = False) -> Plan:
    """Plan a day under a progress bar with the app's settings; with ``publish`` it replaces what is published."""
    config = current_app.config
    district = facts_in_force(current_app.extensions["district"], session=db.session())
    limit_s = float(config["PLAN_SECONDS"] if seconds is None else seconds)
    with _bar(day, limit_s, console) as on_progress:
        plan = plan_day(
            day,
            by=SYSTEM,
            district=district,
            session=db.session(),
            now=utc_now(),
            seconds=limit_s,
            workers=config["PLAN_WORKERS"],
            seed=config["PLAN_SEED"],
            travel=travel_setting(config),
            on_progress=on_progress,
        )
    if publish:
        standing = db.session.get(PublishedPlan, day)
        replaces = None if standing is None else standing.plan_id
        publish_plan(plan.id, replaces=replaces, by=SYSTEM, district=district, session=db.session(), now=utc_now())
    return plan


def show_plan(plan_id: UUID, console: Console) -> None:
    """Print a plan: one line a route, one line a booking left out."""
    plan = plan_in_full(plan_id, session=db.session())
    state = "已发布 published" if plan["published_at"] else "草稿 draft"
    table = Table(
        title=f"{plan['day']} 第 {plan['version']} 版 version {plan['version']}, {state}",
        box=None,
        padding=(0, 2, 0, 0),
    )
    for number, heading in enumerate(HEADINGS):
        table.add_column(heading, justify="left" if number < 2 else "right", no_wrap=True)
    for route in plan["routes"]:
        table.add_row(*_line(route))
    console.print(table)
    on_routes = sum(step["kind"] == "pickup" for route in plan["routes"] for step in route["steps"])
    cost = plan["cost"]["total"] - plan["cost"]["skipped"]
    console.print(
        f"上门 pickups {on_routes}, 路线 routes {len(plan['routes'])}, 未排入 left out {len(plan['unassigned'])}, "
        f"成本 cost {cost}"
    )
    zh, en = travel_text(plan)
    console.print(f"行程 travel: {zh} / {en}")
    facts = facts_in_force(current_app.extensions["district"], session=db.session())
    changes = overtaken_by(plan_id, district=facts, session=db.session(), now=utc_now())
    if changes is not None:
        zh, en = changes.words
        console.print(f"[bold red]制定后有变动 changed since it was made[/bold red]: {zh} ({en}); plan the day again")
    for left in plan["unassigned"]:
        console.print(f"  {left.booking_id} {left.reason}: {left.detail}")


def _line(route: dict[str, Any]) -> tuple[str, ...]:
    figures = route_figures(route)
    return (
        route["vehicle_key"],
        ", ".join(route["crew"]),
        str(figures["pickups"]),
        str(figures["unloads"]),
        clock_text(figures["start_s"]),
        clock_text(figures["end_s"]),
        kg_text(figures["carried_g"]).removesuffix(" kg"),
        f"{figures['distance_m'] / 1000:.1f}",
    )


@contextmanager
def _bar(day: date, seconds: float, console: Console) -> Iterator[Callable[[Progress], None]]:
    """A progress bar over the time allowed, with the best plan so far beside it."""
    columns = (TextColumn(f"排线 planning {day}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Bar(*columns, console=console) as bar:
        row = bar.add_task("", total=seconds)

        def on_progress(found: Progress) -> None:
            bar.update(
                row,
                completed=min(found.elapsed_s, seconds),
                description=f"成本 cost {found.best_cost}, {found.stops_planned}/{found.stops_total}",
            )

        yield on_progress
        bar.update(row, completed=seconds)


def _write(path: Path, content: dict[str, Any]) -> None:
    try:
        path.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    except OSError as error:
        raise click.ClickException(
            f"cannot write {path}: {error.strerror}; name a file in a folder that is there / 无法写入 {path}"
        ) from error
