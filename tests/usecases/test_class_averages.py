"""The stations' class averages: made once a month of what stood on the scale, and used where a load is shared."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import InvalidInput
from recycling.models.class_average import ClassAverage, ClassAverageVersion, averages_on
from recycling.models.intake import IntakeTicket
from recycling.policy.district import District
from recycling.usecases.intake.class_averages import make_class_averages
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.reporting.goal_progress import progress_at
from tests.invariants import assert_invariants
from tests.loads import a_keeper, a_line, a_weighing, correct_by_two

DECEMBER_2ND = datetime(2026, 12, 1, 20, 0, tzinfo=UTC)  # 04:00 in Xuecheng, when the job is due


@pytest.fixture
def weigh(session: Session, district: District, now: datetime) -> Callable[..., IntakeTicket]:
    """Weigh in at 临城 in November, unless the test says otherwise."""

    def weigh(*lines: Any, at: datetime = now, station_key: str = "lincheng", **fields: Any) -> IntakeTicket:
        made_up = fields.pop("made_up", False)
        return weigh_in(
            a_weighing(*lines, **fields), scale_number="1", by=a_keeper(station_key), district=district,
            session=session, now=at, made_up=made_up,
        )  # fmt: skip

    return weigh


def averages(session: Session) -> list[tuple[Any, ...]]:
    row = ClassAverage
    columns = (row.month, row.station_key, row.item_type, row.mean_g, row.sd_g, row.units, row.lines)
    return [tuple(one) for one in session.execute(select(*columns).order_by(row.station_key, row.item_type))]


def test_a_month_is_made_of_what_stood_on_the_scale_alone(
    session: Session, district: District, weigh: Callable[..., IntakeTicket]
) -> None:
    # given 20 tickets of one fridge each, of 48 and 52 kg in turn, and what does not count: a stripped one, a made-up
    # one, one that was corrected away, one whose load was shared, and 19 of another station
    for number in range(20):
        weigh(a_line(), net_g=48_000 + 4_000 * (number % 2))
    weigh(a_line(missing_parts=1), net_g=20_000)
    weigh(a_line(), net_g=90_000, made_up=True)
    wrong = weigh(a_line(), net_g=99_000)
    weigh(a_line(), a_line("fan"), net_g=90_000)
    for _ in range(19):
        weigh(a_line(), net_g=50_000, station_key="xingren")
    correct_by_two(
        wrong.id, None, reason="重复过磅", by=a_keeper(), district=district, session=session,
        now=DECEMBER_2ND - timedelta(days=3),
    )  # fmt: skip
    # when December's averages are made
    version = make_class_averages("2026-12", session=session, now=DECEMBER_2ND)
    # then 临城 has one: each is 2 kg off the mean of 50, sqrt(20 x 4 / 19) x 20/18 = 2.280 kg
    month = date(2026, 12, 1)
    assert averages(session) == [(month, "lincheng", "fridge", 50_000, 2_280, 20, 20)]
    assert (version.first_day, version.last_day, version.lines) == (date(2025, 12, 1), date(2026, 11, 30), 39)
    # from the day after on
    assert version.valid_from == date(2026, 12, 3)
    assert averages_on(session, date(2026, 12, 2)) == []
    assert [row.mean_g for row in averages_on(session, date(2027, 1, 15))] == [50_000]
    # and made again, it stays as it is, whatever came in meanwhile
    weigh(a_line(), net_g=90_000)
    made_at = version.made_at
    assert make_class_averages("2026-12", session=session, now=DECEMBER_2ND + timedelta(days=5)).made_at == made_at
    assert len(averages(session)) == 1
    assert_invariants(session)


def test_a_month_that_has_not_begun_and_no_month_at_all_are_refused(session: Session, now: datetime) -> None:
    for wrong in ("2026-12", "2026-13", "26-11", "２０２６-11"):
        with pytest.raises(InvalidInput, match=r"has not begun|is no month"):
            make_class_averages(wrong, session=session, now=now)


def with_averages(session: Session, now: datetime, *, valid_from: date, **mean_g: int) -> None:
    """November's averages of 临城, written by hand."""
    month = date(2026, 11, 1)
    session.add(
        ClassAverageVersion(
            month=month, first_day=date(2025, 11, 1), last_day=date(2026, 10, 31), valid_from=valid_from, lines=50,
            made_at=now - timedelta(days=9),
        )
    )  # fmt: skip
    session.flush()
    for item_type, mean in mean_g.items():
        session.add(
            ClassAverage(
                month=month, station_key="lincheng", item_type=item_type, mean_g=mean, sd_g=mean // 10, units=25,
                lines=25,
            )
        )  # fmt: skip
    session.commit()


