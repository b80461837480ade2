"""The application on a clock that a test sets: from the booking of one day to the weigh-in of the next in seconds."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from werkzeug.http import http_date

from config.settings import from_environment
from recycling import clock

SET_IN = Path(os.environ["TEST_CLOCK_FILE"])


def shifted_now() -> datetime:
    """The instant written into the file, plus what has passed since it was written."""
    since = datetime.now(UTC) - datetime.fromtimestamp(SET_IN.stat().st_mtime, UTC)
    return datetime.fromisoformat(SET_IN.read_text(encoding="utf-8")) + since


real_now, clock.utc_now = clock.utc_now, shifted_now

# What answers say of the time goes by it too: a collector's phone sets its own clock right by that.
setattr(import_module("gunicorn.util"), "http_date", lambda _timestamp=None: http_date(shifted_now()))  # noqa: B010

# After the exchange: endpoints take `utc_now` by name when they are imported.
from recycling.app import create_app  # noqa: E402
from recycling.jobs import clockwork  # noqa: E402

# The scheduler asks the database for the time, and looks once a minute for what a jump of the clock has made due.
setattr(clockwork, "database_clock", lambda _sessions: shifted_now)  # noqa: B010  # a stand-in, typed more loosely
clockwork.SWEEP_S = 2
setattr(clockwork, "utc_now", real_now)  # noqa: B010  # APScheduler's own entries run by the machine's clock

app = create_app(from_environment())
