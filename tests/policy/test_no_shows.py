"""No-shows: the first is free, later ones leave short notice until enough of them are too old."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from recycling.policy.no_shows import NoShowRule, rule_on

RULE = NoShowRule(
    valid_from=date(2026, 1, 1), free=1, within_days=180, short_notice_days=3, source="test"
)  # fmt: skip
FIRST, SECOND = date(2026, 3, 1), date(2026, 5, 1)


def test_the_first_is_free_and_the_second_holds_until_the_first_is_180_days_old() -> None:
    assert RULE.short_notice_until([], on=SECOND) is None
    assert RULE.short_notice_until([FIRST], on=SECOND) is None
    # 2026-03-01 + 180 days = 2026-08-28, that day included, in whichever sequence they are given
    last = date(2026, 8, 28)
    for days in ([FIRST, SECOND], [SECOND, FIRST]):
        assert RULE.short_notice_until(days, on=SECOND) == last
        assert RULE.short_notice_until(days, on=last) == last
        assert RULE.short_notice_until(days, on=last + timedelta(days=1)) is None


def test_of_three_the_second_latest_decides() -> None:
    third = date(2026, 6, 1)
    assert RULE.short_notice_until([FIRST, SECOND, third], on=third) == SECOND + timedelta(days=180)


def test_a_rule_is_applied_on_its_days_only() -> None:
    old = NoShowRule(
        valid_from=date(2025, 1, 1), valid_to=date(2025, 12, 31), free=0, within_days=90, short_notice_days=1,
        source="test",
    )  # fmt: skip
    assert rule_on([old, RULE], date(2024, 12, 31)) is None
    assert rule_on([old, RULE], date(2025, 12, 31)) is old
    assert rule_on([old, RULE], date(2026, 1, 1)) is RULE


@pytest.mark.parametrize("field", ["within_days", "short_notice_days"])
def test_a_rule_without_days_is_refused(field: str) -> None:
    nought: dict[str, Any] = {field: 0}
    with pytest.raises(ValueError, match=field):
        replace(RULE, **nought)
