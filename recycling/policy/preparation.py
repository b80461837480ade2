"""What a giver prepares before the crew comes, what is dangerous about it, and what wiping their data means."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from recycling.errors import ConfigError, InvalidInput
from recycling.policy.catalogue import HAZARDS, ItemType
from recycling.policy.checks import check_known

# A refrigerant is a property of the type in the catalogue, and a danger to be told of like the others.
TOLD_HAZARDS = HAZARDS | {"refrigerant"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationStep:
    """One thing to do before the crew comes, for the named item types, in force from a first to a last day.

    Parameters
    ----------
    hours_before
        How long before the visit at the latest; 0 when it only has to be done by then.
    """

    key: str
    item_types: tuple[str, ...]
    text_zh: str
    text_en: str
    hours_before: int = 0
    valid_from: date
    valid_to: date | None = None

    def __post_init__(self) -> None:
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError(f"valid_to = {self.valid_to} lies before valid_from = {self.valid_from}")

    def valid_on(self, day: date) -> bool:
        """Tell whether the step is in force on a local day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class HazardWords:
    """A hazard of the catalogue in words for the giver."""

    key: str
    text_zh: str
    text_en: str

    def __post_init__(self) -> None:
        check_known("key", {self.key}, TOLD_HAZARDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class WipeTerms:
    """What somebody agrees to who has their data wiped: which data, how, and what it leaves.

    Newer terms replace older ones from their first day on; consents name the terms they were given to.
    """

    key: str
    scope_zh: str
    scope_en: str
    method_zh: str
    method_en: str
    effect_zh: str
    effect_en: str
    valid_from: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """Steps and hazards of one item type on one day."""

    steps: tuple[PreparationStep, ...]
    hazards: tuple[HazardWords, ...]


@dataclass(frozen=True, slots=True)
class PreparationBook:
    """Everything givers are told before a visit.

    Raises
    ------
    ValueError
        When a hazard has no words or two, or no terms say what wiping means.
    """

    steps: tuple[PreparationStep, ...]
    hazards: tuple[HazardWords, ...]
    terms: tuple[WipeTerms, ...]
    _words: dict[str, HazardWords] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        words = {row.key: row for row in self.hazards}
        if len(words) < len(self.hazards):
            raise ValueError("a hazard has two rows; keep one")
        for key in sorted(TOLD_HAZARDS - words.keys()):
            raise ValueError(f"hazard {key!r} has no words; add a row")
        if not self.terms:
            raise ValueError("no wipe_terms; say what those agree to whose data is wiped")
        object.__setattr__(self, "_words", words)

    def advice(self, kind: ItemType, *, on: date) -> Advice:
        """What the giver of an item type is told for a visit on a local day, in the order of the file."""
        dangers = {*kind.hazards, *(["refrigerant"] if kind.refrigerant else [])}
        return Advice(
            steps=tuple(step for step in self.steps if kind.key in step.item_types and step.valid_on(on)),
            hazards=tuple(row for key, row in self._words.items() if key in dangers),
        )

    def wipe_terms(self, *, on: date) -> WipeTerms:
        """The terms in force on a local day.

        Raises
        ------
        ConfigError
            When the first ones begin later.
        """
        found = [row for row in self.terms if row.valid_from <= on]
        if not found:
            raise ConfigError(f"config/policy/preparation.toml has no wipe_terms in force on {on}; add a row")
        return max(found, key=lambda row: row.valid_from)

    def item_types(self) -> Iterable[tuple[str, str]]:
        """Every item type that a step names, with the step's key."""
        return ((step.key, item_type) for step in self.steps for item_type in step.item_types)


def check_wipe_consent(kind: ItemType, *, given: bool, terms: WipeTerms) -> None:
    """Refuse a data-bearing item without consent, and a consent where there is nothing to wipe.

    Raises
    ------
    InvalidInput
        Says which data is wiped, how, and what that leaves.
    """
    if kind.data_bearing and not given:
        raise InvalidInput(
            f"wipe_consent: {kind.key!r} holds data. Scope: {terms.scope_en} Method: {terms.method_en} Effect:"
            f" {terms.effect_en} Set wipe_consent to true to agree, or book without this item"
            f" / {kind.name_zh}存有数据。范围：{terms.scope_zh}方式：{terms.method_zh}效果：{terms.effect_zh}"
            "同意请将 wipe_consent 设为 true，否则请勿预约此物品"
        )
    if given and not kind.data_bearing:
        raise InvalidInput(
            f"wipe_consent: {kind.key!r} holds no data; set it to false or leave it out"
            f" / {kind.name_zh}不含数据，无需同意清除"
        )
