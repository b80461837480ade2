"""An estimate is a range with its reasons, and says when it has none."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from recycling.policy.price_estimate import FeeRow, ItemToPrice, PriceBook, PriceEstimate, PriceRow, estimate
from tests.policy.builders import a_piece_of_furniture, a_service_time_rule, an_item_type

TODAY = date(2026, 11, 23)
FRIDGE = an_item_type()  # 40.8 kg, appliance_14
CHAIR = a_piece_of_furniture(dismantling_s=60, dismantling_skills=("dismantling",))  # 5 kg


def a_price(low_fen: int, high_fen: int, **fields: Any) -> PriceRow:
    """What a fridge of any condition brings."""
    facts: dict[str, Any] = {"item_type": "fridge", "condition": "any", "valid_from": date(2026, 1, 1)}
    return PriceRow(**facts | {"low_fen": low_fen, "high_fen": high_fen, "source": "estimate"} | fields)


def a_fee(kind: str, low_fen: int, high_fen: int, **fields: Any) -> FeeRow:
    facts: dict[str, Any] = {"valid_from": date(2026, 1, 1), "source": "estimate"}
    return FeeRow(kind=kind, low_fen=low_fen, high_fen=high_fen, **facts | fields)


def estimated(
    *items: ItemToPrice,
    prices: tuple[PriceRow, ...] = (),
    fees: tuple[FeeRow, ...] = (),
    floor: int = 1,
    lift: bool = False,
) -> PriceEstimate:
    return estimate(items, floor=floor, lift=lift, book=PriceBook(prices, fees), rule=a_service_time_rule(), on=TODAY)


def an_item(**fields: Any) -> ItemToPrice:
    facts: dict[str, Any] = {"kind": FRIDGE, "quantity": 1, "condition": "scrap"}
    return ItemToPrice(**facts | fields)


def test_a_range_is_quantity_times_row_and_adds_up() -> None:
    # 2 fridges of 20 to 60 yuan, 1 chair of -5 to 0
    chair = a_price(-500, 0, item_type=None, group="furniture")
    found = estimated(an_item(quantity=2), an_item(kind=CHAIR), prices=(a_price(2_000, 6_000), chair))
    assert [(one.low_fen, one.high_fen) for one in found.items] == [(4_000, 12_000), (-500, 0)]
    assert (found.low_fen, found.high_fen, found.complete) == (3_500, 12_000, True)
    assert [reason.code for reason in found.reasons] == ["only_an_estimate"]
    assert found.items[0].reasons[0].source == "estimate"


def test_a_row_for_the_type_and_for_the_condition_goes_first() -> None:
    rows = (
        a_price(1, 1, item_type=None, group="appliance_14"),
        a_price(2, 2, item_type=None, group="appliance_14", condition="scrap"),
        a_price(3, 3),
        a_price(4, 4, condition="scrap"),
    )
    for left, expected in ((4, 4), (3, 3), (2, 2), (1, 1)):
        assert estimated(an_item(), prices=rows[:left]).low_fen == expected
    assert estimated(an_item(condition="working"), prices=rows).low_fen == 3


def test_an_unknown_condition_reaches_over_all_and_needs_a_row_for_each() -> None:
    scrap, working = a_price(1_000, 2_000, condition="scrap"), a_price(5_000, 9_000, condition="working")
    repairable = a_price(2_000, 4_000, condition="repairable")
    wide = estimated(an_item(condition="unknown"), prices=(scrap, working, repairable))
    assert (wide.low_fen, wide.high_fen) == (1_000, 9_000)
    assert "从报废到可用" in wide.items[0].reasons[0].text_zh
    assert estimated(an_item(condition="unknown"), prices=(scrap, working)).low_fen is None


def test_without_a_row_there_is_no_estimate_and_the_total_says_that_it_lacks_it() -> None:
    found = estimated(an_item(), an_item(kind=CHAIR), prices=(a_price(2_000, 6_000),))
    assert (found.items[1].low_fen, found.items[1].high_fen) == (None, None)
    assert found.items[1].reasons[0].code == "no_estimate"
    assert "tells you before taking it" in found.items[1].reasons[0].text_en
    assert (found.low_fen, found.complete) == (2_000, False)
    assert [reason.code for reason in found.reasons] == ["only_an_estimate", "incomplete"]
    # and where nothing has one there is no total, rather than nothing to pay
    nothing = estimated(an_item(kind=CHAIR))
    assert (nothing.low_fen, nothing.high_fen) == (None, None)


def test_work_at_the_door_is_charged_where_it_is_done() -> None:
    prices = (a_price(2_000, 6_000), a_price(0, 0, item_type="chair"))
    fees = (a_fee("stairs", -1_000, -500), a_fee("dismantling", -3_000, -2_000))
    # third floor: two storeys, two fridges above 25 kg: 4 times; the chair is light, and is taken apart
    items = (an_item(quantity=2), an_item(kind=CHAIR, dismantle=True))
    up = estimated(*items, prices=prices, fees=fees, floor=3)
    assert [(one.low_fen, one.high_fen) for one in up.items] == [(0, 10_000), (-3_000, -2_000)]
    assert [reason.code for one in up.items for reason in one.reasons] == [
        "goods", "stairs_fee", "goods", "dismantling_fee"
    ]  # fmt: skip
    by_lift = estimated(*items, prices=prices, fees=fees, floor=3, lift=True)
    assert by_lift.items[0].low_fen == 4_000
    # a fee that nobody knows leaves no estimate
    assert estimated(*items, prices=prices, fees=fees[:1]).items[1].low_fen is None


def test_rows_hold_from_their_first_to_their_last_day() -> None:
    for valid_from, valid_to, expected in (
        (TODAY, TODAY, 1), (date(2026, 11, 24), None, None), (date(2026, 1, 1), date(2026, 11, 22), None)
    ):  # fmt: skip
        row = a_price(1, 1, valid_from=valid_from, valid_to=valid_to)
        assert estimated(an_item(), prices=(row,)).low_fen == expected


def test_rows_that_contradict_each_other_or_themselves_are_refused() -> None:
    with pytest.raises(ValueError, match="two rows in force"):
        PriceBook((a_price(1, 1), a_price(2, 2, valid_from=date(2026, 6, 1))), ())
    with pytest.raises(ValueError, match="stairs has two rows"):
        PriceBook((), (a_fee("stairs", -1, 0), a_fee("stairs", -2, 0)))
    for says, fields in (
        ("low_fen = 2 must be", {"low_fen": 2, "high_fen": 1}), ("give one of them", {"group": "furniture"}),
        ("give one of them", {"item_type": None}), ("condition = 'unknown'", {"condition": "unknown"}),
        ("group = 'toys'", {"item_type": None, "group": "toys"}), ("lies before", {"valid_to": date(2025, 1, 1)}),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=says):
            a_price(**{"low_fen": 1, "high_fen": 1} | fields)
    with pytest.raises(ValueError, match="high_fen = 5 must be"):
        a_fee("stairs", 0, 5)
