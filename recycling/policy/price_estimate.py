"""An honest estimate of what a giver gets or pays: a range from dated price rows, with the reason of every part.

Nothing here is a price. What is paid is settled at the door, and a type without a row has no estimate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from recycling.policy.catalogue import CONDITIONS, GROUPS, Condition, ItemType
from recycling.policy.checks import check_known, check_range
from recycling.policy.service_time import ServiceTimeRule, storeys_to_carry

ANY = "any"
MOST_FEN = 10_000_000  # 100,000 yuan: beyond this a row has a slip in it

FeeKind = Literal["dismantling", "stairs"]
FEE_KINDS: tuple[FeeKind, ...] = get_args(FeeKind)
FEE_WORDS: dict[FeeKind, tuple[str, str]] = {
    "dismantling": ("拆装费", "taking it off the wall or apart"),
    "stairs": ("无电梯楼层搬运费", "carrying a heavy piece down the stairs"),
}
CONDITION_WORDS: dict[Condition, tuple[str, str]] = {
    "unknown": ("成色未知", "of unknown condition"),
    "working": ("可正常使用", "working"),
    "repairable": ("可维修", "repairable"),
    "scrap": ("报废", "scrap"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """What one unit brings its giver, for an item type or for a whole group, in force from a first to a last day.

    Parameters
    ----------
    item_type, group
        One of them; a row for the type goes before one for its group.
    condition
        ``working``, ``repairable``, ``scrap``, or ``any``.
    low_fen, high_fen
        Per unit, in fen; negative is a fee that the giver pays.
    source
        Where the figures are from; ``estimate`` says that they are ours.
    """

    item_type: str | None = None
    group: str | None = None
    condition: str
    low_fen: int
    high_fen: int
    valid_from: date
    valid_to: date | None = None
    source: str

    def __post_init__(self) -> None:
        if (self.item_type is None) == (self.group is None):
            raise ValueError("a price is for an item_type or for a group: give one of them")
        if self.group is not None:
            check_known("group", {self.group}, GROUPS)
        check_known("condition", {self.condition}, frozenset({*CONDITIONS, ANY} - {"unknown"}))
        _check_span(self.low_fen, self.high_fen, self.valid_from, self.valid_to)

    def valid_on(self, day: date) -> bool:
        """Tell whether the row is in force on a local day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeRow:
    """What work at the door costs: a unit to be dismantled, or a heavy piece for each storey without a lift.

    Parameters
    ----------
    low_fen, high_fen
        In fen and not above 0: the giver pays it.
    """

    kind: str
    low_fen: int
    high_fen: int
    valid_from: date
    valid_to: date | None = None
    source: str

    def __post_init__(self) -> None:
        check_known("kind", {self.kind}, frozenset(FEE_KINDS))
        check_range("high_fen", self.high_fen, least=-MOST_FEN, most=0)
        _check_span(self.low_fen, self.high_fen, self.valid_from, self.valid_to)

    def valid_on(self, day: date) -> bool:
        """Tell whether the row is in force on a local day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class PriceBook:
    """All price and fee rows.

    Raises
    ------
    ValueError
        When two rows of one thing and condition are in force on one day.
    """

    prices: tuple[PriceRow, ...]
    fees: tuple[FeeRow, ...]

    def __post_init__(self) -> None:
        rows: list[PriceRow | FeeRow] = [*self.prices, *self.fees]
        last: dict[tuple[str, ...], PriceRow | FeeRow] = {}
        for row in sorted(rows, key=lambda row: row.valid_from):
            named = (row.kind,) if isinstance(row, FeeRow) else (row.item_type or "", row.group or "", row.condition)
            before = last.get(named)
            if before is not None and (before.valid_to is None or row.valid_from <= before.valid_to):
                raise ValueError(f"{' '.join(filter(None, named))} has two rows in force on {row.valid_from}")
            last[named] = row

    def price(self, kind: ItemType, condition: Condition, *, on: date) -> PriceRow | None:
        """The row that fits best on a local day: type before group, named condition before any."""
        fitting = [
            row
            for row in self.prices
            if row.valid_on(on)
            and (row.item_type == kind.key or row.group == kind.group)
            and row.condition in (condition, ANY)
        ]
        return min(fitting, key=lambda row: (row.item_type is None, row.condition == ANY), default=None)

    def fee(self, kind: FeeKind, *, on: date) -> FeeRow | None:
        """The fee in force on a local day."""
        return next((row for row in self.fees if row.kind == kind and row.valid_on(on)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemToPrice:
    """So many of one item type, as its giver declares them."""

    kind: ItemType
    quantity: int
    condition: Condition = "unknown"
    dismantle: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One part of an estimate in words; its amounts are for all units together, ``None`` where it has none."""

    code: str
    text_zh: str
    text_en: str
    low_fen: int | None = None
    high_fen: int | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemEstimate:
    """The range for one item type; both ends ``None`` when there is no estimate."""

    item_type: str
    quantity: int
    condition: Condition
    low_fen: int | None
    high_fen: int | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceEstimate:
    """The range for everything that has an estimate.

    Parameters
    ----------
    low_fen, high_fen
        ``None`` when nothing has one.
    complete
        Whether everything has one; otherwise the range says nothing of the rest.
    """

    items: tuple[ItemEstimate, ...]
    low_fen: int | None
    high_fen: int | None
    complete: bool
    reasons: tuple[Reason, ...]


