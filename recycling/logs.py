"""Structured logs: one JSON line per fact, a constant event name, identifiers instead of objects, no personal data."""

from __future__ import annotations

import io
import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO, cast

import structlog

# Eleven digits starting 13–19, perhaps after 86: a mainland mobile number, and no part of a hexadecimal id.
# The safety net behind the rule "log identifiers only".
PHONE = re.compile(r"(?<![0-9a-f])((?:86)?1[3-9]\d)\d{4}(\d{4})(?![0-9a-f])")


def mask_phones(text: str) -> str:
    """Hide the middle of every mobile number in a text."""
    return PHONE.sub(r"\1****\2", text)


_write_json = structlog.processors.JSONRenderer(ensure_ascii=False)


def _write_masked(logger_: Any, method: str, line: MutableMapping[str, Any]) -> str:
    """Write the line, then mask it: whatever was nested in it is text by now."""
    return mask_phones(str(_write_json(logger_, method, line)))


class _Stderr(io.TextIOBase):
    """Standard error as it is at each line: a test or a command runner may have exchanged it since the start."""

    def write(self, text: str) -> int:
        """Write a line."""
        return sys.stderr.write(text)

    def flush(self) -> None:
        """Let it be seen."""
        sys.stderr.flush()


def configure_logs(level: str) -> None:
    """Send structlog and the standard library's loggers to stderr as JSON lines."""
    chain: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*chain, _write_masked],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Stderr())),
        cache_logger_on_first_use=False,  # a module's logger follows a later configuration
    )
    handler = logging.StreamHandler(_Stderr())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=chain,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _write_masked,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Their every tick and look at the schema is no fact worth a line; urllib3 would write addresses with their keys.
    for chatty in ("apscheduler", "alembic", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def logger(name: str) -> structlog.BoundLogger:
    """The module's logger; ``log.info("booking.created", booking_id=…)`` writes one line."""
    found: structlog.BoundLogger = structlog.get_logger(module=name)
    return found
