"""A run that is followed while it works (任务进度): it tells how far it is, and hears when it shall stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from recycling.errors import Busy
from recycling.logs import logger
from recycling.models.run_progress import tell
from recycling.models.transaction import DATABASE_ERRORS, atomic
from recycling.routing.solve import Progress

log = logger(__name__)

LEAST_PAUSE_S = 0.5  # between two writes: a screen shows no more, and a wish to stop is heard in time


class FollowedRun:
    """The worker's side of `RunProgress`. ``stop_asked`` is what was last heard.

    A database that is away is no reason to end a search: it goes on, and is told of later.
    """

    def __init__(self, run_id: UUID, *, session: Session, clock: Callable[[], datetime]) -> None:
        self._run_id, self._session, self._clock = run_id, session, clock
        self._not_before = 0.0
        self.stop_asked = False

    def tell(self, progress: Progress) -> None:
        """Write how far the search is, unless it was written just now. Call it while no transaction is open."""
        if time.monotonic() < self._not_before:
            return
        try:
            with atomic(self._session):
                self.stop_asked = tell(
                    self._session, self._run_id, elapsed_ms=round(1000 * progress.elapsed_s),
                    best_cost=progress.best_cost, stops_planned=progress.stops_planned,
                    stops_total=progress.stops_total, now=self._clock(),
                )  # fmt: skip
        except (Busy, *DATABASE_ERRORS) as error:
            log.warning("job.progress_untold", run_id=str(self._run_id), error=type(error).__name__)
        self._not_before = time.monotonic() + LEAST_PAUSE_S
