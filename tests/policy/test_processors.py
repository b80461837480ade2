"""Licences of processors: what they cover, on which days, and rules of stock at their edges."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from recycling.errors import Conflict, InvalidInput
from recycling.policy.processors import Processor, ProcessorBook
from recycling.policy.stock_rule import StockRule, per_mille

YEAR = {"valid_from": date(2026, 1, 1), "valid_to": date(2026, 12, 31)}


def a_processor(**overrides: Any) -> Processor:
    """A dismantler of fridges, licensed for 2026."""
    fields: dict[str, Any] = {
        "key": "one", "name_zh": "甲", "name_en": "One", "kind": "recovery", "licence_number": "L-1",
        "authority": "枣庄", "catalogue_numbers": (1,), **YEAR,
    }  # fmt: skip
    return Processor(**(fields | overrides))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"kind": "burn"}, "kind = 'burn' is unknown"),
        ({"catalogue_numbers": (0,)}, "catalogue_numbers = 0 must be between 1 and 14"),
        ({"catalogue_numbers": ()}, "are both empty"),
        ({"valid_to": date(2025, 12, 31)}, "lies before valid_from"),
    ],
)
def test_a_licence_that_cannot_be_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        a_processor(**wrong)


def test_a_renewed_licence_follows_the_old_one_and_each_day_has_its_own() -> None:
    renewed = a_processor(licence_number="L-2", valid_from=date(2027, 2, 1), valid_to=date(2028, 1, 31))
    book = ProcessorBook((renewed, a_processor()))
    assert book.licensed("one", on=date(2026, 1, 1)).licence_number == "L-1"
    assert book.licensed("one", on=date(2026, 12, 31)).licence_number == "L-1"
    assert book.licensed("one", on=date(2027, 2, 1)).licence_number == "L-2"
    # between the two and after both it has lapsed, before both it is not there yet
    with pytest.raises(Conflict, match="L-1 of one was in force until 2026-12-31"):
        book.licensed("one", on=date(2027, 1, 1))
    with pytest.raises(Conflict, match="L-2 of one was in force until 2028-01-31"):
        book.licensed("one", on=date(2028, 2, 1))
    with pytest.raises(Conflict, match="L-1 of one is in force from 2026-01-01 only"):
        book.licensed("one", on=date(2025, 12, 31))
    with pytest.raises(InvalidInput, match="choose from one"):
        book.licensed("two", on=date(2026, 1, 1))
    # shown is the one in force, else the newest
    assert [row.licence_number for row in book.current(on=date(2026, 6, 1))] == ["L-1"]
    assert [row.licence_number for row in book.current(on=date(2027, 1, 1))] == ["L-2"]


def test_licences_of_one_key_do_not_overlap_or_change_their_kind() -> None:
    with pytest.raises(ValueError, match="two licences in force on 2026-12-31"):
        ProcessorBook((a_processor(), a_processor(valid_from=date(2026, 12, 31), valid_to=date(2027, 1, 1))))
    with pytest.raises(ValueError, match="changes from recovery to reuse"):
        ProcessorBook(
            (a_processor(), a_processor(kind="reuse", valid_from=date(2027, 1, 1), valid_to=date(2027, 12, 31)))
        )


def test_the_tolerance_is_the_larger_of_a_share_and_a_division() -> None:
    rule = StockRule(re_weigh_per_mille=20, re_weigh_slack_g=20_000)
    # 2 % of 1,000 kg is 20 kg: up to there the division counts
    assert rule.within_tolerance(20_000, ours_g=1)
    assert not rule.within_tolerance(20_001, ours_g=1_000_000)
    assert rule.within_tolerance(-40_000, ours_g=2_000_000)
    assert not rule.within_tolerance(-40_001, ours_g=2_000_000)


def test_a_second_person_is_needed_from_the_threshold_on_either_way() -> None:
    rule = StockRule(second_person_units=3, second_person_g=100_000)
    assert not rule.takes_two(2, -99_999)
    assert rule.takes_two(-3, 0)
    assert rule.takes_two(0, 100_000)


def test_thousandths_are_rounded_half_away_from_zero() -> None:
    # 5 and 4 of 10,000 are 0.5 and 0.4 thousandths
    assert [per_mille(part, 10_000) for part in (5, 4, -5, -4, 10_000)] == [1, 0, -1, 0, 1_000]
