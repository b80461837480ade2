"""Tables: one module per aggregate. Importing the package registers every table on `Base.metadata`."""

from recycling.models import (
    addresses,
    booking,
    counters,
    doorstep,
    idempotency,
    intake,
    job_run,
    ledger,
    limits,
    outbox,
    people,
    photo,
    plan,
    privacy,
    receipt,
    recovery,
    travel,
)
from recycling.models.base import Base

__all__ = [
    "Base",
    "addresses",
    "booking",
    "counters",
    "doorstep",
    "idempotency",
    "intake",
    "job_run",
    "ledger",
    "limits",
    "outbox",
    "people",
    "photo",
    "plan",
    "privacy",
    "receipt",
    "recovery",
    "travel",
]
