"""`flask demo`: a made-up district day to try everything on, and one command that serves it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import click
import flask_migrate
from flask import current_app
from flask.cli import AppGroup
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy import func, select

from recycling.cli.demo_bureau import declare_years, forecast_year, sign_months
from recycling.cli.demo_day import MADE_UP, MIX, SEED, made_up_wishes
from recycling.cli.demo_photos import made_up_photos
from recycling.cli.demo_stock import keepers_day, walk_ins, weighbridge
from recycling.cli.demo_work import NOON_S, Happening, Workplace, field_day, happen
from recycling.cli.plan import make_plan
from recycling.cli.refusals import in_words
from recycling.cli.report import print_goal_report
from recycling.cli.serving import serve_until_stopped
from recycling.clock import service_day, utc_now
from recycling.errors import WindowFull
from recycling.extensions import db
from recycling.gateways.photo_decoder import decode_photo
from recycling.logs import configure_logs
from recycling.models.balance import TripBalance
from recycling.models.booking import Booking
from recycling.models.intake import IntakeTicket
from recycling.models.people import Staff, resident_of
from recycling.models.plan import PublishedPlan
from recycling.models.transaction import atomic
from recycling.policy.access import SYSTEM, Principal
from recycling.policy.district import District
from recycling.units import clock_text, instant_at, kg_text
from recycling.usecases.bookings.book_pickup import book_pickup
from recycling.usecases.bookings.change_pickup import cancel_pickup
from recycling.usecases.bookings.photos import add_photo
from recycling.usecases.bookings.promise import Wish
from recycling.usecases.intake.mass_balance import balance_trips
from recycling.usecases.intake.resolve_trip import Resolution, resolve_trip
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.intake.weighing import WeighedLine, Weighing
from recycling.usecases.learning.in_force import facts_in_force
from recycling.usecases.live.judge_windows import judge_windows
from recycling.usecases.messages.deliver import deliver_next
from recycling.usecases.people.staff import AddStaff, add_staff
from recycling.usecases.planning.day_problem import vehicles_out_at
from recycling.usecases.planning.plan_day import plan_day
from recycling.usecases.planning.publish_plan import publish_plan
from recycling.usecases.queries.plans import plan_in_full, plan_of_day, route_figures
from recycling.usecases.reporting.goal_progress import goal_progress

Thing = TypeVar("Thing")

group = AppGroup("demo", help="A made-up day to try everything on.")

BOOKINGS = 240
TICKETS = 240  # walk-ins of the months before, so that goals, stock and reports have something to show
TICKET_DAYS = 110
TICKET_UNITS = 4  # of one item type on a walk-in's ticket, at most: dealers come with a tricycle full
WORKED = 40  # pickups of each of the two days before, which crews have driven
WORKED_SECONDS = 2.0  # of search for such a day: nobody waits for its last metre
PASSWORD = "demo-xuecheng-2027"  # noqa: S105  # of made-up accounts, which exist in development only
FIRST_PHONE = 19_900_000_000  # of made-up residents; nothing is ever sent to them
SIGNERS = ("clerk", "clerk-2")  # who signs the made-up report, and who publishes it
WALK_IN_SCALE = "demo-1"
WORKED_PHONES = 1000  # between the phones of one worked day's residents and the next one's
KEEPER = "keeper-"  # how the logins of made-up keepers begin


@group.command("prepare")
@in_words()
def prepare() -> None:
    """Migrate, seed the next service day with made-up bookings, plan and publish it, print what came out."""
    _only_in_development()
    configure_logs("ERROR")  # a line for each of hundreds of made-up rows would hide what is printed for people
    console = Console()
    flask_migrate.upgrade()
    district: District = current_app.extensions["district"]
    _open_accounts(console, district)
    day = _standing_day(district) or _next_day(district)
    published = db.session.get(PublishedPlan, day)
    if published is None:
        _book(console, district, day)
        _cancel(district, day)
        _photograph(district, day)
    _weigh(console, district)
    _work(console, district, day)
    declare_years(SIGNERS[0], district=district, session=db.session())
    if not sign_months(SIGNERS, district=district, session=db.session()):
        console.print("报告未签发：缺少打印组件 / the report stays a draft: this server cannot print (make paper)")
    with console.status("预测 forecasts"):
        forecast_year(district=district, session=db.session())
    if published is None:
        make_plan(day, console=console, publish=True)
    _print_stations(console, district, plan_in_full(plan_of_day(day, session=db.session()), session=db.session()))
    print_goal_report(console, goal_progress(district=district, session=db.session(), now=utc_now()))


@group.command("day")
def show_day() -> None:
    """Print which day the demo day is."""
    click.echo(_standing_day(current_app.extensions["district"]))


@group.command("serve")
@click.option("--port", type=click.IntRange(1, 65535), default=5000, show_default=True)
def serve(port: int) -> None:
    """Serve API, pages and scheduler until ctrl-C; prints addresses and demo sign-ins."""
    _only_in_development()
    here = f"http://127.0.0.1:{port}"
    console = Console(highlight=False, soft_wrap=True)
    scheduler_log = Path(current_app.config["INSTANCE_DIR"]) / "scheduler.log"
    console.print(f"\n[bold]薛城回收 Xuecheng Recycling[/bold]   {here}/   API {here}/api/docs   {here}/readyz")
    console.print(f"演示账号 demo sign-ins at {here}/pages/sign-in, 密码 password [cyan]{PASSWORD}[/cyan]")
    day = _standing_day(current_app.extensions["district"])
    for login, role in _shown_accounts(day):
        console.print(f"  {role:<11} {login}")
    console.print(
        f"  resident    {FIRST_PHONE} 或任意手机号 or any mobile number; the code appears here, in the log"
        f"\n  演示日 demo day {day}: {here}/pages/plan?day={day} and {here}/pages/my-route?day={day}"
        f"\n  定时任务日志 scheduler's log in {scheduler_log}; ctrl-C 停止 stops everything\n"
    )
    serve_until_stopped(port, scheduler_log=scheduler_log)


def _only_in_development() -> None:
    if current_app.config["ENVIRONMENT"] != "development":
        raise click.ClickException("made-up data is for development only; unset ENVIRONMENT")


def _standing_day(district: District) -> date | None:
    """A demo day that was made before and is not over; without a plan it is over when its vehicles leave."""
    now = utc_now()
    live = (Booking.made_up, Booking.state != "cancelled", Booking.day >= service_day(now))
    day = db.session.scalar(select(func.max(Booking.day)).where(*live))
    if day is not None and db.session.get(PublishedPlan, day) is None and now >= vehicles_out_at(day, district):
        return None
    return day


def _next_day(district: District) -> date:
    tomorrow = service_day(utc_now()) + timedelta(days=1)
    return district.calendar.next_service_days(tomorrow, count=1)[0]


def _open_accounts(console: Console, district: District) -> None:
    """One account per desk role, one keeper per station, one collector per vehicle."""
    network = district.network
    wanted = [
        AddStaff(login="dispatcher", name="演示调度", role="dispatcher", password=PASSWORD),
        AddStaff(login=SIGNERS[0], name="演示商促局", role="clerk", password=PASSWORD),
        AddStaff(login=SIGNERS[1], name="演示商促局复核", role="clerk", password=PASSWORD),
        AddStaff(login="admin", name="演示管理员", role="admin", password=PASSWORD),
    ]
    for station in network.stations.values():
        name = f"演示保管员 {station.name_zh}"
        login = f"{KEEPER}{station.key}"
        wanted.append(AddStaff(login=login, name=name, role="keeper", password=PASSWORD, station_key=station.key))
    for vehicle in network.vehicles:
        rider = network.crew_of(vehicle)[0]
        wanted.append(
            AddStaff(login=rider.key, name=rider.name_zh, role="collector", password=PASSWORD, collector_key=rider.key)
        )
    standing = set(db.session.scalars(select(Staff.login)))
    missing = [command for command in wanted if command.login not in standing]
    for command in _tracked(missing, "账号 accounts", console):
        add_staff(command, by=SYSTEM, district=district, session=db.session(), now=utc_now())


def _book(
    console: Console, district: District, day: date, *, count: int | None = None, crowd: str = "", phones: int = 0
) -> None:
    """Book the made-up wishes as residents would have, by noon of the day before; goes on where it was interrupted.

    A full window moves on to the next. The first of each crowd is the resident of `FIRST_PHONE`; the others have their
    phones from so many after it on.
    """
    wanted = BOOKINGS if count is None else count
    mine = (Booking.made_up, Booking.state != "cancelled", Booking.day == day)
    booked = db.session.scalar(select(func.count()).where(*mine)) or 0
    if booked >= wanted:
        return
    then = min(utc_now(), instant_at(day - timedelta(days=1), NOON_S))
    with _bar(console) as bar:
        row = bar.add_task(f"预约 bookings {day}", total=wanted, completed=booked)
        for wish in islice(made_up_wishes(district, day, count=2 * wanted, crowd=crowd), booked, None):
            phone = FIRST_PHONE + (booked + phones if booked else 0)
            booked += _book_one(wish, phone=phone, district=district, now=then)
            bar.update(row, completed=booked)
            if booked == wanted:
                return


def _book_one(wish: Wish, *, phone: int, district: District, now: datetime) -> bool:
    windows = [wish.pickup_window, *(key for key in district.network.pickup_windows if key != wish.pickup_window)]
    with atomic(db.session()) as session:
        resident = Principal(id=resident_of(session, str(phone), now=now), role="resident")
    for window in windows:
        try:
            book_pickup(
                replace(wish, pickup_window=window),
                by=resident,
                district=district,
                session=db.session(),
                now=now,
                made_up=True,
            )
        except WindowFull:
            continue
        return True
    return False


def _cancel(district: District, day: date) -> None:
    """A pickup that the first resident booked for the service day after, and withdrew."""
    session, now = db.session(), utc_now()
    with atomic(session):
        resident = Principal(id=resident_of(session, str(FIRST_PHONE), now=now), role="resident")
    mine = (Booking.resident_id == resident.id, Booking.state == "cancelled")
    if session.scalar(select(func.count()).where(*mine)):
        return
    (after,) = district.calendar.next_service_days(day + timedelta(days=1), count=1)
    (wish,) = made_up_wishes(district, after, count=1, crowd="cancelled")
    booking = book_pickup(wish, by=resident, district=district, session=session, now=now, made_up=True)
    booking_id, version = booking.id, booking.version
    cancel_pickup(booking_id, version=version, by=resident, district=district, session=session, now=now)


def _photograph(district: District, day: date) -> None:
    """Photos that the first resident sent of what is to go on a day; sent again they are the same ones."""
    session, now = db.session(), min(utc_now(), instant_at(day - timedelta(days=1), NOON_S))
    with atomic(session):
        resident = Principal(id=resident_of(session, str(FIRST_PHONE), now=now), role="resident")
    mine = (Booking.resident_id == resident.id, Booking.day == day, Booking.state == "booked")
    booking_id = session.scalar(select(Booking.id).where(*mine, Booking.part_of.is_(None)).limit(1))
    session.rollback()
    if booking_id is None:  # whoever tried the demo has withdrawn it
        return
    for content in made_up_photos():
        add_photo(booking_id, content, decode=decode_photo, by=resident, district=district, session=session, now=now)


def _weigh(console: Console, district: District) -> None:
    """Made-up walk-ins of the months before, each marked as such on its ticket and in every report that counts it."""
    tickets = select(func.count()).where(IntakeTicket.made_up, IntakeTicket.scale_number == WALK_IN_SCALE)
    standing = db.session.scalar(tickets) or 0
    if standing >= TICKETS:
        return
    place = Workplace(district, db.session())
    keepers = [place.keeper(station_key) for station_key in district.network.stations]
    rng = random.Random(SEED)  # noqa: S311  # a demo wants the same figures again, not secrecy
    today = service_day(utc_now())
    days = sorted(today - timedelta(days=rng.randint(1, TICKET_DAYS)) for _ in range(TICKETS))
    for number, day in enumerate(_tracked(days, "磅单 tickets", console)):
        keeper = rng.choice(keepers)
        keys = dict.fromkeys(rng.choices(list(MIX), list(MIX.values()), k=rng.randint(1, 3)))
        lines = [WeighedLine(item_type=key, units=rng.randint(1, TICKET_UNITS)) for key in keys]
        table_g = sum(district.catalogue.item_type(one.item_type, on=day).unit_mass_g * one.units for one in lines)
        net_g = round(table_g * rng.uniform(0.8, 1.2) / 100) * 100
        tare_g = rng.randint(80, 150) * 100  # the trolley
        if number < standing:  # weighed before an earlier run was interrupted; only the dice had to be thrown again
            continue
        weigh_in(
            Weighing(channel="walk_in", gross_g=net_g + tare_g, tare_g=tare_g, lines=lines),
            scale_number=WALK_IN_SCALE,
            by=keeper,
            district=district,
            session=db.session(),
            now=instant_at(day, NOON_S),
            made_up=True,
        )


def _work(console: Console, district: District, demo_day: date) -> None:
    """The two service days before the demo day, driven and weighed as far as they have come by now.

    Of the first, which is over, windows are judged, the balance of its trips is worked out and one held trip resolved.
    """
    place, now = Workplace(district, db.session()), utc_now()
    happenings: list[Happening] = []
    days = _service_days_before(demo_day, district, count=2)
    for number, day in enumerate(days):
        _book(console, district, day, count=WORKED, crowd="worked", phones=WORKED_PHONES * (number + 1))
        _plan_worked(district, day)
        over = day == days[0]
        happenings += field_day(day, place, troubled=over) + walk_ins(day, place) + weighbridge(day, place)
        happenings += keepers_day(day, place) if over else []
    due = [one for one in happenings if one.at <= now]
    happen(_tracked(sorted(due, key=lambda one: one.at), "现场记录 work", console), until=now)
    _deliver(district)
    balance_trips(days[0], district=district, session=place.session, now=now)
    _resolve(days[0], place, now=now)
    for day in days:
        judge_windows(day, district=district, session=place.session, now=now)


def _service_days_before(day: date, district: District, *, count: int) -> list[date]:
    """The last service days before a day, ascending."""
    found: list[date] = []
    while len(found) < count:
        day -= timedelta(days=1)
        if district.calendar.is_service_day(day):
            found.insert(0, day)
    return found


def _plan_worked(district: District, day: date) -> None:
    """Plan and publish a day as the evening before would have, unless that was done."""
    session, config = db.session(), current_app.config
    if session.get(PublishedPlan, day) is not None:
        session.rollback()
        return
    then = instant_at(day - timedelta(days=1), district.booking_rules.plan_at_s)
    facts = facts_in_force(district, session=session)
    plan = plan_day(
        day, by=SYSTEM, district=facts, session=session, now=then, seconds=WORKED_SECONDS,
        workers=config["PLAN_WORKERS"], seed=config["PLAN_SEED"],
    )  # fmt: skip
    publish_plan(plan.id, replaces=None, by=SYSTEM, district=facts, session=session, now=then)


def _deliver(district: District) -> None:
    """Send what those days gave rise to, as the scheduler would have at the time."""
    sms, webhooks, mail = (current_app.extensions[name] for name in ("sms", "webhooks", "mail"))
    waits: object = True
    while waits is not None:
        waits = deliver_next(
            sms=sms, webhooks=webhooks, mail=mail, district=district, session=db.session(), now=utc_now()
        )  # fmt: skip


def _resolve(day: date, place: Workplace, *, now: datetime) -> None:
    """A clerk finds out about the load that was far too heavy; the other one is left to be looked into."""
    mine = (TripBalance.day == day, TripBalance.state == "held")
    for trip in place.session.scalars(select(TripBalance).where(*mine)).all():
        if trip.causes != ["mass"]:
            continue
        found = Resolution(version=trip.version, reason="door_estimate", note=f"{MADE_UP}：复核影像，门前估重偏低")
        resolve_trip(trip.id, found, by=place.clerk(SIGNERS[0]), session=place.session, now=now)


def _print_stations(console: Console, district: District, plan: dict[str, Any]) -> None:
    """The ten stations' route table of a plan."""
    network = district.network
    table = Table(
        title=f"{plan['day']} 各站点收运路线 routes by station (第 {plan['version']} 版 version)",
        box=None,
        padding=(0, 2, 0, 0),
    )
    for number, heading in enumerate(
        (
            "站点\nstation",
            "路线\nroutes",
            "上门\npickups",
            "卸货\nunloads",
            "出发\nstart",
            "返回\nend",
            "公斤\nkg",
            "公里\nkm",
        )
    ):
        table.add_column(heading, justify="left" if number == 0 else "right", no_wrap=True)
    routes = plan["routes"]
    for station in network.stations.values():
        mine = [route_figures(one) for one in routes if network.vehicles[one["vehicle_key"]].station_key == station.key]
        table.add_row(
            f"{network.towns[station.key].name_zh} {station.key}",
            str(len(mine)),
            str(sum(one["pickups"] for one in mine)),
            str(sum(one["unloads"] for one in mine)),
            clock_text(min(one["start_s"] for one in mine)) if mine else "–",
            clock_text(max(one["end_s"] for one in mine)) if mine else "–",
            kg_text(sum(one["carried_g"] for one in mine)).removesuffix(" kg"),
            f"{sum(one['distance_m'] for one in mine) / 1000:.1f}",
        )
    console.print(table)
    console.print(f"未排入 left out: {len(plan['unassigned'])}")
    for one in plan["unassigned"]:
        console.print(f"  {one.booking_id} {one.reason}: {one.detail}")


def _shown_accounts(day: date | None) -> list[tuple[str, str]]:
    """Sign-ins worth trying: the desks, one keeper, and a collector who drives on the demo day."""
    shown = [("dispatcher", "dispatcher"), *((login, "clerk") for login in SIGNERS), ("admin", "admin")]
    keeper = db.session.scalar(select(func.min(Staff.login)).where(Staff.login.startswith(KEEPER)))
    if keeper is not None:
        shown.append((keeper, "keeper"))
    if day is not None:
        plan = plan_in_full(plan_of_day(day, session=db.session()), session=db.session())
        if plan["routes"]:
            fullest = max(plan["routes"], key=lambda route: len(route["steps"]))
            shown.append((f"{fullest['collector_key']}   ({fullest['vehicle_key']})", "collector"))
    return shown


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )


def _tracked(things: Sequence[Thing], description: str, console: Console) -> Iterator[Thing]:
    """The same things, under a progress bar that is not shown when there are none."""
    if things:
        with _bar(console) as bar:
            yield from bar.track(things, description=description)
