"""From tickets to figures to the goal: rebuilt, never edited; appliances and furniture apart; no made-up percentage."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from recycling.errors import Conflict, InvalidInput
from recycling.gateways.workbook import safe_cell
from recycling.models.outbox import OutboxMessage
from recycling.models.recovery import GoalReport
from recycling.policy.district import District
from recycling.policy.scope import Baseline, GoalBook, Scope
from recycling.usecases.intake.correct_ticket import correct_ticket
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.reporting import report_body as body_module
from recycling.usecases.reporting.goal_csv import goal_csv
from recycling.usecases.reporting.goal_progress import goal_progress
from recycling.usecases.reporting.goal_report import make_goal_report
from recycling.usecases.reporting.report_body import canonical, digest
from recycling.usecases.reporting.roll_up import DayRolledUp, roll_up_day
from recycling.usecases.reporting.taken_in import lines_taken_in, made_up_lines
from tests.builders import a_booking
from tests.invariants import assert_invariants, broken
from tests.loads import a_keeper, a_line, a_weighing, collect

TODAY = date(2026, 11, 23)  # of tests.conftest.NOW, in Shanghai

Weigh = Callable[..., Any]

PROGRESS_ROWS = ("完成率", "时序进度", "尚缺", "每日所需", "每工作日所需")


@pytest.fixture
def weigh(session: Session, district: District, now: datetime) -> Weigh:
    """Weigh item lines in as walk-ins, at 临城 and now unless the test says otherwise."""

    def weigh(*lines: Any, net_g: int, station_key: str = "lincheng", at: datetime = now, **fields: Any) -> Any:
        return weigh_in(
            a_weighing(*lines, net_g=net_g, **fields), scale_number="1", by=a_keeper(station_key), district=district,
            session=session, now=at,
        )  # fmt: skip

    return weigh


def with_baseline(district: District, **scope_changes: Any) -> District:
    """The district as it will be once the bureau confirms 1,000 units and 20 t for 2023."""
    book = district.goals
    confirmed = Baseline(
        scope_key="household-appliances", scope_version=2, year=2023, version=2, state="confirmed", units=1_000,
        mass_g=20_000_000, source_document="test letter 1", confirmed_by="a test", confirmed_on=date(2026, 1, 1),
    )  # fmt: skip
    scopes: tuple[Scope, ...] = tuple(replace(scope, **scope_changes) for scope in book.scopes)
    return replace(district, goals=GoalBook(scopes, book.goals, (*book.baselines, confirmed)))


def scopes_of(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {scope["scope"]["key"]: scope for scope in report["scopes"]}


def test_one_fridge_of_41_3_kg_moves_the_goal_by_one_unit_and_41300_g_and_nothing_else(
    session: Session, district: District, now: datetime
) -> None:
    # given a collected fridge and a sofa brought by its owner
    booking = a_booking(session, district=district, now=now)
    collect(session, booking, district=district, now=now)
    before = scopes_of(goal_progress(district=district, session=session, now=now))
    # when the fridge is weighed in at 41.3 kg
    weigh_in(
        a_weighing(a_line(booking_id=booking.id)), scale_number="1", by=a_keeper(), district=district,
        session=session, now=now,
    )  # fmt: skip
    after = scopes_of(goal_progress(district=district, session=session, now=now))
    # then appliances grow by exactly that
    appliances = "household-appliances"
    assert before[appliances]["recovered"] == {"units": 0, "recovered_g": 0, "mass_text": "0 kg"}
    assert after[appliances]["recovered"] == {"units": 1, "recovered_g": 41_300, "mass_text": "41.3 kg"}
    assert after[appliances]["weighed_share_bp"] == 10_000
    # and furniture does not move
    assert after["furniture"] == before["furniture"]
    # when 60 kg of sofa follow
    weigh_in(
        a_weighing(a_line("sofa-three"), net_g=60_000), scale_number="1", by=a_keeper(), district=district,
        session=session, now=now,
    )  # fmt: skip
    at_last = scopes_of(goal_progress(district=district, session=session, now=now))
    # then furniture shows them and the goal does not change
    assert at_last[appliances] == after[appliances]
    assert at_last["furniture"]["recovered"] == {"units": 1, "recovered_g": 60_000, "mass_text": "60 kg"}
    assert at_last["furniture"]["labels"] == ["本年度无政策目标 / no goal for this year"]


def test_a_day_rebuilds_from_its_tickets_and_a_second_time_finds_nothing_to_change(
    session: Session, district: District, now: datetime, weigh: Weigh
) -> None:
    # given on one day 2 washers, 56,757 g by table, and a fridge of 41,300 g; a fan that was withdrawn
    weigh(a_line("fridge", 1, 41_300), a_line("washer-top", 2), a_line("microwave"), net_g=111_300)
    fan = weigh(a_line("fan"), net_g=4_000, station_key="shagou")
    correct_ticket(fan.id, None, reason="重复录入", by=a_keeper("shagou"), district=district, session=session, now=now)
    # and a stove the day after
    weigh(a_line("stove"), net_g=12_000, at=now + timedelta(days=1))
    # when the facts of both days are lost
    session.execute(text("DELETE FROM daily_recovery"))
    session.commit()
    # then the roll-up of the day writes its three rows: 1 + 2 + 1 units, 111,300 g; and the month those of the days
    # that are there: its own three are put right, the stove of the other day waits for its roll-up
    expected = DayRolledUp(rows=3, units=4, recovered_g=111_300, differences=3, month_differences=4)
    with capture_logs() as lines:
        assert roll_up_day(TODAY, district=district, session=session, now=now) == expected
    # and says so loudly
    (alarm,) = [line for line in lines if line["event"] == "roll_up.difference"]
    assert (alarm["log_level"], alarm["station_key"], alarm["differences"]) == ("critical", "lincheng", 3)
    # and the day after is another day
    assert set(broken(session)) == {
        "I-12 日回收量 = 磅单明细 / each daily figure is its ticket lines, and each line is in one figure",
        # the stove lies in stock, whatever the figures say
        "I-13 站点平衡：入 − 出 ± 调整 − 库存 = 0 / by station and item type, in − out ± adjusted − stock is zero",
    }
    tomorrow = TODAY + timedelta(days=1)
    with pytest.raises(InvalidInput, match="2026-11-24 has not come yet"):
        roll_up_day(tomorrow, district=district, session=session, now=now)
    assert roll_up_day(tomorrow, district=district, session=session, now=now + timedelta(days=1)).rows == 1
    assert_invariants(session)
    again = roll_up_day(TODAY, district=district, session=session, now=now)
    assert again == replace(expected, differences=0, month_differences=0)


def test_a_figure_changed_by_hand_is_found_and_set_right(
    session: Session, district: District, now: datetime, weigh: Weigh
) -> None:
    weigh(a_line("fridge"), net_g=41_300)
    weigh(a_line("fan"), net_g=4_000)
    session.execute(text("UPDATE daily_recovery SET units = 100 WHERE item_type = 'fridge'"))
    session.commit()
    found = roll_up_day(TODAY, district=district, session=session, now=now)
    assert found == DayRolledUp(rows=2, units=2, recovered_g=45_300, differences=1, month_differences=1)
    assert_invariants(session)


def test_every_figure_stands_with_its_scope_and_adds_up_over_towns_and_item_types(
    session: Session, district: District, now: datetime, weigh: Weigh
) -> None:
    # given 41,300 g weighed and 5,000 g shared by table in 临城, 12,000 g weighed in 沙沟, and furniture
    weigh(a_line("fridge", 1, 41_300), a_line("fan"), a_line("rice-cooker"), net_g=46_300)
    weigh(a_line("stove"), net_g=12_000, station_key="shagou")
    weigh(a_line("desk"), net_g=30_000, station_key="shagou")
    report = goal_progress(district=district, session=session, now=now)
    appliances = scopes_of(report)["household-appliances"]
    # then 4 units and 46,300 + 12,000 = 58,300 g, of which 53,300 / 58,300 = 91.42 % stood on a scale
    assert (appliances["recovered"]["units"], appliances["recovered"]["recovered_g"]) == (4, 58_300)
    assert appliances["weighed_share_bp"] == 9142
    assert appliances["scope"]["label"] == "household-appliances/2"
    # and the breakdowns add up to them; a town without a figure is shown with zero
    assert [row["town_key"] for row in appliances["by_town"]] == list(appliances["scope"]["area"])
    towns = {row["town_key"]: row["recovered_g"] for row in appliances["by_town"] if row["units"]}
    assert towns == {"lincheng": 46_300, "shagou": 12_000}
    kinds = {row["item_type"]: row["units"] for row in appliances["by_item_type"]}
    assert kinds == {"fan": 1, "fridge": 1, "rice-cooker": 1, "stove": 1}
    assert sum(row["recovered_g"] for row in appliances["by_item_type"]) == 58_300
    assert report["outside_scopes"]["units"] == 0


def test_an_unconfirmed_baseline_shows_no_percentage_and_not_even_its_placeholder(
    session: Session, district: District, now: datetime
) -> None:
    found = scopes_of(goal_progress(district=district, session=session, now=now))["household-appliances"]
    assert found["baseline_state"] == "provisional"
    assert (found["units_progress"], found["mass_progress"], found["goal"]["target_units"]) == (None, None, None)
    assert (found["baseline"]["units"], found["baseline"]["mass_g"]) == (None, None)
    assert found["labels"][0].startswith("基准未确认")
    # 2026 is a milestone of ours, and says so; 2025 and 2027 are the notice's goals
    assert "插值, 非政策目标 / interpolated, not a policy goal" in found["labels"]
    assert {goal["year"]: bool(goal["label"]) for goal in found["goals"]} == {
        2024: True, 2025: False, 2026: True, 2027: False,
    }  # fmt: skip


def test_each_scope_warns_of_the_made_up_tickets_in_its_own_figures_from_the_day_of_the_first(
    session: Session, district: District, now: datetime
) -> None:
    def weigh_made_up(*lines: Any, net_g: int) -> Any:
        return weigh_in(
            a_weighing(*lines, net_g=net_g), scale_number="1", by=a_keeper(), district=district, session=session,
            now=now, made_up=True,
        )  # fmt: skip

    # given a made-up ticket of two appliances
    appliances = weigh_made_up(a_line("fridge"), a_line("fan"), net_g=45_000)
    # then it is one ticket, and none for furniture
    found = scopes_of(goal_progress(district=district, session=session, now=now))
    warning = "含演示数据：1 张虚构磅单 / includes 1 made-up tickets"
    assert found["household-appliances"]["labels"][0] == warning
    assert "演示数据" not in str(found["furniture"])
    # when a ticket of both kinds follows, then it is in both, in the table for the spreadsheet as well
    both = weigh_made_up(a_line("desk"), a_line("fan"), net_g=34_000)
    report = goal_progress(district=district, session=session, now=now)
    found = scopes_of(report)
    assert found["household-appliances"]["labels"][0] == "含演示数据：2 张虚构磅单 / includes 2 made-up tickets"
    assert found["furniture"]["labels"][0] == warning
    noted = [line for line in goal_csv(report).splitlines() if "回收量 / recovered" in line]
    assert ["2 张虚构磅单" in noted[0], "1 张虚构磅单" in noted[1]] == [True, True]
    before = goal_progress(TODAY - timedelta(days=1), district=district, session=session, now=now)
    assert warning not in str(before)
    # withdrawn, they are in no figure any more
    for made_up in (appliances, both):
        correct_ticket(made_up.id, None, reason="演示结束", by=a_keeper(), district=district, session=session, now=now)
    assert "演示数据" not in str(goal_progress(district=district, session=session, now=now))


def test_progress_against_a_confirmed_baseline_is_the_notices_arithmetic(
    session: Session, district: District, now: datetime, weigh: Weigh
) -> None:
    weigh(a_line("fridge"), net_g=41_300)
    report = goal_progress(district=with_baseline(district), session=session, now=now)
    found = scopes_of(report)["household-appliances"]
    # January to October have 304 days, 23 November is the 327th of 365
    assert (found["elapsed_days"], found["year_days"], found["remaining_days"]) == (327, 365, 38)
    # 1,000 x 1.225 = 1,225; 1 / 1,225 = 0.08 %; 1,224 missing over 38 days = 32.2
    units = found["units_progress"]
    assert (units["target"], units["progress_bp"], units["missing"], units["needed_per_day"]) == (1_225, 8, 1_224, 33)
    # 20 t x 1.225 = 24.5 t; 41.3 / 24,500 = 0.168 %
    assert (found["mass_progress"]["target"], found["mass_progress"]["progress_bp"]) == (24_500_000, 16)
    # the 2027 goal of +30 % in view all the same
    assert {goal["year"]: goal["target_units"] for goal in found["goals"]}[2027] == 1_300


def test_a_day_counts_from_new_year_up_to_and_including_itself(
    session: Session, district: District, now: datetime, weigh: Weigh
) -> None:
    # given a fridge on New Year's Eve 2025 at 23:59, one a minute later, and one today, all by Shanghai's clock
    midnight = datetime.fromisoformat("2026-01-01T00:00:00+08:00")
    for at in (midnight - timedelta(minutes=1), midnight, now):
        weigh(a_line("fridge"), net_g=41_300, at=at)

    def units(on: date | None) -> int:
        report = goal_progress(on, district=district, session=session, now=now)
        count: int = scopes_of(report)["household-appliances"]["recovered"]["units"]
        return count

    # then 2025 has one, 2026 has one until yesterday and two today
    assert [units(date(2025, 12, 31)), units(date(2026, 11, 22)), units(TODAY), units(None)] == [1, 1, 2, 2]
    for outside in (TODAY + timedelta(days=1), date(2022, 12, 31), date(1, 1, 1)):
        with pytest.raises(InvalidInput, match=str(outside)):
            units(outside)


@pytest.mark.parametrize("change", [{"counting_event": "doorstep"}, {"givers": ("household",)}])
def test_a_scope_that_tickets_cannot_measure_gives_no_figure_at_all(
    change: dict[str, Any], session: Session, district: District, now: datetime
) -> None:
    with pytest.raises(Conflict, match="household-appliances/2"):
        goal_progress(district=with_baseline(district, **change), session=session, now=now)


def test_what_no_scope_covers_is_shown_apart(session: Session, district: District, now: datetime, weigh: Weigh) -> None:
    weigh(a_line("fridge"), net_g=41_300)
    # given scopes that count the door alone
    door_only = with_baseline(district, channels=("door",))
    report = goal_progress(district=door_only, session=session, now=now)
    assert [scope["recovered"]["units"] for scope in report["scopes"]] == [0, 0, 0]
    assert report["outside_scopes"] == {"units": 1, "recovered_g": 41_300, "mass_text": "41.3 kg"}


def test_a_report_is_kept_once_and_becomes_a_new_version_only_when_a_figure_changed(
    session: Session, district: District, now: datetime, weigh: Weigh
) -> None:
    weigh(a_line("fridge"), net_g=41_300)

    def make(period: str = "2026-11") -> GoalReport:
        return make_goal_report(period, district=district, session=session, now=now)

    # given the report of the running month, as of today
    first = make()
    assert (first.version, first.as_of, first.sha256) == (1, TODAY, digest(first.body))
    amounts = {"scope": "household-appliances/2", "units": 1, "recovered_g": 41_300, "mass_text": "41.3 kg"}
    assert first.body["in_period"][0].items() >= amounts.items()
    # when it is made again after a roll-up that found nothing
    roll_up_day(TODAY, district=district, session=session, now=now + timedelta(hours=1))
    assert make().id == first.id
    # when a fan arrives
    weigh(a_line("fan"), net_g=4_000)
    second = make()
    # then there is a second version, and the first is as it was
    assert (second.version, second.body["in_period"][0]["units"]) == (2, 2)
    session.expire_all()
    assert digest(session.get_one(GoalReport, first.id).body) == first.sha256
    # and the bureau was told of each once
    messages = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "goal_report.made"))
    told = {(one.recipient_kind, one.facts["version"], one.facts["report_id"]) for one in messages}
    assert told == {("bureau", 1, str(first.id)), ("bureau", 2, str(second.id))}
    # October is over: its own figures are none, the year to its end has none either
    october = make("2026-10")
    assert (october.version, october.as_of, october.body["on"]) == (1, date(2026, 10, 31), "2026-10-31")
    assert october.body["in_period"][0]["units"] == 0
    assert_invariants(session)


@pytest.mark.parametrize("by_number", [True, False], ids=["by number", "control"])
def test_the_year_the_month_and_the_warning_of_a_report_never_contradict_each_other(
    *,
    by_number: bool,
    session: Session,
    district: District,
    now: datetime,
    weigh: Weigh,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # given a fridge, and a report for which a made-up one is weighed in after its warning was read
    weigh(net_g=41_300)
    postgresql = session.get_bind().dialect.name == "postgresql"  # on SQLite nobody writes while a report is made

    def read_then_weigh(*args: Any, **kwargs: Any) -> Any:
        found = made_up_lines(*args, **kwargs)
        if postgresql:
            with Session(session.get_bind()) as other:
                weigh_in(
                    a_weighing(), scale_number="1", by=a_keeper(), district=district, session=other, now=now,
                    made_up=True,
                )  # fmt: skip
        return found

    monkeypatch.setattr(body_module, "made_up_lines", read_then_weigh)
    if not by_number:  # every ticket that is there, whatever the number of its scale was when the report began
        every = lambda heads, *span: lines_taken_in([head | {"number": 9} for head in heads], *span)  # noqa: E731
        monkeypatch.setattr(body_module, "lines_taken_in", every)
    body = make_goal_report("2026-11", district=district, session=session, now=now).body
    # then the second fridge is in none of the three; the control counts it and does not warn of it
    overseen = not by_number and postgresql
    appliances = body["scopes"][0]
    assert ("演示数据" in str(appliances["labels"]), body["in_period"][0]["units"] > 1) == (False, overseen)


@pytest.mark.parametrize("period", ["2026-12", "2026-13", "26-11", "2026-1", "２０２６-11", "2026-11-01", ""])
def test_a_period_that_is_no_month_or_has_not_begun_is_refused(
    period: str, session: Session, district: District, now: datetime
) -> None:
    with pytest.raises(InvalidInput):
        make_goal_report(period, district=district, session=session, now=now)
    assert session.scalar(select(func.count()).select_from(GoalReport)) == 0


def test_a_body_has_one_byte_form() -> None:
    assert canonical({"b": [1, None], "a": "量"}) == '{"a":"量","b":[1,null]}'.encode()
    # sha256 of the two bytes {}
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_the_table_reads_back_as_the_report_and_calculates_nothing(
    session: Session, district: District, now: datetime, weigh: Weigh
) -> None:
    weigh(a_line("fridge"), net_g=41_300)
    confirmed = with_baseline(district, name_zh="=HYPERLINK(1)")
    written = goal_csv(goal_progress(district=confirmed, session=session, now=now))
    assert written.startswith("\ufeff截至 / as of,口径 / scope,")
    rows = list(csv.DictReader(io.StringIO(written.removeprefix("\ufeff"))))
    # no cell begins like a formula
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]
    assert rows[0]["口径 / scope"].startswith("'=HYPERLINK(1)")
    named = {row["名称 / name"]: row for row in rows if row["口径 / scope"].endswith("(household-appliances/2)")}
    columns = ("件数 / units", "质量（千克） / mass (kg)")
    assert [named["回收量 / recovered"][column] for column in columns] == ["1", "41.3"]
    # 1 / 1,225 = 0.08 %, 41.3 / 24,500 = 0.16 %, rounded down
    assert [named["完成率 / progress"][column] for column in columns] == ["0.08 %", "0.16 %"]
    assert [named["电冰箱 / Refrigerator"][column] for column in columns] == ["1", "41.3"]
    goal_2026 = named["2026 年目标 / goal, 增长 22.5 %"]
    assert [goal_2026[column] for column in columns] == ["1225", "24500"]
    assert "插值, 非政策目标" in goal_2026["说明 / note"]


def test_the_table_says_why_there_is_no_progress_instead_of_leaving_cells_empty(
    session: Session, district: District, now: datetime
) -> None:
    written = goal_csv(goal_progress(district=district, session=session, now=now)).removeprefix("\ufeff")
    rows = [row for row in csv.reader(io.StringIO(written)) if row[3].split(" / ")[0] in PROGRESS_ROWS]
    # five rows of each scope: appliances wait for their baseline, the others have no goal
    why = {
        "household-appliances/2": "基准未确认 / baseline not confirmed",
        "furniture/2": "本年度无政策目标 / no goal for this year",
        "appliances-and-furniture/1": "本年度无政策目标 / no goal for this year",
    }
    said = {(row[1].rpartition("(")[2].rstrip(")"), row[3].split(" / ")[0]): row[4:6] for row in rows}
    assert said == {(scope, name): [words, words] for scope, words in why.items() for name in PROGRESS_ROWS}


@pytest.mark.parametrize(
    ("cell", "safe"),
    [("=1+1", "'=1+1"), ("@a", "'@a"), ("＝1", "'＝1"), ("\tx", "'\tx"), ("a=1", "a=1"), (-5, -5), (None, "")],
)
def test_a_cell_is_shown_and_never_run(cell: Any, safe: Any) -> None:
    assert safe_cell(cell) == safe


def test_a_report_is_json_through_and_through(session: Session, district: District, now: datetime) -> None:
    report = goal_progress(district=district, session=session, now=now)
    assert json.loads(canonical(report)) == json.loads(json.dumps(report))
