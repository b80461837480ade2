"""When something happened that a phone with a wrong clock recorded: pure arithmetic on what it tells of its clocks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

FLAGGED_FROM = timedelta(minutes=5)
QUARANTINED_FROM = timedelta(hours=24)
# A counter that runs since the phone was started; beyond this it has hardly run through, whatever it says.
LONGEST_RUN = timedelta(days=31)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceClock:
    """What a device's clocks showed at one instant.

    Parameters
    ----------
    device_time
        The clock that people see and can set.
    monotonic_ms
        Milliseconds since the device was started, which nobody can set; ``None`` when it does not tell.
    boot_id
        Names that start: two counts are compared within one start only.
    """

    device_time: datetime
    monotonic_ms: int | None = None
    boot_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkedOut:
    """When it happened, never after it was received, and how far the device's clock was off (positive: ahead).

    ``skew`` is ``None`` when nothing tells.
    """

    made_at: datetime
    skew: timedelta | None

    @property
    def flagged(self) -> bool:
        """Whether the clock was off by more than people let pass."""
        return self.skew is not None and abs(self.skew) > FLAGGED_FROM

    @property
    def quarantined(self) -> bool:
        """Whether the clock was so far off that a person has to look first."""
        return self.skew is not None and abs(self.skew) > QUARANTINED_FROM


def worked_out(event: DeviceClock, sent: DeviceClock | None, *, received_at: datetime) -> WorkedOut:
    """Work out when an event happened.

    The counter since the device was started is believed first; else the clock's difference from ours when the event
    was sent is taken to have been the same when it was made. With neither, the clock is believed as far as it does not
    claim to be ahead of us.
    """
    if sent is None:
        ahead = event.device_time - received_at
        return WorkedOut(
            made_at=min(event.device_time, received_at), skew=ahead if ahead > timedelta() else None
        )  # fmt: skip
    elapsed = _elapsed(event, sent)
    if elapsed is not None:
        made_at = received_at - elapsed
    else:
        made_at = event.device_time + (received_at - sent.device_time)
    made_at = min(made_at, received_at)
    return WorkedOut(made_at=made_at, skew=event.device_time - made_at)


def _elapsed(event: DeviceClock, sent: DeviceClock) -> timedelta | None:
    if event.monotonic_ms is None or sent.monotonic_ms is None or event.boot_id != sent.boot_id:
        return None
    elapsed = timedelta(milliseconds=sent.monotonic_ms - event.monotonic_ms)
    return elapsed if timedelta() <= elapsed <= LONGEST_RUN else None
