"""Who does how much: shares of a crew, the middle, who is far from it; and turns taken by those who worked less."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from recycling.policy.balance import BalanceRule, cost_offsets
from recycling.policy.fairness import MEASURES, VehicleDay, driven_s, far_off, spreads, week_of
from recycling.policy.field_events import FieldKind, FieldRecord
from recycling.units import instant_at
from tests.builders import TOMORROW

EIGHT = instant_at(TOMORROW, 8 * 3600)


def a_day(*crew: str, **overrides: Any) -> VehicleDay:
    """Nine hours, two of them driven, ten stops, 600 kg, twelve storeys."""
    facts: dict[str, Any] = {
        "recorded": True, "worked_s": 9 * 3600, "driven_s": 7200, "stops": 10, "carried_g": 600_000, "storeys": 12,
        "early": False, "late": False, "prices_down": {},
    }  # fmt: skip
    return VehicleDay(crew=crew, **facts | overrides)


def test_time_is_everybodys_and_what_is_carried_is_shared() -> None:
    # given a day of two and a day of one of them alone, who ended late and lowered two prices
    weeks = week_of([a_day("c01", "c02"), a_day("c01", late=True, prices_down={"c01": 2}, recorded=False)])
    assert weeks["c02"] == {
        "days": 1, "days_recorded": 1, "worked_s": 32_400, "driven_s": 7_200, "stops": 10, "carried_g": 300_000,
        "storeys": 6, "early_shifts": 0, "late_shifts": 0, "prices_down": 0,
    }  # fmt: skip
    # 300 kg of the shared day and 600 kg alone; 6 storeys and 12
    own = weeks["c01"]
    assert (own["days"], own["days_recorded"], own["worked_s"]) == (2, 1, 64_800)
    assert (own["carried_g"], own["storeys"], own["late_shifts"], own["prices_down"]) == (900_000, 18, 1, 2)


def test_who_is_far_from_the_middle_is_named_with_the_measure() -> None:
    # given six collectors of 36 to 40 hours and one of 60
    hours = {"a": 36, "b": 37, "c": 38, "d": 38, "e": 39, "f": 40, "g": 60}
    weeks = week_of(a_day(key, worked_s=count * 3600) for key, count in hours.items())
    # the middle is 38, the deviations 0 0 1 1 2 2 22 h, their middle 1 h: far is above 3 × 1.4826 h
    assert far_off(weeks) == {"g": ["worked_s"]}
    around = spreads(weeks)
    assert around is not None
    assert (around["worked_s"].median, around["stops"].median) == (38 * 3600, 10)
    assert around.keys() == set(MEASURES)


def test_of_fewer_than_five_no_middle_is_told() -> None:
    weeks = week_of(a_day(key) for key in "abcd")
    assert spreads(weeks) is None
    assert far_off(weeks) == {}


def a_record(minute: int, kind: FieldKind, booking_id: UUID | None = None) -> FieldRecord:
    at: datetime = EIGHT + timedelta(minutes=minute)
    return FieldRecord(
        event_id=uuid4(), device_id=UUID(int=1), device_seq=minute, kind=kind, made_at=at, vehicle_key="v",
        booking_id=booking_id,
    )  # fmt: skip


def test_driving_is_from_leaving_one_place_to_reaching_the_next() -> None:
    one, other = uuid4(), uuid4()
    records = [
        a_record(0, "shift_start"), a_record(10, "on_the_way", one), a_record(15, "arrive", one),
        a_record(16, "start", one), a_record(40, "collected", one), a_record(50, "arrive", other),
        a_record(55, "collected", other), a_record(60, "break_start"), a_record(90, "break_end"),
        a_record(100, "partly", other), a_record(120, "shift_end"),
    ]  # fmt: skip
    # 15 to the first door, 10 to the second, 5 to the break, and 30 home: the outcome put right on the way is no stop
    assert driven_s(records) == (15 + 10 + 5 + 30) * 60


def test_the_change_of_a_fixed_cost_follows_the_hours_within_its_bound() -> None:
    rule = BalanceRule(weight=0.5, most=3_000)
    # the middle of 10, 20 and 40 h is 20 h: 10 h less are 0.5 × 36,000 s = 18,000 cheaper, bounded to 3,000
    assert cost_offsets({"a": 36_000, "b": 72_000, "c": 144_000}, rule=rule) == {"a": -3_000, "b": 0, "c": 3_000}
    assert cost_offsets({"a": 1_000, "b": 2_000, "c": 3_000}, rule=rule) == {"a": -500, "b": 0, "c": 500}
    assert cost_offsets({"a": 1_000, "b": 2_000}, rule=BalanceRule()) == {}


@pytest.mark.parametrize("wrong", [{"weight": -0.1}, {"weight": 11.0}, {"weeks": 0}, {"most": -1}])
def test_a_balance_beyond_its_range_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        BalanceRule(**wrong)
