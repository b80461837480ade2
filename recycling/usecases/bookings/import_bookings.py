"""Book for an institution (单位批量预约): all bookings of a table in one transaction, or none and every reason by line.

The places are searched, and the routes made ready to be written, before anything is locked, each booking on the routes
as the one before leaves them. Under the lock of all days, taken in ascending sequence, the routes of a day that nobody
has changed since take their place in one step; on any other day the bookings take theirs one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import InvalidInput, WindowClosed, WindowFull
from recycling.logs import logger
from recycling.models.booking import Booking
from recycling.models.outbox import post
from recycling.models.people import Resident, resident_of
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.routing.board import Board, Window
from recycling.routing.standing import Visit
from recycling.usecases.bookings.history import note_change, tell_booked
from recycling.usecases.bookings.import_table import FORM, ImportedWish
from recycling.usecases.bookings.linked import Part, parts_of, visits
from recycling.usecases.bookings.place import ForPerson, rows_of, write_rows
from recycling.usecases.bookings.promise import Judged, area_of, check_bookable, check_consents, needs, place_of
from recycling.usecases.bookings.proposals import Proposal, fits_together, propose_together
from recycling.usecases.bookings.tentative import DayDraft, Exchange, boards, changing, exchange
from recycling.usecases.csv_table import Faults

log = logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """One booking of the table as it will be made: its visits, the id of each, and their proven places."""

    said: ImportedWish
    parts: tuple[Part, ...]
    booking_ids: tuple[UUID, ...]
    proposals: tuple[Proposal, ...] = ()

    def asked(self, window: Window) -> list[Visit]:
        """Its visits by their ids."""
        return [
            part.judged.visit(str(booking_id), window)
            for part, booking_id in zip(self.parts, self.booking_ids, strict=True)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """A whole table, proven: by day the routes that it was proven on, and those that it makes of them."""

    bookings: tuple[Rehearsed, ...] = ()
    seen: Mapping[date, Board] = field(default_factory=dict)
    ready: Mapping[date, Exchange] = field(default_factory=dict)


def rehearse_import(
    wishes: Sequence[ImportedWish], *, district: District, session: Session, now: datetime
) -> Rehearsal:
    """Judge every booking and prove that all of them fit together; writes and locks nothing.

    Raises
    ------
    RowsRefused
        With every booking that cannot be made, by line; one without a place names the windows open on its day.
    """
    judged, faults = _judged(wishes, district=district, session=session, now=now)
    routes = boards(session, sorted({one.said.wish.day for one in judged}), district=district)
    session.rollback()  # what follows takes a while, and needs no database
    seen = {day: board for day, board in routes.items() if board is not None}
    drafts = {day: board.copy() for day, board in seen.items()}
    placed = []
    for one in judged:
        board = drafts.get(one.said.wish.day)
        if board is None:
            faults.add(one.said.lines[0], "day", "当日路线已排定，请改约", "the routes of that day are already planned")
            continue
        window = district.network.pickup_windows[one.said.wish.pickup_window].window_s
        proposals = propose_together(board, one.asked(window), window)
        if proposals is None:
            _full(one, board, faults, district=district)
            continue
        for proposal in proposals:
            board.put(proposal.route)
        placed.append(replace(one, proposals=proposals))
    if faults.found:
        raise faults.refuse(sum(len(wish.lines) for wish in wishes))
    # New visits have no place to leave.
    ready = {day: replace(exchange(before, drafts[day]), moved=frozenset()) for day, before in seen.items()}
    return Rehearsal(bookings=tuple(placed), seen=seen, ready=ready)


def book_import(
    rehearsal: Rehearsal, *, by: Principal, district: District, session: Session, now: datetime
) -> list[Booking]:
    """Make all bookings of a rehearsed table in one transaction, in its sequence.

    Raises
    ------
    RowsRefused
        When places were taken meanwhile and no others are left; nothing is then booked.
    WindowClosed
        When the plan of a day was published meanwhile.
    """
    with atomic(session):
        # Before the lock: nobody waits while they are put together and written.
        bookings = _rows(rehearsal.bookings, by=by, district=district, session=session, now=now)
        write_rows(session, [visit for visits in bookings for visit in visits])
        _tell(session, bookings, by=by, now=now)
        with changing(session, rehearsal.seen, district=district, now=now) as drafts:
            _take_places(rehearsal, drafts, district=district)
    log.info("bookings.imported", bookings=len(bookings), days=len(rehearsal.seen))
    return [visits[0] for visits in bookings]


def _take_places(rehearsal: Rehearsal, drafts: Mapping[date, DayDraft], *, district: District) -> None:
    overtaken = set()
    for day, draft in drafts.items():
        if draft.seen is rehearsal.seen[day] and draft.is_written:
            draft.replace_all(rehearsal.ready[day])
        else:
            overtaken.add(day)
    faults = Faults(form=FORM)
    for one in rehearsal.bookings:
        if one.said.wish.day in overtaken:
            draft = drafts[one.said.wish.day]
            window = district.network.pickup_windows[one.said.wish.pickup_window].window_s
            try:
                for visit, proposal in zip(one.asked(window), one.proposals, strict=True):
                    draft.take(visit, window, proposal=proposal)
            except WindowFull:
                _full(one, draft.board, faults, district=district)
    if faults.found:
        raise faults.refuse(sum(len(one.said.lines) for one in rehearsal.bookings))


def _judged(
    wishes: Sequence[ImportedWish], *, district: District, session: Session, now: datetime
) -> tuple[list[Rehearsed], Faults]:
    faults = Faults(form=FORM)
    named = {one.resident_id for one in wishes if one.resident_id is not None}
    known = set(session.scalars(select(Resident.id).where(Resident.id.in_(named)))) if named else set()
    judged = []
    for one in wishes:
        before, wish = len(faults.found), one.wish
        if one.resident_id is not None and one.resident_id not in known:
            faults.add(one.lines[0], "resident_id", "没有该居民", "is nobody's; give the phone instead")
        area = ""
        try:
            area = area_of(wish, district=district)
        except InvalidInput as error:
            _refused(one.lines[0], error, faults, column="lat")
        try:
            check_bookable(wish.day, wish.pickup_window, district=district, now=now)
        except (InvalidInput, WindowClosed) as error:
            _refused(one.lines[0], error, faults, column="day")
        else:  # of a day long past the catalogue would only say that it has no such item
            for line, item in zip(one.lines, wish.items, strict=True):
                try:
                    needs([item], floor=wish.floor, has_lift=wish.has_lift, day=wish.day, district=district)
                    check_consents([item], day=wish.day, district=district)
                except InvalidInput as error:
                    _refused(line, error, faults, column="item_type")
        if len(faults.found) == before:
            need = needs(wish.items, floor=wish.floor, has_lift=wish.has_lift, day=wish.day, district=district)
            parts = parts_of(wish, Judged(area=area, need=need, place=place_of(wish)), district=district)
            judged.append(Rehearsed(said=one, parts=parts, booking_ids=tuple(uuid4() for _ in parts)))
    return judged, faults


def _refused(line: int, error: InvalidInput | WindowClosed, faults: Faults, *, column: str) -> None:
    """A refusal of the domain as a fault of one line; a message that begins with a column's name is of that column."""
    first = error.message.partition(" ")[0].rstrip(":")
    if first in {"village_code", "pickup_window", "item_type", "quantity", "dismantle", "wipe_consent"}:
        column = first
    parts = error.message.split(" / ")
    faults.add(line, column, max(parts, key=_chinese), min(parts, key=_chinese))


