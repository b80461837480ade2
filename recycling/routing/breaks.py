"""The day on a clock without the break, for engines that know no breaks.

Everybody is taken to rest from one instant on, and later times move forward by the break's length. A sequence that is
feasible on that clock is nearly always feasible on the true one, with the break before or after the activity that spans
the instant; `timing.py` then places the real break, anywhere in its window.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from recycling.routing.problem import Break, Problem, Stop, Vehicle


@dataclass(frozen=True, slots=True, kw_only=True)
class Squeeze:
    """The clock that stands still for ``length_s`` from ``from_s`` on."""

    from_s: int
    length_s: int

    @classmethod
    def common(cls, problem: Problem) -> Squeeze:
        """The squeeze that fits most vehicles; one of length 0 when most have no break.

        The instant is a third into the window, so that an activity begun before may still end inside it.
        """
        rests = Counter(v.break_ for v in problem.vehicles)
        rest: Break | None = rests.most_common(1)[0][0] if rests else None
        if rest is None:
            return cls(from_s=0, length_s=0)
        opens, closes = rest.window_s
        return cls(from_s=opens + (closes - opens) // 3, length_s=rest.duration_s)

    def instant(self, second: int) -> int:
        """A true instant on the squeezed clock."""
        return second if second <= self.from_s else max(self.from_s, second - self.length_s)

    def interval(self, interval: tuple[int, int]) -> tuple[int, int]:
        """A true interval on the squeezed clock."""
        return self.instant(interval[0]), self.instant(interval[1])

    def problem(self, problem: Problem) -> Problem:
        """The same day on the squeezed clock, without breaks."""
        return replace(
            problem,
            stations=tuple(replace(s, open_s=self.interval(s.open_s)) for s in problem.stations),
            vehicles=tuple(map(self._vehicle, problem.vehicles)),
            stops=tuple(map(self._stop, problem.stops)),
        )

    def _stop(self, stop: Stop) -> Stop:
        return replace(stop, windows_s=tuple(map(self.interval, stop.windows_s)))

    def _vehicle(self, vehicle: Vehicle) -> Vehicle:
        first, last = vehicle.shift_s
        latest = self.instant(last + vehicle.max_overtime_s)
        start = vehicle.start
        return replace(
            vehicle,
            shift_s=(self.instant(first), self.instant(last)),
            max_overtime_s=latest - self.instant(last),
            max_duration_s=None if vehicle.max_duration_s is None else max(0, vehicle.max_duration_s - self.length_s),
            break_=None,
            start=None if start is None else replace(start, time_s=self.instant(start.time_s)),
        )
