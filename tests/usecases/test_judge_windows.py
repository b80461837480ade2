"""The ledger of promised windows: a row for each visit of a published route, rebuilt from records, never doubled."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from recycling.errors import InvalidInput
from recycling.models.booking import Booking
from recycling.models.kept_window import KeptWindow
from recycling.policy.district import District
from recycling.units import instant_at
from recycling.usecases.live.judge_windows import judge_windows
from recycling.usecases.queries.kept_windows import kept_windows, kept_windows_csv
from tests.builders import TOMORROW, VILLAGE, a_booking
from tests.callers import Callers
from tests.usecases.test_record_events import NINE, Round, a_note_of, a_report

AFTER = instant_at(TOMORROW + timedelta(days=1), 8 * 3600 + 2400)
TEN = 10 * 3600


@pytest.fixture
def tour(session: Session, district: District, now: datetime) -> Round:
    """A truck with three fridges to fetch between eight and ten."""
    return Round(session, district, now, bookings=3)


def judge(tour: Round) -> dict[str, int]:
    """Judge the day the morning after."""
    return judge_windows(TOMORROW, district=tour.district, session=tour.session, now=AFTER)


def ledger(tour: Round) -> dict[int, tuple[int | None, str | None]]:
    """Lateness and cause of each booking, by its number."""
    tour.session.rollback()
    rows = tour.session.scalars(select(KeptWindow))
    return {tour.bookings.index(row.booking_id): (row.late_s, row.cause) for row in rows}


def a_mixed_day(tour: Round) -> None:
    """The first at nine, the second two minutes after its window, the third not at all."""
    late = instant_at(TOMORROW, TEN + 120)
    tour.send(
        a_note_of("arrive", booking_id=tour.bookings[0], device_time=NINE - timedelta(minutes=15)),
        a_report(tour.bookings[0]),
        a_note_of("arrive", booking_id=tour.bookings[1], device_time=late),
        a_report(tour.bookings[1], device_time=late + timedelta(minutes=20)),
        at=late + timedelta(minutes=21),
    )


def test_a_day_is_judged_when_it_is_over_and_as_often_as_wanted(tour: Round) -> None:
    a_mixed_day(tour)
    # while it runs, nothing is judged
    running = judge_windows(TOMORROW, district=tour.district, session=tour.session, now=AFTER - timedelta(days=1))
    assert (running, ledger(tour)) == ({"promised": 0, "kept": 0}, {})
    # when it is over, each promise has its row, and twice is as once
    assert [judge(tour), judge(tour)] == [{"promised": 3, "kept": 1}] * 2
    assert ledger(tour) == {0: (0, None), 1: (120, "late"), 2: (None, "no_record")}
    # when a phone sends the third one later, then the next judgement knows it: begun its planned time before nine
    tour.send(a_report(tour.bookings[2], device_seq=1, device_time=NINE), at=AFTER)
    assert judge(tour) == {"promised": 3, "kept": 2}


def test_whoever_withdrew_was_promised_nothing(tour: Round, session: Session) -> None:
    session.execute(update(Booking).where(Booking.id == tour.bookings[0]).values(state="cancelled"))
    session.commit()
    assert judge(tour)["promised"] == 2
    assert set(ledger(tour)) == {1, 2}


def test_shares_are_told_by_village_town_and_setting_and_exported(tour: Round, session: Session) -> None:
    a_mixed_day(tour)
    judge(tour)
    for by, key in (("village", VILLAGE), ("town", "lincheng"), ("setting", "urban")):
        found = kept_windows(district=tour.district, session=session, by=by)  # type: ignore[arg-type]  # the three
        (group,) = found["groups"]
        # one of three is 33.33 %: 3,333 basis points
        assert (group["key"], group["promised"], group["kept"], group["kept_bp"]) == (key, 3, 1, 3333)
        assert {cause: count for cause, count in group["causes"].items() if count} == {"late": 1, "no_record": 1}
        assert found["total"] == {name: group[name] for name in ("promised", "kept", "kept_bp", "causes")}
    text = kept_windows_csv(kept_windows(district=tour.district, session=session, by="setting"))
    lines = text.removeprefix("\ufeff").splitlines()
    assert lines[0].startswith("代码 / key,名称 / name,承诺 / promised,兑现 / kept,兑现率 % / kept %,迟到 / late,")
    assert lines[1:] == ["urban,居 / Urban,3,1,33.33,1,0,0,0,0,1", ",合计 / total,3,1,33.33,1,0,0,0,0,1"]
    # of days without a promise no share is said
    empty = kept_windows(district=tour.district, session=session, first=TOMORROW + timedelta(days=1))
    assert (empty["groups"], empty["total"]["kept_bp"]) == ([], None)
    with pytest.raises(InvalidInput, match="exchange them"):
        kept_windows(district=tour.district, session=session, first=TOMORROW, last=TOMORROW - timedelta(days=1))


def test_what_is_made_up_is_judged_like_the_rest_and_named_wherever_it_counts(
    tour: Round, session: Session, callers: Callers
) -> None:
    a_mixed_day(tour)
    session.execute(update(Booking).where(Booking.id == tour.bookings[0]).values(made_up=True))
    session.commit()
    assert judge(tour)["promised"] == 3
    found = kept_windows(district=tour.district, session=session)
    assert (found["total"]["promised"], found["made_up"]) == (3, 1)
    assert kept_windows_csv(found).splitlines()[-1].startswith(",合计（含演示数据 1） / total (1 made up),3,1,")
    clerk = callers.staff("clerk")
    assert clerk.get("/kept-windows").get_json()["made_up"] == 1
    assert "含演示数据 1 个承诺" in clerk.get("/pages/kept-windows").text


def test_the_desks_read_it_over_http(tour: Round, callers: Callers) -> None:
    a_mixed_day(tour)
    judge(tour)
    clerk = callers.staff("clerk")
    answer = clerk.get(f"/kept-windows?by=setting&from={TOMORROW}&to={TOMORROW}").get_json()
    assert (answer["from"], answer["groups"][0]["key"], answer["total"]["promised"]) == (str(TOMORROW), "urban", 3)
    sheet = clerk.get("/kept-windows.csv?by=town")
    assert sheet.headers["Content-Disposition"] == 'attachment; filename="kept-windows-by-town.csv"'
    assert "lincheng" in sheet.text
    assert clerk.get("/kept-windows?by=street").status_code == 422


def test_a_booking_on_no_published_route_was_promised_nothing(
    session: Session, district: District, now: datetime
) -> None:
    a_booking(session, district=district, now=now)
    assert judge_windows(TOMORROW, district=district, session=session, now=AFTER) == {"promised": 0, "kept": 0}
