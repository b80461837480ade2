"""What proves a visit (上门凭证规则): which photo, code, signature or seal its record should name, and what is missing.

What is missing flags a record for a person. It never refuses it: the fridge is on the van whether photographed or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from recycling.policy.checks import check_known, check_range
from recycling.policy.failed_visits import FAILED_VISIT_CODES

VisitKind = Literal["collected", "partly", "failed"]
VISIT_KINDS: tuple[VisitKind, ...] = get_args(VisitKind)

ProofKind = Literal["photo", "code", "signature", "seal", "note", "call_record"]
PROOF_KINDS: tuple[ProofKind, ...] = get_args(ProofKind)
PROOF_WORDS: dict[str, tuple[str, str]] = {
    "photo": ("照片", "a photo"),
    "code": ("居民核验码", "the resident's code"),
    "signature": ("居民签名", "the resident's signature"),
    "seal": ("每件一个封签", "a seal on each unit"),
    "note": ("文字说明", "a note"),
    "call_record": ("通话记录", "a record of the call"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRule:
    """One thing that a kind of visit needs.

    Parameters
    ----------
    valid_from, valid_to
        First and last day on which it is applied; without ``valid_to`` until further notice.
    kinds
        Outcomes that it is about.
    reasons
        Failed-visit codes that it is about; all of them, and none, when empty.
    item_types
        Item types of which at least one must be there; any when empty.
    data_bearing
        Only where an item holds somebody's data.
    least_units, least_value_fen
        Only from so many units, or from such an estimated value, upwards.
    any_of
        One of these is enough.
    without_smartphone
        What is enough, too, from a resident who has none.
    source
        Whose rule it is.
    """

    key: str
    valid_from: date
    valid_to: date | None = None
    kinds: tuple[str, ...]
    reasons: tuple[str, ...] = ()
    item_types: tuple[str, ...] = ()
    data_bearing: bool = False
    least_units: int = 0
    least_value_fen: int = 0
    any_of: tuple[str, ...]
    without_smartphone: tuple[str, ...] = ()
    source: str

    def __post_init__(self) -> None:
        check_known("kinds", set(self.kinds), frozenset(VISIT_KINDS))
        check_known("reasons", set(self.reasons), frozenset(FAILED_VISIT_CODES))
        for name, words in (("any_of", self.any_of), ("without_smartphone", self.without_smartphone)):
            check_known(name, set(words), frozenset(PROOF_KINDS))
        if not self.kinds or not self.any_of:
            raise ValueError("kinds and any_of must name at least one each")
        check_range("least_units", self.least_units, least=0, most=10_000)
        check_range("least_value_fen", self.least_value_fen, least=0, most=100_000_000)
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError(f"valid_to {self.valid_to} lies before valid_from {self.valid_from}")

    def valid_on(self, day: date) -> bool:
        """Whether the rule is applied on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenItem:
    """Units of one item type that a record names."""

    item_type: str
    units: int
    data_bearing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a record brings along.

    Parameters
    ----------
    photos
        How many it names, arrived or not.
    code
        Whether a code was given and is right; a wrong one is none.
    signature, note, call_record
        Whether there is one.
    seals
        How many units of data-bearing items have a seal.
    smartphone
        Whether the resident has one; where it is not known they are taken to.
    """

    photos: int = 0
    code: bool = False
    signature: bool = False
    note: bool = False
    call_record: bool = False
    seals: int = 0
    smartphone: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingProof:
    """A rule that a record does not keep, and what would have kept it."""

    rule: str
    any_of: tuple[str, ...]
    text_zh: str
    text_en: str


NO_PROOF = Proof()


def rules_on(rules: Sequence[ProofRule], day: date) -> tuple[ProofRule, ...]:
    """The rules that are applied on a day."""
    return tuple(rule for rule in rules if rule.valid_on(day))


def missing_proof(
    rules: Sequence[ProofRule],
    *,
    kind: VisitKind,
    reason: str | None,
    items: Sequence[ProvenItem],
    value_fen: int | None,
    proof: Proof = NO_PROOF,
) -> tuple[MissingProof, ...]:
    """What a record should have brought along and did not, in the sequence of the rules.

    Parameters
    ----------
    rules
        Those in force on the day of the visit: `rules_on`.
    kind, reason
        The outcome, and the failed-visit code that explains it.
    items
        What was taken on board; of a failed visit, what was booked.
    value_fen
        What the items were estimated to bring; ``None`` when that is not known, and then no value is too high.
    proof
        What the record brings along; nothing by default, as from an app that knows of no proof.
    """
    broken = (
        rule for rule in rules if _is_about(rule, kind, reason, items, value_fen) and not _kept(rule, items, proof)
    )
    return tuple(_missing(rule, proof) for rule in broken)


def _is_about(
    rule: ProofRule, kind: VisitKind, reason: str | None, items: Sequence[ProvenItem], value_fen: int | None
) -> bool:
    return (
        kind in rule.kinds
        and (not rule.reasons or reason in rule.reasons)
        and (not rule.item_types or any(item.item_type in rule.item_types for item in items))
        and (not rule.data_bearing or any(item.data_bearing and item.units for item in items))
        and sum(item.units for item in items) >= rule.least_units
        and (value_fen or 0) >= rule.least_value_fen
    )


def _kept(rule: ProofRule, items: Sequence[ProvenItem], proof: Proof) -> bool:
    to_seal = sum(item.units for item in items if item.data_bearing)
    given = {
        "photo": proof.photos > 0,
        "code": proof.code,
        "signature": proof.signature,
        "seal": proof.seals >= to_seal,
        "note": proof.note,
        "call_record": proof.call_record,
    }
    return any(given[word] for word in _enough(rule, proof))


def _enough(rule: ProofRule, proof: Proof) -> tuple[str, ...]:
    return rule.any_of if proof.smartphone else tuple(dict.fromkeys(rule.any_of + rule.without_smartphone))


def _missing(rule: ProofRule, proof: Proof) -> MissingProof:
    wanted = _enough(rule, proof)
    zh, en = zip(*(PROOF_WORDS[word] for word in wanted), strict=True)
    return MissingProof(
        rule=rule.key,
        any_of=wanted,
        text_zh=f"缺少{'或'.join(zh)}，请补充，或由调度核实",
        text_en=f"{' or '.join(en)} is missing; add it, or have the dispatcher look into it",
    )
