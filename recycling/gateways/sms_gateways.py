"""The text-message gateway that the settings name."""

from __future__ import annotations

from collections.abc import Sequence

from recycling.gateways.http_sms import HttpSms, SmsProvider
from recycling.gateways.sms import LogSms, NullSms, SmsGateway
from recycling.gateways.sms_balance import BalancedSms, Choice


def sms_gateway(name: str, providers: Sequence[SmsProvider] = ()) -> SmsGateway:
    """``log``, ``none``, or ``http`` through the providers."""
    if name == "http":
        return BalancedSms(
            [Choice(name=provider.name, gateway=HttpSms(provider), weight=provider.weight) for provider in providers]
        )
    return LogSms() if name == "log" else NullSms()
