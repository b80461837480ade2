"""`flask report`: goal progress on the terminal, a day's roll-up, reports made and verified."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import click
from flask import current_app
from flask.cli import AppGroup
from rich.console import Console
from rich.progress import track
from rich.table import Table

from recycling.cli.refusals import in_words
from recycling.clock import utc_now
from recycling.extensions import db
from recycling.models.months_anew import months_on_record
from recycling.policy.access import SYSTEM
from recycling.units import kg_text, local_text, percent_text
from recycling.usecases.queries.goal_reports import published_reports
from recycling.usecases.reporting.goal_csv import BASELINE_STATES
from recycling.usecases.reporting.goal_progress import goal_progress
from recycling.usecases.reporting.goal_report import make_goal_report
from recycling.usecases.reporting.rebuild_figures import rebuild_figures
from recycling.usecases.reporting.report_tables import OUTLET_NAMES
from recycling.usecases.reporting.roll_up import roll_up_day
from recycling.usecases.reporting.verify_report import verify_report

group = AppGroup("report", help="Figures for the bureau.")

LOCAL_DAY = click.DateTime(formats=["%Y-%m-%d"])


@group.command("goal")
@click.option("--on", "day", type=LOCAL_DAY, help="The day at whose end to judge; today when left out.")
def goal(day: datetime | None) -> None:
    """Print where each scope stands against its goal."""
    with in_words():
        report = goal_progress(
            day.date() if day is not None else None,
            district=current_app.extensions["district"],
            session=db.session(),
            now=utc_now(),
        )
    print_goal_report(Console(), report)


@group.command("roll-up")
@click.argument("day", type=LOCAL_DAY)
def roll_up(day: datetime) -> None:
    """Rebuild the figures of a day from its tickets."""
    district = current_app.extensions["district"]
    with in_words():
        found = roll_up_day(day.date(), district=district, session=db.session(), now=utc_now())
    click.echo(
        f"{day.date()}: {found.rows} figures, {found.units} units, {kg_text(found.recovered_g)};"
        f" {found.differences} differed from the tickets and were rebuilt"
    )


@group.command("rebuild")
def rebuild() -> None:
    """Write all figures anew from the tickets, month by month, and say what differed before."""
    months = months_on_record(db.session())
    console = Console(stderr=True)
    with in_words():
        found = [
            rebuild_figures(month, by=SYSTEM, session=db.session(), now=utc_now())
            for month in track(months, description="重建 rebuilding", console=console, transient=True)
        ]
    for one in found:
        if one.differences or one.month_differences:
            click.echo(
                f"{one.month:%Y-%m}: {one.differences} daily and {one.month_differences} monthly figures differed from"
                " the tickets and were written anew"
            )
    click.echo(
        f"{len(found)} months, {sum(one.rows for one in found):,} daily figures,"
        f" {sum(one.units for one in found):,} units, {kg_text(sum(one.recovered_g for one in found))}"
    )


@group.command("month")
@click.argument("period")
def month(period: str) -> None:
    """Make and keep the report of 2026-11, 2026-Q4, 2026 or 2026-03-05..2026-04-17, and tell the bureau."""
    district = current_app.extensions["district"]
    with in_words():
        report = make_goal_report(period, district=district, session=db.session(), now=utc_now())
    click.echo(f"{report.period} version {report.version}, as of {report.as_of}: {report.id} sha256 {report.sha256}")


@group.command("verify")
@click.argument("report_id", type=click.UUID, required=False)
@click.option("--all", "all_of_them", is_flag=True, help="Every published report.")
def verify(report_id: UUID | None, *, all_of_them: bool) -> None:
    """Work a report out again from its inputs and tickets and compare it to the byte; exit 1 when it differs."""
    if (report_id is None) != all_of_them:
        raise click.UsageError("name one report, or all of them with --all")
    session, district = db.session(), current_app.extensions["district"]
    report_ids = [report_id] if report_id is not None else published_reports(session=session)
    differing = 0
    for one in report_ids:
        with in_words():
            verdict = verify_report(one, district=district, session=session)
        session.rollback()
        differing += bool(verdict.differences)
        click.echo(
            f"{verdict.period} version {verdict.version} ({verdict.state}) {verdict.report_id}: "
            + ("不一致 DIFFERS" if verdict.differences else "一致 as kept")
        )
        for words in (*verdict.differences, *(f"note: {note}" for note in verdict.notes)):
            click.echo(f"  {words}")
    click.echo(f"{len(report_ids)} reports, {differing} differ")
    if differing:
        raise click.exceptions.Exit(1)


def print_goal_report(console: Console, report: dict[str, Any]) -> None:
    """Print the answer of `goal_progress`: a table for each scope, its warnings above the figures."""
    at = report["rolled_up_at"]
    rolled_up = local_text(datetime.fromisoformat(at)) if at is not None else "尚无 / none yet"
    console.print(f"\n[bold]目标进度 / goal progress[/bold] 截至 as of {report['on']}")
    console.print(f"汇总于 rolled up: {rolled_up}")
    for scope in report["scopes"]:
        console.print(_scope_table(scope))
        for label in scope["labels"]:
            console.print(f"  [bold red]{label}[/bold red]")
        console.print(f"  口径 scope: {scope['scope']['note_zh']}")
    outside = report["outside_scopes"]
    if outside["units"]:
        console.print(f"  不在任何口径内 outside all scopes: {outside['units']}, {outside['mass_text']}")
    held, outflow = report["held"], report["outflow"]
    console.print(f"  待核，已计入 under review, counted: {held['trips']} 趟 trips, {held['mass_text']}")
    for left in outflow["kinds"]:
        name = OUTLET_NAMES[left["kind"]].replace(" / ", " ")
        console.print(f"  移交 handed over, {name}: {left['units']:,}, {left['mass_text']}")
    console.print(f"  {outflow['note_zh']} {outflow['note_en']}")


def _scope_table(scope: dict[str, Any]) -> Table:
    named = scope["scope"]
    table = Table(title=f"{named['name_zh']} {named['name_en']} ({named['label']})", title_justify="left")
    table.add_column("")
    for heading in ("件数 units", "质量 mass"):
        table.add_column(heading, justify="right")
    recovered, units, mass = scope["recovered"], scope["units_progress"], scope["mass_progress"]
    table.add_row("年初至今 year to date", f"{recovered['units']:,}", recovered["mass_text"])
    low, high = kg_text(scope["mass_low_g"]), kg_text(scope["mass_high_g"])
    table.add_row("95 % 区间 interval", "", f"{low} – {high}")
    weighed = scope["weighed_share_bp"]
    table.add_row("其中过磅 weighed share", "", "–" if weighed is None else percent_text(weighed))
    if scope["goal"] is not None:
        goal_of_year = scope["goal"]
        name = f"{goal_of_year['year']} 年目标 goal (+{percent_text(goal_of_year['increase_bp'])})"
        if units is None or mass is None:
            state = BASELINE_STATES[scope["baseline_state"]].split(" / ")[0]
            table.add_row(name, state, state)
        else:
            table.add_row(name, f"{units['target']:,}", kg_text(mass["target"]))
            table.add_row("完成率 progress", percent_text(units["progress_bp"]), percent_text(mass["progress_bp"]))
            table.add_row("时序进度 pace", percent_text(units["pace_bp"]), percent_text(mass["pace_bp"]))
            units_a_day, grams_a_day = units["needed_per_day"], mass["needed_per_day"]
            table.add_row(
                "每日所需 needed per day",
                "–" if units_a_day is None else f"{units_a_day:,}",
                "–" if grams_a_day is None else kg_text(grams_a_day),
            )
    table.add_section()
    for row in (*scope["by_town"], *scope["by_item_type"]):
        if row["units"]:
            table.add_row(f"{row['name_zh']} {row['name_en']}", f"{row['units']:,}", row["mass_text"])
    return table
