"""The systems that subscribe to messages (订阅方), as the outbox needs to know them: set once by `create_app`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID, uuid5

# Any fixed one will do; a subscriber is then the same recipient in every process and after every start.
_SUBSCRIBERS = UUID("5b0f0c6e-6d0b-4c7e-9c55-6f6d1f1f7a10")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A system that hears of messages of some kinds; ``key`` names it in the configuration."""

    key: str
    kinds: frozenset[str]

    @property
    def id(self) -> UUID:
        """The subscriber as the recipient of a message."""
        return subscriber_id(self.key)


def subscriber_id(key: str) -> UUID:
    """The id under which the outbox knows a subscriber."""
    return uuid5(_SUBSCRIBERS, key)


class Subscribers:
    """Who hears of which kind. The outbox asks inside the transaction that posts, so nobody is forgotten by a crash."""

    def __init__(self) -> None:
        self._by_kind: dict[str, tuple[Subscriber, ...]] = {}

    def configure(self, all_of_them: Iterable[Subscriber]) -> None:
        """Set who subscribes; called at the start of each process."""
        known = tuple(all_of_them)
        kinds = {kind for subscriber in known for kind in subscriber.kinds}
        self._by_kind = {kind: tuple(one for one in known if kind in one.kinds) for kind in kinds}

    def of(self, kind: str) -> tuple[Subscriber, ...]:
        """Who subscribes to a kind."""
        return self._by_kind.get(kind, ())


subscribers = Subscribers()
