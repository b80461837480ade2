"""What the weighbridge says: kept once, taken onto one ticket, and agreeing with what is typed beside it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from recycling.errors import Conflict, DomainError, Forbidden, InvalidInput, RowsRefused
from recycling.models.intake import IntakeTicket
from recycling.models.recovery import close_month
from recycling.models.transaction import atomic
from recycling.models.weighbridge import ScaleReading, WeighedReading
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.intake import claims
from recycling.usecases.intake.correct_ticket import correct_ticket
from recycling.usecases.intake.reading_table import MOST_ROWS, read_readings
from recycling.usecases.intake.take_readings import Imported, ReadingReport, import_readings, take_reading
from recycling.usecases.intake.weigh_in import weigh_in
from tests.invariants import assert_invariants
from tests.loads import a_keeper, a_line, a_read_weighing, a_reading, a_report, a_weighing

HEADER = "reading_number,gross_kg,tare_kg,net_kg,vehicle,weighed_at"


def a_table(*rows: str, header: str = HEADER) -> str:
    return "\r\n".join([header, *(rows or ("0001,51.3,10,41.3,,2026-11-23 09:30",))]) + "\r\n"


@pytest.fixture
def weigh(session: Session, district: District, now: datetime) -> Callable[..., IntakeTicket]:
    """Weigh in at 临城 by what is given, now, unless the test says otherwise."""

    def weigh(weighing: Any, **overrides: Any) -> IntakeTicket:
        fields: dict[str, Any] = {
            "scale_number": None, "by": a_keeper(), "district": district, "session": session, "now": now,
        }  # fmt: skip
        return weigh_in(weighing, **(fields | overrides))

    return weigh


def take(report: ReadingReport, session: Session, district: District, now: datetime) -> tuple[ScaleReading, bool]:
    return take_reading(report, station_key="lincheng", scale_number="1", district=district, session=session, now=now)


def imported(text: str | bytes, session: Session, district: District, now: datetime, **overrides: Any) -> Imported:
    _, rows = read_readings(text if isinstance(text, bytes) else text.encode())
    fields: dict[str, Any] = {"scale_number": "1", "by": a_keeper()}
    return import_readings(rows, district=district, session=session, now=now, **(fields | overrides))


def faults(call: Callable[[], object]) -> list[tuple[int, str, str]]:
    """Line, column and English words of each fault of a refused table."""
    with pytest.raises(RowsRefused) as refused:
        call()
    return [(one["line"], one["column"], one["en"]) for one in refused.value.facts["errors"]]


# --- sent by the scale ---


def test_a_reading_is_kept_once_and_a_repeated_one_is_the_same(
    session: Session, district: District, now: datetime
) -> None:
    first, is_new = take(a_report(), session, district, now)
    assert (is_new, first.net_g, first.vehicle_key, first.source) == (True, 41_300, None, "push")
    again, is_new = take(a_report(), session, district, now + timedelta(minutes=5))
    assert (is_new, again.id) == (False, first.id)


@pytest.mark.parametrize("other", [{"net_g": 41_301}, {"at": datetime(2026, 11, 23, 1, 59, tzinfo=UTC)}])
def test_the_same_number_with_another_content_is_refused_and_what_stands_stays(
    session: Session, district: District, now: datetime, other: dict[str, Any]
) -> None:
    standing = take(a_report(), session, district, now)[0].id
    with pytest.raises(Conflict, match=rf"0001 stands with another content \(gross 51.3 kg.*{standing}"):
        take(a_report(**other), session, district, now)
    assert session.execute(select(ScaleReading.id, ScaleReading.net_g)).all() == [(standing, 41_300)]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"tare_g": 60_000}, "tare 60 kg is not below gross 51.3 kg"),
        ({"gross_g": 10_000}, "tare 10 kg is not below gross 10 kg"),
        ({"net_g": 41_000}, "net 41 kg is not gross 51.3 kg less tare 10 kg"),
        ({"gross_g": 60_000_001}, "gross 60000.001 kg is above 60000 kg"),
        ({"at": datetime(2026, 11, 23, 2, 5, 1, tzinfo=UTC)}, "2026-11-23 10:05 is in the future"),
        ({"at": datetime(2026, 11, 24, 2, 0, tzinfo=UTC)}, "2026-11-24 10:00 is in the future"),
    ],
)
def test_a_reading_that_cannot_be_is_refused_by_value(
    session: Session, district: District, now: datetime, wrong: dict[str, Any], named: str
) -> None:
    report = replace(a_report(), **wrong)
    with pytest.raises(InvalidInput) as refused:
        take(report, session, district, now)
    assert named in refused.value.message
    assert session.scalar(select(func.count()).select_from(ScaleReading)) == 0


def test_a_vehicle_of_ours_is_known_by_key_or_plate_and_nobody_elses_plate_is_kept(
    session: Session, district: District, now: datetime
) -> None:
    vehicles = district.network.vehicles
    plated = {**vehicles, "lincheng-1": replace(vehicles["lincheng-1"], plate="鲁D·12345")}
    ours = replace(district, network=replace(district.network, vehicles=plated))
    named = {"1": "lincheng-1", "2": "鲁D12345", "3": "鲁d 12345", "4": "京A99999", "5": None}
    found = {n: take(a_report(n, vehicle=name), session, ours, now)[0].vehicle_key for n, name in named.items()}
    assert found == {"1": "lincheng-1", "2": "lincheng-1", "3": "lincheng-1", "4": None, "5": None}


# --- on a ticket ---


def test_a_ticket_takes_masses_scale_vehicle_and_instant_off_its_reading(
    session: Session, district: District, now: datetime, weigh: Callable[..., IntakeTicket]
) -> None:
    at = now - timedelta(days=2)
    reading = a_reading(session, district, now=now, at=at, scale_number="W1", vehicle="lincheng-1")
    ticket = weigh(a_read_weighing(reading.id))
    assert (ticket.gross_g, ticket.tare_g, ticket.net_g, ticket.scale_number) == (51_300, 10_000, 41_300, "W1")
    # it was weighed on Saturday and counts for Saturday
    assert (ticket.weighed_at, ticket.day, ticket.counts_on) == (at, date(2026, 11, 21), date(2026, 11, 21))
    assert (ticket.reading_id, ticket.vehicle_key) == (reading.id, "lincheng-1")
    assert_invariants(session)


@pytest.mark.parametrize(
    "beside",
    [{"gross_g": 51_300, "tare_g": 10_000, "vehicle_key": "lincheng-1"}, {"tare_g": 10_000}, {}],
)
def test_what_is_typed_beside_a_reading_may_agree(
    session: Session, district: District, now: datetime, weigh: Callable[..., IntakeTicket], beside: dict[str, Any]
) -> None:
    reading = a_reading(session, district, now=now)  # knows no vehicle, so that the keeper may name it
    assert weigh(a_read_weighing(reading.id, **beside), scale_number="1").net_g == 41_300


@pytest.mark.parametrize(
    ("beside", "scale_number", "named"),
    [
        ({"gross_g": 51_400}, None, "gross_g is 51.4 kg, but reading 0001 says 51.3 kg"),
        ({"tare_g": 0}, None, "tare_g is 0 kg, but reading 0001 says 10 kg"),
        ({}, "2", "scale_number is '2', but reading 0001 says '1'"),
        ({"vehicle_key": "shagou-1"}, None, "vehicle_key is 'shagou-1', but reading 0001 says 'lincheng-1'"),
        ({"lines": (a_line("phone-mobile"),)}, None, "cannot be"),  # the goods must fit the reading as any other mass
        ({"lines": (a_line("unheard-of"),)}, None, "'unheard-of' is not in the catalogue"),
    ],
)
def test_what_is_typed_beside_a_reading_must_agree(
    session: Session, district: District, now: datetime, weigh: Callable[..., IntakeTicket],
    beside: dict[str, Any], scale_number: str | None, named: str,
) -> None:  # fmt: skip
    reading = a_reading(session, district, now=now, vehicle="lincheng-1")
    with pytest.raises(InvalidInput) as refused:
        weigh(a_read_weighing(reading.id, **beside), scale_number=scale_number)
    assert named in refused.value.message
    assert session.scalar(select(func.count()).select_from(WeighedReading)) == 0


def test_a_reading_of_another_station_or_above_the_payload_makes_no_ticket(
    session: Session, district: District, now: datetime, weigh: Callable[..., IntakeTicket]
) -> None:
    foreign = a_reading(session, district, now=now, station_key="shagou").id
    for reading_id in (foreign, uuid4()):
        with pytest.raises(InvalidInput, match=f"{reading_id} is no reading of your station"):
            weigh(a_read_weighing(reading_id))
    # lincheng-1 is a truck of 1,500 kg payload
    heavy = a_reading(session, district, now=now, net_g=1_500_001, vehicle="lincheng-1")
    with pytest.raises(InvalidInput, match=r"1500\.001 kg is more than lincheng-1 may carry"):
        weigh(a_read_weighing(heavy.id, a_line("fridge", 36)))


def test_a_reading_makes_one_standing_ticket_which_corrections_take_over(
    session: Session, district: District, now: datetime, weigh: Callable[..., IntakeTicket]
) -> None:
    reading = a_reading(session, district, now=now)
    first = weigh(a_read_weighing(reading.id))
    # then a second ticket of the same reading is refused, and the first is named
    with pytest.raises(Conflict, match=rf"reading is on ticket 1 of scale 1 at lincheng \({first.id}\)"):
        weigh(a_read_weighing(reading.id))

    def correct(ticket: IntakeTicket, said: Any) -> IntakeTicket:
        return correct_ticket(
            ticket.id, said, reason="读数有误", by=a_keeper(), district=district, session=session, now=now
        )

    # when it is corrected, with other masses and without naming the reading
    second = correct(first, a_weighing(net_g=40_000))
    assert (second.reading_id, second.net_g) == (reading.id, 40_000)
    with pytest.raises(Conflict, match="reading is on ticket 2"):
        weigh(a_read_weighing(reading.id))
    # and when it is corrected back to what the reading says
    third = correct(second, a_read_weighing(reading.id))
    assert (third.reading_id, third.net_g) == (reading.id, 41_300)
    assert_invariants(session)
    # when it is withdrawn, then the reading is free for the right ticket
    assert correct(third, None).reading_id is None
    assert weigh(a_read_weighing(reading.id)).number == 5
    assert_invariants(session)


def test_the_database_itself_gives_a_reading_to_one_ticket(
    session: Session, district: District, now: datetime, weigh: Callable[..., IntakeTicket],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    reading = a_reading(session, district, now=now)
    weigh(a_read_weighing(reading.id))
    # given a program that forgot to ask
    monkeypatch.setattr(claims, "insert_if_absent", lambda session, table, **row: session.add(table(**row)) or True)
    with pytest.raises(IntegrityError):
        weigh(a_read_weighing(reading.id))
    session.rollback()
    assert session.scalar(select(func.count()).select_from(IntakeTicket)) == 1


def test_without_the_claim_one_reading_makes_two_tickets(
    session: Session, district: District, now: datetime, weigh: Callable[..., IntakeTicket],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    # the control of the two tests above
    reading = a_reading(session, district, now=now)
    monkeypatch.setattr(claims, "insert_if_absent", lambda *_args, **_row: True)
    assert [weigh(a_read_weighing(reading.id)).number for _ in range(2)] == [1, 2]


def test_a_reading_that_reaches_midnight_before_us_makes_no_ticket_of_tomorrow(
    session: Session, district: District, weigh: Callable[..., IntakeTicket]
) -> None:
    # 15:58 UTC is 23:58 in Xuecheng; the scale's clock is four minutes ahead
    late = datetime(2026, 11, 23, 15, 58, tzinfo=UTC)
    reading = a_reading(session, district, now=late, at=late + timedelta(minutes=4))
    with pytest.raises(InvalidInput, match="is of 2026-11-24, and today is 2026-11-23: a ticket is not dated tomorrow"):
        weigh(a_read_weighing(reading.id), now=late)
    # and a few minutes later it does
    assert weigh(a_read_weighing(reading.id), now=late + timedelta(minutes=5)).day == date(2026, 11, 24)


def test_a_reading_of_a_closed_month_makes_no_ticket(
    session: Session, district: District, now: datetime, weigh: Callable[..., IntakeTicket]
) -> None:
    reading = a_reading(session, district, now=now)
    with atomic(session):
        close_month(session, date(2026, 11, 1), by_id=uuid4(), now=now)
    with pytest.raises(Conflict, match=r"2026-11 are signed and closed.*an old reading by hand"):
        weigh(a_read_weighing(reading.id), now=now + timedelta(days=12))


def test_a_ticket_of_a_scale_whose_clock_is_ahead_is_not_corrected_before_it_was_weighed(
    session: Session, district: District, now: datetime, weigh: Callable[..., IntakeTicket]
) -> None:
    ticket = weigh(a_read_weighing(a_reading(session, district, now=now, at=now + timedelta(minutes=4)).id))
    made = correct_ticket(
        ticket.id, None, reason="重复录入", by=a_keeper(), district=district, session=session, now=now
    )
    assert made.weighed_at == ticket.weighed_at == now + timedelta(minutes=4)
    assert_invariants(session)


def test_a_correction_stays_on_the_scale_and_day_of_its_ticket(
    session: Session, district: District, now: datetime, weigh: Callable[..., IntakeTicket]
) -> None:
    ticket = weigh(a_weighing(), scale_number="1")
    other_scale = a_reading(session, district, now=now, scale_number="2")
    other_day = a_reading(session, district, "0002", now=now, at=now - timedelta(days=1))
    for reading, named in ((other_scale, "scale_number is '1'"), (other_day, "is of 2026-11-22, the ticket of")):
        with pytest.raises(InvalidInput, match=named):
            correct_ticket(
                ticket.id, a_read_weighing(reading.id), reason="改用地磅读数", by=a_keeper(), district=district,
                session=session, now=now,
            )  # fmt: skip


# --- out of its memory ---


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_a_scales_memory_is_read_in_the_encodings_and_digits_that_scales_write(
    session: Session, district: District, now: datetime, encoding: str
) -> None:
    text = a_table(
        "２０２６１１－１,５１．３,１０,４１．３,鲁D12345,２０２６／１１／２３ ９：３０",
        "2,3541.325,3500,,lincheng-1,2026-11-23 09:31:07",
        header="编号,毛重(kg),皮重（kg）,净重,车号,称重时间",
    )
    assert imported(text.encode(encoding), session, district, now) == Imported(new=2, known=0)
    row = ScaleReading
    columns = (row.reading_number, row.gross_g, row.tare_g, row.net_g, row.vehicle_key, row.at, row.source)
    found = [tuple(one) for one in session.execute(select(*columns).order_by(row.at))]
    assert found == [
        ("202611-1", 51_300, 10_000, 41_300, None, datetime(2026, 11, 23, 1, 30, tzinfo=UTC), "csv"),
        ("2", 3_541_325, 3_500_000, 41_325, "lincheng-1", datetime(2026, 11, 23, 1, 31, 7, tzinfo=UTC), "csv"),
    ]


def test_what_was_sent_before_is_known_in_the_memory_as_well(
    session: Session, district: District, now: datetime
) -> None:
    # given a reading that was sent with its second and its vehicle; the memory keeps neither
    take(a_report(at=datetime(2026, 11, 23, 1, 30, 42, tzinfo=UTC), vehicle="lincheng-1"), session, district, now)
    text = a_table("0001,51.3,10,,,2026-11-23 09:30", "0002,51.3,10,,,2026-11-23 09:40")
    assert imported(text, session, district, now) == Imported(new=1, known=1)
    # and the whole file again changes nothing
    assert imported(text, session, district, now) == Imported(new=0, known=2)
    assert session.scalar(select(func.count()).select_from(ScaleReading)) == 2


def test_a_row_that_contradicts_what_stands_refuses_the_whole_file(
    session: Session, district: District, now: datetime
) -> None:
    take(a_report(), session, district, now)
    text = a_table("0002,51.3,10,,,2026-11-23 09:40", "0001,51.4,10,,,2026-11-23 10:00")
    ((line, column, said),) = faults(lambda: imported(text, session, district, now))
    assert (line, column) == (3, "reading_number")
    assert "stands with another content" in said
    assert session.scalars(select(ScaleReading.reading_number)).all() == ["0001"]


@pytest.mark.parametrize(
    ("row", "column", "said"),
    [
        ("1,51.3,10,,,26-11-23 09:30", "weighed_at", "the year with four digits"),
        ("1,51.3,10,,,23/11/26 09:30", "weighed_at", "the year with four digits"),
        ("1,51.3,10,,,2026-02-30 09:30", "weighed_at", "is no day and time"),
        ("1,51.3,10,,,2026-11-23", "weighed_at", "is no day and time"),
        ("1,51.3,10,,,0000-11-23 09:30", "weighed_at", "is no day and time"),
        ("1,51.3,10,,,2026-11-24 09:30", "weighed_at", "is in the future"),
        ("1,10,51.3,,,2026-11-23 09:30", "tare_kg", "tare 51.3 kg is not below gross 10 kg"),
        ("1,51.3,10,40,,2026-11-23 09:30", "net_kg", "net 40 kg is not gross 51.3 kg less tare 10 kg"),
        ("1,60000.001,10,,,2026-11-23 09:30", "gross_kg", "more than a station's scale can show"),
        ("1,51.3001,10,,,2026-11-23 09:30", "gross_kg", "are no kilograms"),
        ("1,1e3,10,,,2026-11-23 09:30", "gross_kg", "are no kilograms"),
        ("1,-51.3,10,,,2026-11-23 09:30", "gross_kg", "are no kilograms"),
        ("1,=50+1.3,10,,,2026-11-23 09:30", "gross_kg", "are no kilograms"),
        ("=1+1,51.3,10,,,2026-11-23 09:30", "reading_number", "letters, digits and hyphens"),
        ("@SUM(A1),51.3,10,,,2026-11-23 09:30", "reading_number", "letters, digits and hyphens"),
        ("-1,51.3,10,,,2026-11-23 09:30", "reading_number", "letters, digits and hyphens"),
        (",51.3,10,,,2026-11-23 09:30", "reading_number", "is empty"),
        ("1,,10,,,2026-11-23 09:30", "gross_kg", "is empty"),
    ],
)
def test_a_row_that_cannot_be_is_named_and_nothing_is_imported(
    session: Session, district: District, now: datetime, row: str, column: str, said: str
) -> None:
    good = "9,51.3,10,,,2026-11-23 09:00"
    ((line, at, words),) = faults(lambda: imported(a_table(good, row), session, district, now))
    assert (line, at) == (3, column)
    assert said in words
    assert not words.startswith(("=", "+", "-", "@"))  # pasted into a sheet, it begins no formula
    assert session.scalar(select(func.count()).select_from(ScaleReading)) == 0


def test_a_formula_for_a_vehicle_is_no_vehicle_and_is_not_kept(
    session: Session, district: District, now: datetime
) -> None:
    imported(a_table("1,51.3,10,,=HYPERLINK(A1),2026-11-23 09:30"), session, district, now)
    assert session.scalars(select(ScaleReading.vehicle_key)).all() == [None]


def test_a_number_that_comes_twice_is_named_with_the_line_it_stood_on(
    session: Session, district: District, now: datetime
) -> None:
    row = "0007,51.3,10,,,2026-11-23 09:30"
    assert faults(lambda: imported(a_table(row, row), session, district, now)) == [
        (3, "reading_number", "stands on line 2 already")
    ]


def test_a_full_file_is_imported_and_a_longer_one_is_refused_unread(
    session: Session, district: District, now: datetime
) -> None:
    rows = [f"{number},51.3,10,,,2026-11-23 09:30" for number in range(MOST_ROWS)]
    assert imported(a_table(*rows), session, district, now).new == MOST_ROWS
    million = (a_table(*rows) + "x,51.3,10,,,2026-11-23 09:30\r\n" * 1_000_000).encode()
    began = time.process_time()
    ((_, _, said),) = faults(lambda: read_readings(million))
    # 34 MB are decoded and two thousand rows of them read; all of them would take several seconds
    assert time.process_time() - began < 2
    assert "more than 2000 rows; split it" in said


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("reading_number,gross_kg", "the header lacks tare_kg, weighed_at"),
        (f"{HEADER},编号", "column reading_number stands twice"),
        (f"{HEADER},price", '"price" is unknown'),
    ],
)
def test_a_wrong_header_is_refused_in_words(header: str, said: str) -> None:
    ((_, _, words),) = faults(lambda: read_readings(a_table("1,2", header=header).encode()))
    assert said in words


def test_only_a_keeper_imports(session: Session, district: District, now: datetime) -> None:
    clerk = Principal(id=uuid4(), role="clerk")
    with pytest.raises(Forbidden):
        imported(a_table(), session, district, now, by=clerk)


def test_of_many_at_once_a_reading_is_kept_once(session: Session, district: District, now: datetime) -> None:
    engine = session.get_bind()
    outcomes: list[bool | str] = []
    session.rollback()
    together = threading.Barrier(4)

    def send() -> None:
        with Session(engine) as own:
            together.wait(10)
            try:
                outcomes.append(take(a_report(), own, district, now)[1])
            except DomainError as error:
                outcomes.append(error.code)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(map(str, outcomes)) == ["False", "False", "False", "True"]


def test_a_reading_of_more_than_a_month_ago_goes_on_no_ticket(
    session: Session, district: District, now: datetime
) -> None:
    given: dict[str, Any] = {"by": a_keeper(), "district": district, "session": session, "now": now}
    old, new = (
        a_reading(session, district, number, now=now, at=now - timedelta(days=days))
        for number, days in (("1", 32), ("2", 31))
    )
    with pytest.raises(InvalidInput, match="2026-10-22, more than 31 days ago; what is still there is weighed in by"):
        weigh_in(a_read_weighing(old.id), scale_number=None, **given)
    assert weigh_in(a_read_weighing(new.id), scale_number=None, **given).day == date(2026, 10, 23)
    assert_invariants(session)
