"""What proves a visit: the rules of `config/`, and that they flag and never refuse."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from recycling.policy.district import District
from recycling.policy.failed_visits import FAILED_VISIT_CODES
from recycling.policy.proof_rules import (
    NO_PROOF,
    PROOF_KINDS,
    PROOF_WORDS,
    Proof,
    ProofRule,
    ProvenItem,
    VisitKind,
    missing_proof,
    rules_on,
)

DAY = date(2026, 11, 24)
FRIDGE = ProvenItem(item_type="fridge", units=1)
LAPTOPS = ProvenItem(item_type="computer-portable", units=2, data_bearing=True)


def keys(district: District, **overrides: Any) -> list[str]:
    """The rules of the district that a record does not keep."""
    fields: dict[str, Any] = {"kind": "collected", "reason": None, "items": (FRIDGE,), "value_fen": None}
    return [one.rule for one in missing_proof(rules_on(district.proof_rules, DAY), **(fields | overrides))]


@pytest.mark.parametrize(
    ("told", "missing"),
    [
        pytest.param({}, ["handed-over"], id="a record of today, without any proof"),
        pytest.param({"proof": Proof(code=True)}, [], id="code"),
        pytest.param({"proof": Proof(signature=True)}, [], id="signature"),
        pytest.param({"proof": Proof(photos=3)}, ["handed-over"], id="photos do not show who handed it over"),
        pytest.param({"value_fen": 49_999, "proof": Proof(signature=True)}, [], id="below 500 yuan"),
        pytest.param(
            {"value_fen": 50_000, "proof": Proof(signature=True)}, ["high-value", "high-value-code"], id="from 500 yuan"
        ),
        pytest.param({"value_fen": 50_000, "proof": Proof(code=True, photos=1)}, [], id="500 yuan, proven"),
        pytest.param(
            {"value_fen": 50_000, "proof": Proof(signature=True, photos=1, smartphone=False)}, [],
            id="500 yuan without a smartphone",
        ),
        pytest.param(
            {"items": (ProvenItem(item_type="fan", units=5),), "proof": Proof(code=True)}, ["many-units"], id="5 fans"
        ),
        pytest.param({"items": (LAPTOPS,), "proof": Proof(code=True, seals=1)}, ["data-sealed"], id="one seal for two"),
        pytest.param({"items": (LAPTOPS,), "proof": Proof(code=True, seals=2)}, [], id="two seals for two"),
        pytest.param({"kind": "failed", "reason": "nobody_home"}, ["called"], id="nobody home"),
        pytest.param(
            {"kind": "failed", "reason": "nobody_home", "proof": Proof(call_record=True)}, [], id="nobody home, called"
        ),
        pytest.param({"kind": "failed", "reason": "unsafe"}, ["seen", "danger-described"], id="unsafe"),
        pytest.param({"kind": "failed", "reason": "address_wrong"}, ["door-number"], id="wrong address"),
        pytest.param({"kind": "failed", "reason": "vehicle_full"}, [], id="our fault"),
        pytest.param(
            {"kind": "partly", "reason": "partially_completed", "proof": Proof(code=True)}, ["seen"], id="the rest"
        ),
    ],
)  # fmt: skip
def test_what_is_missing_follows_from_outcome_items_and_value(
    district: District, told: dict[str, Any], missing: list[str]
) -> None:
    assert keys(district, **told) == missing


def test_every_code_that_names_a_proof_has_its_rule_and_no_other_has(district: District) -> None:
    # given the codes of failed visits, and what each says of its proof
    for code in FAILED_VISIT_CODES.values():
        kind: VisitKind = "failed" if code.for_failed else "partly"
        found = missing_proof(
            rules_on(district.proof_rules, DAY), kind=kind, reason=code.code, items=(FRIDGE,), value_fen=None,
            proof=Proof(code=True),
        )  # fmt: skip
        asked = {word for one in found for word in one.any_of}
        told = {word for word in PROOF_KINDS if word.replace("_", " ") in code.proof_en}
        assert asked == told, code.code


def test_what_is_missing_is_told_in_both_languages_with_the_next_step(district: District) -> None:
    (found,) = missing_proof(
        rules_on(district.proof_rules, DAY), kind="collected", reason=None, items=(FRIDGE,), value_fen=None
    )
    assert found.text_zh == "缺少居民核验码或居民签名，请补充，或由调度核实"
    assert found.text_en.startswith("the resident's code or the resident's signature is missing; add it")
    assert set(PROOF_WORDS) == set(PROOF_KINDS)


def test_rules_are_of_their_days() -> None:
    fields: dict[str, Any] = {"kinds": ("collected",), "any_of": ("photo",), "source": "test"}
    old = ProofRule(key="one", valid_from=date(2026, 1, 1), valid_to=date(2026, 6, 30), **fields)
    new = ProofRule(key="one", valid_from=date(2026, 7, 1), **fields)
    assert rules_on((old, new), date(2026, 6, 30)) == (old,)
    assert rules_on((old, new), date(2026, 7, 1)) == (new,)
    assert rules_on((old, new), date(2025, 12, 31)) == ()


def test_without_rules_nothing_is_missing() -> None:
    found = missing_proof((), kind="collected", reason=None, items=(LAPTOPS,), value_fen=10**6, proof=NO_PROOF)
    assert found == ()


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        ({"kinds": ("gone",)}, "kinds = 'gone' is unknown"),
        ({"reasons": ("weather",)}, "reasons = 'weather' is unknown"),
        ({"any_of": ("film",)}, "any_of = 'film' is unknown"),
        ({"any_of": ()}, "at least one each"),
        ({"least_units": -1}, "least_units = -1"),
        ({"valid_to": date(2025, 1, 1)}, "lies before"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(overrides: dict[str, Any], says: str) -> None:
    fields: dict[str, Any] = {
        "key": "one", "valid_from": date(2026, 1, 1), "kinds": ("collected",), "any_of": ("photo",), "source": "test",
    }  # fmt: skip
    with pytest.raises(ValueError, match=says):
        ProofRule(**(fields | overrides))
