"""Events to the systems that subscribe to them (订阅推送): signed, each under one id however often it is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Protocol
from uuid import UUID

from recycling.errors import NotFound, Unavailable
from recycling.gateways.one_post import post_once
from recycling.policy.signature import signature

SECONDS = 10.0
LARGEST_ANSWER = 64 << 10
ID_HEADER, SIGNATURE_HEADER = "Webhook-Id", "Webhook-Signature"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A system that hears of messages of some kinds at an address of its own."""

    key: str
    url: str = field(repr=False)
    secret: bytes = field(repr=False)
    kinds: frozenset[str]


class WebhookGateway(Protocol):
    """Brings one event to one subscriber."""

    def send(self, subscriber: UUID, body: bytes, *, message_id: UUID, now: datetime) -> None:
        """Hand the event over.

        Raises
        ------
        NotFound
            When nobody subscribes under that id any more, or the subscriber says that its address is gone.
        Unavailable
            When it was not answered with success; it is sent again, under the same id.
        """


class NullWebhooks:
    """Nobody subscribes."""

    def send(self, subscriber: UUID, body: bytes, *, message_id: UUID, now: datetime) -> None:
        """Refuse: a message was left from when somebody did."""
        raise NotFound(f"nobody subscribes as {subscriber} any more; the event is kept")


class HttpWebhooks:
    """POSTs each event to the address in the settings and to nowhere else."""

    def __init__(
        self, subscriptions: Sequence[Subscription], *, id_of: Callable[[str], UUID], seconds: float = SECONDS
    ) -> None:
        self._known = {id_of(subscription.key): subscription for subscription in subscriptions}
        self._seconds = seconds

    def send(self, subscriber: UUID, body: bytes, *, message_id: UUID, now: datetime) -> None:
        """Hand the event over; see `WebhookGateway.send`."""
        known = self._known.get(subscriber)
        if known is None:
            return NullWebhooks().send(subscriber, body, message_id=message_id, now=now)
        headers = {
            "Content-Type": "application/json", ID_HEADER: str(message_id),
            # Signed at each attempt: the receiver refuses what was signed long ago.
            SIGNATURE_HEADER: signature(known.secret, body, at_s=int(now.timestamp())),
        }  # fmt: skip
        answer = post_once(known.url, body=body, headers=headers, seconds=self._seconds, largest=LARGEST_ANSWER)
        if answer.status == HTTPStatus.GONE:
            raise NotFound(f"{known.key} says that its address is gone; ask them, and correct WEBHOOKS")
        if not 200 <= answer.status < 300:
            raise Unavailable(f"{known.key} answered with status {answer.status}", retry_after_s=answer.retry_after_s)
        return None
