"""Text messages to residents. The default writes them to the log, the phone masked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from recycling.logs import logger, mask_phones

log = logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A text that a provider has taken, and its name there: receipts come under both."""

    provider: str
    reference: str


class SmsGateway(Protocol):
    """Sends one text to one mainland mobile number."""

    def send(self, phone: str, text: str, *, message_id: UUID) -> Accepted | None:
        """Hand the text over; ``None`` when nobody will send receipts for it.

        ``message_id`` is the same each time the same message is sent, so that a provider may leave the second one out.

        Raises
        ------
        SmsRefused
            When the number or the text is refused for good.
        NotTaken
            When it was certainly not taken.
        Unavailable
            When it is not known to be taken; it may have been.
        """


class LogSms:
    """Writes each message to the log instead of sending it: for development and for a district without a provider."""

    def send(self, phone: str, text: str, *, message_id: UUID) -> None:
        """Log the text under the masked phone."""
        log.info("sms.logged", to=mask_phones(phone), text=text, message_id=str(message_id))


class NullSms:
    """Sends nothing."""

    def send(self, phone: str, text: str, *, message_id: UUID) -> None:
        """Drop the text."""
