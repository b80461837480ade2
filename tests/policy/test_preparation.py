"""Givers are told what to prepare, what is dangerous, and what wiping means."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from recycling.errors import ConfigError, InvalidInput
from recycling.policy.preparation import (
    TOLD_HAZARDS,
    HazardWords,
    PreparationBook,
    PreparationStep,
    WipeTerms,
    check_wipe_consent,
)
from tests.policy.builders import an_item_type

TODAY = date(2026, 11, 23)
PHONE = an_item_type(key="phone-mobile", name_zh="手机", data_bearing=True, hazards=("battery",))


def some_terms(key: str, valid_from: date) -> WipeTerms:
    words = {name: f"{name}." for name in ("scope_zh", "scope_en", "method_zh", "method_en", "effect_zh", "effect_en")}
    return WipeTerms(key=key, valid_from=valid_from, **words)


def a_step(key: str, **fields: Any) -> PreparationStep:
    facts: dict[str, Any] = {"item_types": ("fridge",), "text_zh": "断电", "text_en": "Unplug", "valid_from": TODAY}
    return PreparationStep(key=key, **facts | fields)


def a_book(*steps: PreparationStep, **fields: Any) -> PreparationBook:
    words = tuple(HazardWords(key=key, text_zh=key, text_en=key) for key in sorted(TOLD_HAZARDS))
    return PreparationBook(**{"steps": steps, "hazards": words, "terms": (some_terms("first", TODAY),)} | fields)


def test_a_type_gets_its_own_steps_of_the_day_and_its_hazards_in_words() -> None:
    later, over = date(2026, 11, 24), date(2026, 11, 22)
    book = a_book(
        a_step("now"), a_step("other", item_types=("fan",)), a_step("later", valid_from=later),
        a_step("over", valid_from=over, valid_to=over),
    )  # fmt: skip
    found = book.advice(an_item_type(refrigerant=True, hazards=("glass",)), on=TODAY)
    assert [step.key for step in found.steps] == ["now"]
    assert [row.key for row in found.hazards] == ["glass", "refrigerant"]


def test_the_newest_terms_that_have_begun_are_in_force() -> None:
    book = a_book(terms=(some_terms("second", date(2026, 11, 24)), some_terms("first", TODAY)))
    assert [book.wipe_terms(on=day).key for day in (TODAY, date(2026, 11, 24))] == ["first", "second"]
    with pytest.raises(ConfigError, match="2026-11-22; add a row"):
        book.wipe_terms(on=date(2026, 11, 22))


def test_a_book_with_a_gap_is_refused() -> None:
    with pytest.raises(ValueError, match="hazard 'battery' has no words"):
        a_book(hazards=())
    with pytest.raises(ValueError, match="no wipe_terms"):
        a_book(terms=())
    with pytest.raises(ValueError, match="lies before"):
        a_step("over", valid_to=date(2026, 1, 1))


def test_data_goes_nowhere_without_a_consent_that_says_scope_method_and_effect() -> None:
    terms = some_terms("first", TODAY)
    with pytest.raises(InvalidInput) as refused:
        check_wipe_consent(PHONE, given=False, terms=terms)
    for word in ("scope_en", "method_en", "effect_en", "scope_zh", "method_zh", "effect_zh", "Set wipe_consent"):
        assert word in refused.value.message
    check_wipe_consent(PHONE, given=True, terms=terms)
    # nor is anybody's agreement kept to what is not done
    with pytest.raises(InvalidInput, match="holds no data"):
        check_wipe_consent(an_item_type(), given=True, terms=terms)
    check_wipe_consent(an_item_type(), given=False, terms=terms)
