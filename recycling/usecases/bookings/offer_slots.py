"""Offer slots (可约时段): the windows of the coming days that a route can really serve, and why not the others."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta

from sqlalchemy.orm import Session

from recycling.errors import HoldLapsed, InvalidInput
from recycling.models.encrypted import keyring
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.routing.board import Board, Fit
from recycling.usecases.bookings.linked import Part, apart_words, parts_of, visits
from recycling.usecases.bookings.openings import Looked, on_other_days
from recycling.usecases.bookings.promise import Judged, Wish, area_of, needs, place_of
from recycling.usecases.bookings.proposals import fits_together
from recycling.usecases.bookings.short_notice import ShortNotice, short_notice
from recycling.usecases.bookings.tentative import boards
from recycling.usecases.bookings.why_not import Refusal, refusals

NEAR_S = 600  # driving that a collector who is "near anyway" makes for a visit, at most
OFFERED_FOR = timedelta(minutes=30)  # how long an offer may be turned into a hold
TIME_BYTES, PROOF_BYTES = 5, 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotOffer:
    """One window of a day.

    Parameters
    ----------
    fits
        A proven place for each visit of the wish, none when the routes cannot serve all of them.
    greenest
        Whether, of all windows offered, a visit in this one adds least driving.
    hold_token
        What a hold of this window is asked for with.
    refusal
        Why it is not offered.
    """

    pickup_window: str
    fits: tuple[Fit, ...] = ()
    greenest: bool = False
    hold_token: str | None = None
    refusal: Refusal | None = None

    @property
    def near(self) -> bool:
        """Whether a collector passes by anyway, for each visit one."""
        return bool(self.fits) and all(not fit.first and fit.added_s <= NEAR_S for fit in self.fits)

    @property
    def fit(self) -> Fit | None:
        """The place of the visit that comes first; ``None`` when it is not offered."""
        return min(self.fits, key=lambda fit: fit.start_s, default=None)

    @property
    def added_s(self) -> int:
        """Driving that all visits add."""
        return sum(fit.added_s for fit in self.fits)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedDay:
    """The windows of one service day; ``closed`` when its routes are already planned.

    ``visits`` is how many the wish takes in one window, and ``apart`` says why more than one, in Chinese and English.
    """

    day: date
    closed: bool
    windows: tuple[SlotOffer, ...]
    visits: int = 1
    apart: tuple[str, str] | None = None


def offer_slots(
    wish: Wish, *, by: Principal, district: District, session: Session, now: datetime, explain: bool = True
) -> list[OfferedDay]:
    """Ask the tentative routes of every bookable day where the wish fits; its own day and window are not looked at.

    Raises
    ------
    InvalidInput
        When an item, the village or the point cannot be accepted.
    """
    days = district.booking_rules.bookable_days(now=now, calendar=district.calendar)
    left = short_notice(by.id, district=district, session=session, now=now) if by.role == "resident" else None
    open_days = _searched(wish, days, left, district=district, session=session)
    searched = {day: one for day, one in open_days.items() if one is not None}
    driven = [sum(one.added_s for one in fits) for day in searched.values() for fits in day.found.values()]
    least, asked, until = min(driven, default=0), _asked(wish, by), now + OFFERED_FOR
    open_on = {day: tuple(one.found) for day, one in searched.items()}
    why = {}
    if explain:
        looked = {d: Looked(board=one.board, parts=one.parts, offered=open_on[d]) for d, one in searched.items()}
        why = refusals(wish, looked, district=district)
    out = []
    for day in days:
        if day in searched:
            refused = why.get(day, {})
            out.append(
                _offered(day, searched[day], refused, least=least, asked=asked, until=until, district=district)
            )  # fmt: skip
        elif left is not None and day in open_days:
            out.append(_too_far(wish, day, left, open_on, explain=explain, district=district))
        else:
            out.append(OfferedDay(day=day, closed=True, windows=()))
    return out


@dataclass(frozen=True, slots=True, kw_only=True)
class _Searched:
    """A day that was asked: its routes, the visits of the wish on it, and by window the places that were found."""

    board: Board
    parts: tuple[Part, ...]
    found: dict[str, tuple[Fit, ...]]


def _searched(
    wish: Wish, days: Sequence[date], left: ShortNotice | None, *, district: District, session: Session
) -> dict[date, _Searched | None]:
    """The open days, asked, without those whose catalogue no longer has an item; ``None`` where no-shows leave none."""
    area, place, windows = area_of(wish, district=district), place_of(wish), district.network.pickup_windows
    spans = [window.window_s for window in windows.values()]
    known = {day: board for day, board in boards(session, days, district=district).items() if board is not None}
    found: dict[date, _Searched | None] = {}
    for day, board in known.items():
        try:
            need = needs(wish.items, floor=wish.floor, has_lift=wish.has_lift, day=day, district=district)
        except InvalidInput:
            if day == next(iter(known)):
                raise
            continue
        if left is not None and day not in left.days:
            found[day] = None
            continue
        judged = Judged(area=area, need=need, place=place)
        parts = parts_of(replace(wish, day=day), judged, district=district)
        places = zip(windows, fits_together(board, visits(parts, spans[0]), spans), strict=True)
        found[day] = _Searched(board=board, parts=parts, found={key: fits for key, fits in places if fits is not None})
    return found


def _offered(
    day: date,
    searched: _Searched,
    why: Mapping[str, Refusal],
    *,
    least: int,
    asked: str,
    until: datetime,
    district: District,
) -> OfferedDay:
    """The windows of a day: the proven ones with a token, the others with the reason."""
    windows, parts = [], searched.parts
    for key in district.network.pickup_windows:
        fits = searched.found.get(key, ())
        windows.append(
            SlotOffer(
                pickup_window=key, fits=fits, greenest=bool(fits) and sum(one.added_s for one in fits) == least,
                hold_token=_token(asked, day, key, until=until) if fits else None, refusal=why.get(key),
            )
        )  # fmt: skip
    apart = apart_words(parts, district=district) if len(parts) > 1 else None
    return OfferedDay(day=day, closed=False, windows=tuple(windows), visits=len(parts), apart=apart)


def _too_far(
    wish: Wish,
    day: date,
    left: ShortNotice,
    open_on: Mapping[date, tuple[str, ...]],
    *,
    explain: bool,
    district: District,
) -> OfferedDay:
    """A day that no-shows have closed to this resident: not searched, each window with the reason and nearer days."""
    windows = []
    for key in district.network.pickup_windows:
        why = Refusal(
            binding="no_show", skill=None, zh=left.zh, en=left.en,
            changes=tuple(on_other_days(replace(wish, day=day), key, open_on, district=district)),
        )  # fmt: skip
        windows.append(SlotOffer(pickup_window=key, refusal=why if explain else None))
    return OfferedDay(day=day, closed=False, windows=tuple(windows))


def check_hold_token(token: str, wish: Wish, *, by: Principal, now: datetime) -> None:
    """See that a hold is asked for what was offered to this caller.

    Raises
    ------
    InvalidInput
        When the token is for another wish or caller, or none of ours.
    HoldLapsed
        When the offer was made too long ago.
    """
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        until = datetime.fromtimestamp(int.from_bytes(raw[:TIME_BYTES], "big"), UTC)
    except (ValueError, OverflowError):
        raw, until = b"", now
    if not hmac.compare_digest(raw[TIME_BYTES:], _proof(_asked(wish, by), wish.day, wish.pickup_window, until)):
        raise InvalidInput(
            "hold_token is not for this wish, day and window; send them as they were offered"
            " / 占位凭证与所选时段不符，请按查询结果原样提交"
        )
    if until <= now:
        raise HoldLapsed("this offer is over half an hour old; ask for windows again / 时段信息已过期，请重新查询")


def _token(asked: str, day: date, window: str, *, until: datetime) -> str:
    raw = int(until.timestamp()).to_bytes(TIME_BYTES, "big") + _proof(asked, day, window, until)
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _asked(wish: Wish, by: Principal) -> str:
    """What an offer is an answer to: the wish apart from its day and window, and who asked."""
    # What a resident may still say between the offer and the hold, such as consents, makes no difference to the routes.
    items = [(item.item_type, item.quantity, item.dismantle) for item in wish.items]
    said = asdict(wish) | {"items": items, "note": None, "day": None, "pickup_window": None, "by": str(by.id)}
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _proof(asked: str, day: date, window: str, until: datetime) -> bytes:
    text = f"{asked} {day} {window} {int(until.timestamp())}"
    return keyring.digest(text, context="slot_offer")[:PROOF_BYTES]