def _chinese(text: str) -> int:
    return sum("一" <= character <= "鿿" for character in text)


def _full(one: Rehearsed, board: Board, faults: Faults, *, district: District) -> None:
    """Say which windows of the day could still take this booking."""
    windows = district.network.pickup_windows
    wished, spans = windows[one.said.wish.pickup_window], [window.window_s for window in windows.values()]
    fits = fits_together(board, visits(one.parts, spans[0]), spans)
    still = [window for window, fit in zip(windows.values(), fits, strict=True) if fit is not None]
    zh = f"当日可约：{'、'.join(window.name_zh for window in still)}" if still else "当日各时段均已约满，请改日"
    en = f"open that day: {', '.join(window.key for window in still)}" if still else "no window of that day is open"
    faults.add(
        one.said.lines[0], "pickup_window", f"{wished.name_zh} 已排不下；{zh}",
        f"no route can take this in {wished.key}; {en}",
    )  # fmt: skip


def _rows(
    rehearsed: Sequence[Rehearsed], *, by: Principal, district: District, session: Session, now: datetime
) -> list[list[Booking]]:
    """The visits of each booking of the table, not inserted yet; the contacts that were not known are."""
    phones = sorted({one.said.phone for one in rehearsed if one.said.phone is not None})
    contacts: Mapping[str | None, UUID] = {phone: resident_of(session, phone, now=now) for phone in phones}
    bookings = []
    for one in rehearsed:
        whom = ForPerson(resident_id=one.said.resident_id or contacts[one.said.phone], consent="institution")
        bookings.append(
            rows_of(one.parts, ids=one.booking_ids, whom=whom, by=by, district=district, now=now)
        )  # fmt: skip
    return bookings


def _tell(session: Session, bookings: Sequence[Sequence[Booking]], *, by: Principal, now: datetime) -> None:
    """A confirmation for each contact: of their one booking, or of all of them together."""
    count = Counter(visits[0].resident_id for visits in bookings)
    first: dict[UUID, tuple[date, str]] = {}
    for booking, *further in bookings:
        if count[booking.resident_id] == 1:
            tell_booked(session, booking, by=by, now=now, parts=further)
            continue
        for visit in (booking, *further):
            note_change(session, visit, kind="booked", by=by, now=now)
        earliest = first.setdefault(booking.resident_id, (booking.day, booking.pickup_window))
        first[booking.resident_id] = min(earliest, (booking.day, booking.pickup_window))
    for resident_id, (day, window) in first.items():
        post(
            session,
            dedupe_key=f"bookings.imported:{resident_id}:{bookings[0][0].id}",
            kind="bookings.imported",
            to=("resident", resident_id),
            facts={"day": str(day), "pickup_window": window, "bookings": count[resident_id]},
            now=now,
        )
