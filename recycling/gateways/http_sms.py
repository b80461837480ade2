"""A text-message provider over HTTP: what it is sent and how its answer is read comes from the settings."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from uuid import UUID

from recycling.errors import NotTaken, SmsRefused, Unavailable
from recycling.gateways.one_post import PostAnswer, post_once
from recycling.gateways.sms import Accepted

SECONDS = 10.0  # for one attempt; two of them, and then some, lie within the lease of a message
LARGEST_ANSWER = 64 << 10
LONGEST_REFERENCE = 128
_SLOT = re.compile(r"\{(phone|text|message_id)\}")

# The text or its number is at fault, by HTTP's own word for it.
REFUSED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})
# Turned away at the door: too often, not by these credentials, not at this address.
TURNED_AWAY = frozenset({
    HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.TOO_MANY_REQUESTS,
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsProvider:
    """A provider as the settings describe it.

    Parameters
    ----------
    body
        The JSON that is sent; ``{phone}``, ``{text}`` and ``{message_id}`` in its strings are filled in.
    id_field
        Where in the answer the provider's name for the text stands.
    code_field, ok_codes, refused_codes
        For providers that answer 200 to everything: where the true answer stands, which codes mean accepted, and which
        that the number or text is refused for good. Any other code means: not taken, try later.
    receipt_secret
        What its receipts are signed with; without it none are taken.
    weight
        Its share among the providers while all of them are well.
    """

    name: str
    url: str = field(repr=False)  # may hold a key
    authorization: str = field(default="", repr=False)
    body: Mapping[str, Any]
    id_field: str
    code_field: str = ""
    ok_codes: frozenset[str] = frozenset()
    refused_codes: frozenset[str] = frozenset()
    receipt_secret: bytes = field(default=b"", repr=False)
    weight: int = 1


class HttpSms:
    """Sends texts through one provider, each of them once a call."""

    def __init__(self, provider: SmsProvider, *, seconds: float = SECONDS) -> None:
        self._provider, self._seconds = provider, seconds

    def send(self, phone: str, text: str, *, message_id: UUID) -> Accepted:
        """Hand a text over; see `SmsGateway.send`."""
        slots = {"phone": phone, "text": text, "message_id": str(message_id)}
        headers = {
            "Content-Type": "application/json", "Accept": "application/json", "Idempotency-Key": str(message_id),
        }  # fmt: skip
        if self._provider.authorization:
            headers["Authorization"] = self._provider.authorization
        answer = post_once(
            self._provider.url, body=json.dumps(_filled(self._provider.body, slots), ensure_ascii=False).encode(),
            headers=headers, seconds=self._seconds, largest=LARGEST_ANSWER,
        )  # fmt: skip
        return self._judged(answer)

    def _judged(self, answer: PostAnswer) -> Accepted:
        name, status = self._provider.name, answer.status
        if status in REFUSED:
            raise SmsRefused(f"{name} refuses this text or its number (status {status}) / 短信服务商拒收")
        if status in TURNED_AWAY or 300 <= status < 400:
            raise NotTaken(
                f"{name} turned the text away with status {status}; look at its address and key in SMS_PROVIDERS",
                retry_after_s=answer.retry_after_s,
            )
        if not 200 <= status < 300:
            # Behind a gateway's 502 or 504 the provider may have taken it all the same.
            raise Unavailable(f"{name} answered with status {status}", retry_after_s=answer.retry_after_s)
        content = _object(answer.content)
        if self._provider.code_field:
            self._judge_code(content)
        reference = content.get(self._provider.id_field)
        if (
            isinstance(reference, bool)
            or not isinstance(reference, str | int)
            or not 0 < len(str(reference)) <= LONGEST_REFERENCE
        ):
            # Said to be well, in words nobody can read: it may have been taken.
            raise Unavailable(
                f"{name} answered without a usable {self._provider.id_field!r}; it may have taken the text"
            )
        return Accepted(provider=name, reference=str(reference))

    def _judge_code(self, content: Mapping[str, Any]) -> None:
        provider, code = self._provider, str(content.get(self._provider.code_field))
        if code in provider.ok_codes:
            return
        if code in provider.refused_codes:
            raise SmsRefused(f"{provider.name} refuses this text or its number (code {code[:32]}) / 短信服务商拒收")
        if provider.code_field not in content:
            raise Unavailable(f"{provider.name} answered without {provider.code_field!r}; it may have taken the text")
        raise NotTaken(f"{provider.name} did not take the text (code {code[:32]})")


def _filled(template: Any, slots: Mapping[str, str]) -> Any:
    """A template with its slots filled, in one pass: what is filled in is never read as a slot."""
    if isinstance(template, str):
        return _SLOT.sub(lambda slot: slots[slot[1]], template)
    if isinstance(template, Mapping):
        return {name: _filled(value, slots) for name, value in template.items()}
    if isinstance(template, list | tuple):
        return [_filled(value, slots) for value in template]
    return template


def _object(text: bytes) -> Mapping[str, Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = None
    return content if isinstance(content, dict) else {}