ONLY_AN_ESTIMATE = Reason(
    code="only_an_estimate",
    text_zh="仅为估算，不是报价；以上门当面核定并征得您同意的金额为准。",
    text_en="An estimate, no offer: what counts is settled at the door, with your agreement.",
)
INCOMPLETE = Reason(
    code="incomplete",
    text_zh="合计不含暂无估价的物品。",
    text_en="The total leaves out what has no estimate.",
)


def estimate(
    items: Sequence[ItemToPrice],
    *,
    floor: int,
    lift: bool,
    book: PriceBook,
    rule: ServiceTimeRule,
    on: date,
) -> PriceEstimate:
    """Estimate what a giver gets (above 0) or pays (below) for items on a local day.

    Parameters
    ----------
    floor, lift
        As for `stop_need`; they only matter for heavy pieces.

    Returns
    -------
    PriceEstimate
        Integers in fen; the total is the sum of the items' ranges.

    Notes
    -----
    An item's range = quantity x its row + fees. Of unknown condition, it reaches from the lowest to the highest row of
    all conditions, and there is none unless every condition has a row.
    """
    found = tuple(
        _item(item, storeys=0 if lift else storeys_to_carry(floor), book=book, rule=rule, on=on) for item in items
    )
    lows = [one.low_fen for one in found if one.low_fen is not None]
    highs = [one.high_fen for one in found if one.high_fen is not None]
    complete = len(lows) == len(found)
    return PriceEstimate(
        items=found,
        low_fen=sum(lows) if lows else None,
        high_fen=sum(highs) if highs else None,
        complete=complete,
        reasons=(ONLY_AN_ESTIMATE,) if complete else (ONLY_AN_ESTIMATE, INCOMPLETE),
    )


def _item(item: ItemToPrice, *, storeys: int, book: PriceBook, rule: ServiceTimeRule, on: date) -> ItemEstimate:
    reasons = [_goods(item, book, on)]
    if item.dismantle:
        reasons.append(_fee("dismantling", item.quantity, book, on))
    if storeys and item.kind.unit_mass_g > rule.heavy_above_g:
        reasons.append(_fee("stairs", item.quantity * storeys, book, on))
    # One part that nobody can put a figure to leaves no figure for the whole.
    known = all(reason.low_fen is not None for reason in reasons)
    return ItemEstimate(
        item_type=item.kind.key,
        quantity=item.quantity,
        condition=item.condition,
        low_fen=_sum(reason.low_fen for reason in reasons) if known else None,
        high_fen=_sum(reason.high_fen for reason in reasons) if known else None,
        reasons=tuple(reasons),
    )


def _goods(item: ItemToPrice, book: PriceBook, on: date) -> Reason:
    """What the goods bring."""
    wanted = [item.condition] if item.condition != "unknown" else [one for one in CONDITIONS if one != "unknown"]
    rows = [row for condition in wanted if (row := book.price(item.kind, condition, on=on)) is not None]
    if len(rows) < len(wanted):
        return Reason(
            code="no_estimate",
            text_zh=f"{item.kind.name_zh}暂无估价，回收员取走前会当面告知。",
            text_en=f"{item.kind.name_en}: no estimate; the collector tells you before taking it.",
        )
    words_zh, words_en = CONDITION_WORDS[item.condition]
    wide_zh, wide_en = "", ""
    if item.condition == "unknown":
        wide_zh, wide_en = "，区间涵盖从报废到可用", "; the range reaches from scrap to working"
    return Reason(
        code="goods",
        text_zh=f"{item.kind.name_zh} × {item.quantity}，{words_zh}{wide_zh}",
        text_en=f"{item.quantity} × {item.kind.name_en}, {words_en}{wide_en}",
        low_fen=item.quantity * min(row.low_fen for row in rows),
        high_fen=item.quantity * max(row.high_fen for row in rows),
        source="; ".join(dict.fromkeys(row.source for row in rows)),
    )


def _fee(kind: FeeKind, times: int, book: PriceBook, on: date) -> Reason:
    row, (zh, en) = book.fee(kind, on=on), FEE_WORDS[kind]
    if row is None:
        return Reason(
            code=f"no_{kind}_fee", text_zh=f"{zh}暂无估价，作业前会当面告知", text_en=f"fee for {en}: told before work"
        )
    return Reason(
        code=f"{kind}_fee",
        text_zh=f"{zh} × {times}",
        text_en=f"fee for {en}, {times} times",
        low_fen=times * row.low_fen,
        high_fen=times * row.high_fen,
        source=row.source,
    )


def _sum(parts: Iterable[int | None]) -> int:
    return sum(part for part in parts if part is not None)


def _check_span(low_fen: int, high_fen: int, valid_from: date, valid_to: date | None) -> None:
    check_range("low_fen", low_fen, least=-MOST_FEN, most=high_fen)
    check_range("high_fen", high_fen, least=low_fen, most=MOST_FEN)
    if valid_to is not None and valid_to < valid_from:
        raise ValueError(f"valid_to = {valid_to} lies before valid_from = {valid_from}")