def shares(ticket: IntakeTicket) -> list[tuple[str, int, str]]:
    return [(line.item_type, line.net_g, line.provenance) for line in ticket.lines]


def test_a_load_is_shared_by_class_averages_and_says_so_where_they_alone_decided(
    session: Session, now: datetime, weigh: Callable[..., IntakeTicket]
) -> None:
    # given fridges of 60 kg and stoves of 20 kg on average, where the type table says 40.8 and 12
    with_averages(session, now, valid_from=date(2026, 11, 23), fridge=60_000, stove=20_000)
    # then 84 kg of one each fall 63 to 21
    both = weigh(a_line(), a_line("stove"), net_g=84_000)
    assert shares(both) == [
        ("fridge", 63_000, "station_class_average"), ("stove", 21_000, "station_class_average"),
    ]  # fmt: skip
    # with a fan, which has none, the table had a word in every share: 64,000 g as 60 to 4
    mixed = weigh(a_line(), a_line("fan"), net_g=64_000)
    assert shares(mixed) == [("fridge", 60_000, "type_table"), ("fan", 4_000, "type_table")]
    # a line with a reading is weighed, and so is the only one without
    read = weigh(a_line("fan", net_g=5_000), a_line(), net_g=45_000)
    assert [provenance for *_, provenance in shares(read)] == ["weighed", "weighed"]
    # another station has averages of its own or none: 52,800 g as 40.8 to 12
    other = weigh(a_line(), a_line("stove"), net_g=52_800, station_key="xingren")
    assert shares(other) == [("fridge", 40_800, "type_table"), ("stove", 12_000, "type_table")]
    assert_invariants(session)


def test_a_correction_is_shared_by_what_was_in_force_on_the_day_of_weighing(
    session: Session, district: District, now: datetime, weigh: Callable[..., IntakeTicket]
) -> None:
    # given averages that begin the day after a load was shared by the table
    with_averages(session, now, valid_from=date(2026, 11, 24), fridge=60_000, stove=20_000)
    ticket = weigh(a_line(), a_line("stove"), net_g=52_800)
    # when it is corrected while they are in force
    made = correct_by_two(
        ticket.id, a_weighing(a_line(), a_line("stove"), net_g=105_600), reason="毛重有误", by=a_keeper(),
        district=district, session=session, now=now + timedelta(days=2),
    )  # fmt: skip
    # then its shares are those of that day
    assert shares(made) == [("fridge", 81_600, "type_table"), ("stove", 24_000, "type_table")]
    assert_invariants(session)


def test_every_figure_carries_its_interval_and_an_average_narrows_it(
    session: Session, district: District, now: datetime, weigh: Callable[..., IntakeTicket]
) -> None:
    today = date(2026, 11, 23)

    def width() -> int:
        (appliances, *_) = progress_at(today, district=district, session=session)["scopes"]
        assert appliances["mass_low_g"] <= appliances["recovered"]["recovered_g"] <= appliances["mass_high_g"]
        assert appliances["mass_interval_text"].startswith("95 % 区间 ")
        return int(appliances["mass_high_g"]) - int(appliances["recovered"]["recovered_g"])

    assert width() == 0  # nothing recovered, nothing uncertain
    # given 50 kg each of two types, shared by averages of 25 lines whose units scatter by 10 %: the mean is off by
    # 10 % / 5 x (1 + 5/96) = 2.11 %, each unit by 10 %: 1.96 x sqrt(2 x 50^2 x (0.0211^2 + 0.1^2)) = 14.16 kg
    with_averages(session, now, valid_from=today, freezer=50_000, fridge=50_000)
    weigh(a_line("fridge"), a_line("freezer"), net_g=100_000)
    assert width() // 10 == 1_416
    # when as much is weighed alone, it adds a scale's division and no more: 1.96 x sqrt(7.227^2 + 2.041^2) = 14.719 kg
    weigh(a_line("fridge"), net_g=50_000)
    assert width() // 10 == 1_471
    # when a station without averages shares as much by the table, 30 % of it may be off as a whole
    weigh(a_line("fridge"), a_line("freezer"), net_g=84_900, station_key="xingren")
    assert width() > 2 * 14_160
    assert_invariants(session)
