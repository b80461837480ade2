"""Text messages to residents. The default writes them to the log, the phone masked."""

from __future__ import annotations

from typing import Protocol

from recycling.logs import logger, mask_phones

log = logger(__name__)


class SmsGateway(Protocol):
    """Sends one text to one mainland mobile number."""

    def send(self, phone: str, text: str) -> None:
        """Hand the text over; raises `recycling.errors.Unavailable` when the provider does not take it."""


class LogSms:
    """Writes each message to the log instead of sending it: for development and for a district without a provider."""

    def send(self, phone: str, text: str) -> None:
        """Log the text under the masked phone."""
        log.info("sms.logged", to=mask_phones(phone), text=text)


class NullSms:
    """Sends nothing."""

    def send(self, phone: str, text: str) -> None:
        """Drop the text."""


def sms_gateway(name: str) -> SmsGateway:
    """The gateway a setting names."""
    return LogSms() if name == "log" else NullSms()
