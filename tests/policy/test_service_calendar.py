"""Service days, working days and years that are not settled yet."""

from __future__ import annotations

from datetime import date

from recycling.policy.service_calendar import DayOverride, ServiceCalendar

PLAIN = ServiceCalendar({})


def override(day: date, *, is_working: bool) -> DayOverride:
    return DayOverride(day=day, is_working=is_working, note="停收", source="a test")


def test_we_collect_on_public_holidays_unless_an_override_closes_the_day() -> None:
    new_year = date(2026, 2, 17)
    assert PLAIN.is_service_day(new_year)
    closed = ServiceCalendar({new_year: override(new_year, is_working=False)})
    assert not closed.is_service_day(new_year)
    assert closed.note(new_year) == "停收"
    # and the list of service days steps over it
    assert closed.next_service_days(date(2026, 2, 16), count=2) == (date(2026, 2, 16), date(2026, 2, 18))


def test_swap_days_work_and_holidays_rest() -> None:
    # State Council notice for 2026: Saturday 14 February works, Monday 16 to Monday 23 February rests
    assert PLAIN.is_working_day(date(2026, 2, 14))
    assert PLAIN.note(date(2026, 2, 14)) == "调休工作日"
    assert not PLAIN.is_working_day(date(2026, 2, 16))
    assert not PLAIN.is_working_day(date(2026, 2, 23))
    assert PLAIN.note(date(2026, 2, 17)) == "春节"
    # an ordinary week: Friday works, Saturday does not
    assert PLAIN.is_working_day(date(2026, 11, 20))
    assert not PLAIN.is_working_day(date(2026, 11, 21))
    assert PLAIN.note(date(2026, 11, 20)) == ""


def test_2025_has_248_working_days() -> None:
    # 261 weekdays - 18 of them off (New Year 1, Spring Festival 6, Qingming 1, May 3, Dragon Boat 1, October 6)
    # + 5 swap days (26 Jan, 8 Feb, 27 Apr, 28 Sep, 11 Oct) = 248
    assert PLAIN.working_days_between(date(2025, 1, 1), date(2025, 12, 31)) == 248
    assert PLAIN.working_days_between(date(2025, 1, 2), date(2025, 1, 1)) == 0


def test_an_override_wins_over_the_public_calendar_both_ways() -> None:
    friday, sunday = date(2026, 11, 20), date(2026, 11, 22)
    calendar = ServiceCalendar({friday: override(friday, is_working=False), sunday: override(sunday, is_working=True)})
    assert not calendar.is_working_day(friday)
    assert calendar.is_working_day(sunday)


def test_a_year_without_its_swap_days_is_provisional() -> None:
    # the notice for 2027 is not published when this is written; a newer package may settle that year, so a far one
    # stands in for it
    assert not PLAIN.is_provisional(2026)
    assert PLAIN.is_provisional(2090)
    # until the bureau enters one: 1 January 2090 is a Sunday
    swap = date(2090, 1, 1)
    assert not ServiceCalendar({swap: override(swap, is_working=True)}).is_provisional(2090)
    # closing a day says nothing about swap days
    assert ServiceCalendar({swap: override(swap, is_working=False)}).is_provisional(2090)
