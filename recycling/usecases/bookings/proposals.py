"""The shared step of everything that looks for a place: proofs that visits fit into the tentative routes of a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from recycling.logs import logger
from recycling.models.encrypted import Sealed
from recycling.routing.board import Board, Fit, Window
from recycling.routing.standing import StandingRoute, Visit, with_visit

log = logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A proven place: the route before and after, and what the stations' limits left for it.

    ``stored`` is the route after as the ledger keeps it, where that was made ready beforehand.
    """

    fit: Fit
    before: StandingRoute
    route: StandingRoute
    room: tuple[tuple[int, ...], ...]
    stored: Sealed | None = None

    def still_holds(self, board: Board) -> bool:
        """Whether the proof is one for these routes too."""
        vehicle = self.fit.vehicle
        return board.route(vehicle) is self.before and board.room(vehicle) == self.room


def propose(board: Board, visit: Visit, window: Window) -> Proposal | None:
    """Prove a place for a visit, exactly; ``None`` when there is none."""
    fit = board.fits(visit, [window])[0]
    if fit is None:
        return None
    before, room = board.route(fit.vehicle), board.room(fit.vehicle)
    route = with_visit(board.frame, before, visit, fit.position, room=room)
    if route is None:
        log.error("promise.unproven", vehicle=fit.vehicle, day=str(board.frame.day))
        return None
    return Proposal(fit=fit, before=before, route=route, room=room)


def propose_together(board: Board, visits: Sequence[Visit], window: Window) -> tuple[Proposal, ...] | None:
    """Prove places for all visits of a booking, each on the routes as the one before leaves them."""
    rehearsal = board if len(visits) == 1 else board.copy()
    found: list[Proposal] = []
    for visit in visits:
        proposal = propose(rehearsal, replace(visit, windows_s=(window,)), window)
        if proposal is None:
            return None
        found.append(proposal)
        if len(visits) > 1:
            rehearsal.put(proposal.route)
    return tuple(found)


def fits_together(
    board: Board, visits: Sequence[Visit], windows: Sequence[Window]
) -> list[tuple[Fit, ...] | None]:  # fmt: skip
    """By window, where all visits of a booking fit together."""
    alone = [board.fits(visit, windows) for visit in visits]
    if len(visits) == 1:
        return [None if fit is None else (fit,) for fit in alone[0]]
    found: list[tuple[Fit, ...] | None] = []
    for n, window in enumerate(windows):
        # What has no place by itself has none beside the others, and need not be rehearsed.
        shut = any(fits[n] is None for fits in alone)
        proposals = None if shut else propose_together(board, visits, window)
        found.append(None if proposals is None else tuple(one.fit for one in proposals))
    return found
