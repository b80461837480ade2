"""Tables: one module per aggregate. Importing the package registers every table on `Base.metadata`."""

from recycling.models import (
    booking,
    counters,
    doorstep,
    idempotency,
    intake,
    job_run,
    ledger,
    outbox,
    people,
    plan,
    recovery,
    recurring,
    travel,
    waiting,
)
from recycling.models.base import Base

__all__ = [
    "Base",
    "booking",
    "counters",
    "doorstep",
    "idempotency",
    "intake",
    "job_run",
    "ledger",
    "outbox",
    "people",
    "plan",
    "recovery",
    "recurring",
    "travel",
    "waiting",
]
