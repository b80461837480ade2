"""Offer slots (可约时段): the windows of the coming days that a route can really serve, and why not the others."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
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
from recycling.usecases.bookings.short_notice import ShortNotice, short_notice
from recycling.usecases.bookings.tentative import boards, fits_together
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
    area, place = area_of(wish, district=district), place_of(wish)
    days = district.booking_rules.bookable_days(now=now, calendar=district.calendar)
    if not days:
        return []
    left = short_notice(by.id, district=district, session=session, now=now) if by.role == "resident" else None
    windows = district.network.pickup_windows
    spans = [window.window_s for window in windows.values()]
    parts_on: dict[date, tuple[Part, ...]] = {}
    fits: dict[date, list[tuple[Fit, ...] | None]] = {}
    known = boards(session, days, district=district)
    open_days = [day for day in days if known[day] is not None]
    for day in days:
        board = known[day]
        if board is not None:
            try:
                need = needs(wish.items, floor=wish.floor, has_lift=wish.has_lift, day=day, district=district)
            except InvalidInput:
                if day == open_days[0]:
                    raise
                known[day] = None  # the catalogue of that day no longer has the item
                continue
            judged = Judged(area=area, need=need, place=place)
            parts_on[day] = parts_of(replace(wish, day=day), judged, district=district)
            if left is not None and day not in left.days:
                continue
            fits[day] = fits_together(board, visits(parts_on[day], spans[0]), spans)
    offered = [sum(one.added_s for one in found) for row in fits.values() for found in row if found is not None]
    least = min(offered, default=0)
    why = _why(wish, known, parts_on, fits, district) if explain else {}
    out, asked = [], _asked(wish, by)
    for day in days:
        if known[day] is None:
            out.append(OfferedDay(day=day, closed=True, windows=()))
            continue
        if left is not None and day not in left.days:
            out.append(_too_far(wish, day, left, fits, explain=explain, district=district))
            continue
        parts = parts_on[day]
        out.append(
            OfferedDay(
                day=day,
                closed=False,
                windows=tuple(
                    SlotOffer(
                        pickup_window=key,
                        fits=found or (),
                        greenest=found is not None and sum(one.added_s for one in found) == least,
                        hold_token=None if found is None else _token(asked, day, key, until=now + OFFERED_FOR),
                        refusal=why.get(day, {}).get(key),
                    )
                    for key, found in zip(windows, fits[day], strict=True)
                ),
                visits=len(parts),
                apart=apart_words(parts, district=district) if len(parts) > 1 else None,
            )
        )
    return out


def _too_far(
    wish: Wish,
    day: date,
    left: ShortNotice,
    fits: dict[date, list[tuple[Fit, ...] | None]],
    *,
    explain: bool,
    district: District,
) -> OfferedDay:
    """A day that no-shows have closed to this resident: not searched, each window with the reason and nearer days."""
    windows, open_on = [], _offered(fits, district)
    for key in district.network.pickup_windows:
        why = Refusal(
            binding="no_show", skill=None, zh=left.zh, en=left.en,
            changes=tuple(on_other_days(replace(wish, day=day), key, open_on, district=district)),
        )  # fmt: skip
        windows.append(SlotOffer(pickup_window=key, refusal=why if explain else None))
    return OfferedDay(day=day, closed=False, windows=tuple(windows))


def _why(
    wish: Wish,
    boards_on: Mapping[date, Board | None],
    parts_on: Mapping[date, tuple[Part, ...]],
    fits: Mapping[date, list[tuple[Fit, ...] | None]],
    district: District,
) -> dict[date, dict[str, Refusal]]:
    looked = {}
    for day, offered in _offered(fits, district).items():
        board = boards_on[day]
        if board is not None:
            looked[day] = Looked(board=board, parts=parts_on[day], offered=offered)
    return refusals(wish, looked, district=district)


def _offered(fits: Mapping[date, list[tuple[Fit, ...] | None]], district: District) -> dict[date, tuple[str, ...]]:
    """By day that was asked, the windows in which the wish fits."""
    keys = list(district.network.pickup_windows)
    return {
        day: tuple(key for key, fit in zip(keys, row, strict=True) if fit is not None) for day, row in fits.items()
    }  # fmt: skip


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
