"""The shared step of making good for a broken promise: windows of the next days that are open for just that booking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from recycling.errors import InvalidInput
from recycling.models.booking import Booking
from recycling.policy.district import District
from recycling.routing.board import Board
from recycling.usecases.bookings.linked import Part, parts_of
from recycling.usecases.bookings.promise import Judged, needs
from recycling.usecases.bookings.proposals import propose_together
from recycling.usecases.bookings.standing_wish import wish_of
from recycling.usecases.bookings.tentative import boards

OFFERED = 2  # one would be no choice; more would keep the other windows of the next days from everybody


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """A window of a later day."""

    day: date
    pickup_window: str


def alternatives(
    bookings: Mapping[UUID, Sequence[Booking]], *, district: District, session: Session, now: datetime
) -> dict[UUID, list[Alternative]]:
    """Two proven windows for each booking, given with its visits: the nearest days, its own window first.

    They are proven together: all that is offered here has a place beside all the rest, whoever takes what.
    """
    rehearsal = _Rehearsal(district=district, session=session, now=now)
    return {booking_id: rehearsal.offer(visits) for booking_id, visits in sorted(bookings.items())}


class _Rehearsal:
    """Copies of the tentative routes of the next days, on which everything offered so far has its place."""

    def __init__(self, *, district: District, session: Session, now: datetime) -> None:
        self.district, self.session = district, session
        self.days = district.booking_rules.bookable_days(now=now, calendar=district.calendar)
        self._boards: dict[date, Board | None] = {}

    def offer(self, visits: Sequence[Booking]) -> list[Alternative]:
        """Find and take two windows, on two days where that goes."""
        found: list[Alternative] = []
        for only_one_a_day in (True, False):
            for day in self.days:
                if len(found) < OFFERED and not (only_one_a_day and any(one.day == day for one in found)):
                    found.extend(self._on(day, visits, taken=found))
        return sorted(found[:OFFERED], key=lambda one: (one.day, one.pickup_window != visits[0].pickup_window))

    def _on(self, day: date, visits: Sequence[Booking], *, taken: Sequence[Alternative]) -> Iterator[Alternative]:
        """The first window of a day with a place for all visits, taken; none where there is none."""
        board, parts = self._board(day), self._parts(day, visits)
        if board is None or parts is None:
            return
        for key in self._windows(visits[0].pickup_window):
            one = Alternative(day=day, pickup_window=key)
            if one not in taken and self._take(board, parts, one, booking_id=visits[0].id):
                yield one
                return

    def _board(self, day: date) -> Board | None:
        if day not in self._boards:
            known = boards(self.session, [day], district=self.district)[day]
            self._boards[day] = None if known is None else known.copy()
        return self._boards[day]

    def _parts(self, day: date, visits: Sequence[Booking]) -> tuple[Part, ...] | None:
        wish = replace(wish_of(visits), day=day)
        try:
            need = needs(wish.items, floor=wish.floor, has_lift=wish.has_lift, day=day, district=self.district)
        except InvalidInput:  # an item that leaves the catalogue until then
            return None
        judged = Judged(area=visits[0].area, need=need, place=visits[0].place)
        return parts_of(wish, judged, district=self.district)

    def _windows(self, own: str) -> list[str]:
        """All windows, the booking's own first, then those that open nearest to it."""
        windows = self.district.network.pickup_windows
        opens = windows[own].window_s[0] if own in windows else 0
        return sorted(windows, key=lambda key: (key != own, abs(windows[key].window_s[0] - opens), key))

    def _take(self, board: Board, parts: Sequence[Part], one: Alternative, *, booking_id: UUID) -> bool:
        window = self.district.network.pickup_windows[one.pickup_window].window_s
        asked = [
            part.judged.visit(f"{booking_id}:{one.pickup_window}:{n}", window) for n, part in enumerate(parts)
        ]  # fmt: skip
        proposals = propose_together(board, asked, window)
        for proposal in proposals or ():
            board.put(proposal.route)
        return proposals is not None
