"""Mail to the bureau (邮件) by SMTP, over TLS where the settings say so; one Message-ID however often it is sent."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Literal, Protocol
from uuid import UUID

from recycling.errors import MailRefused, NotTaken, Unavailable

MailSecurity = Literal["none", "starttls", "tls"]

SECONDS = 20.0  # for each answer of the server; a whole mail ends within the lease of its message
LONGEST_SUBJECT = 120
TRY_AGAIN_BELOW = 500  # SMTP: 4xx passes, 5xx stays (RFC 5321, 4.2.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes with a mail."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailAccount:
    """Where mail is handed in, for whom, and to whom it goes."""

    host: str
    port: int
    security: MailSecurity
    sender: str
    recipients: tuple[str, ...]
    user: str = ""
    password: str = field(default="", repr=False)


class MailGateway(Protocol):
    """Brings one mail to the bureau."""

    def send(
        self, subject: str, text: str, *, message_id: UUID, sent_at: datetime, attachments: Sequence[Attachment] = ()
    ) -> bool:
        """Hand a mail in; false when there is nobody to mail to, and the log is the bureau's.

        Raises
        ------
        MailRefused
            When the server refuses it for good.
        Unavailable
            When it was not taken, or may have been; it is sent again, under the same Message-ID.
        """


class NullMail:
    """No mail account is configured."""

    def send(
        self, subject: str, text: str, *, message_id: UUID, sent_at: datetime, attachments: Sequence[Attachment] = ()
    ) -> bool:
        """Send nothing."""
        return False


class SmtpMail:
    """Hands mail in at the server of the settings, and at no other."""

    def __init__(
        self, account: MailAccount, *, context: ssl.SSLContext | None = None, seconds: float = SECONDS
    ) -> None:
        self._account, self._seconds = account, seconds
        self._context = context or ssl.create_default_context()

    def send(
        self, subject: str, text: str, *, message_id: UUID, sent_at: datetime, attachments: Sequence[Attachment] = ()
    ) -> bool:
        """Hand a mail in; see `MailGateway.send`."""
        mail = self._mail(subject, text, message_id=message_id, sent_at=sent_at, attachments=attachments)
        host = self._account.host
        try:
            with self._connected() as server:
                refused = server.send_message(mail, self._account.sender, list(self._account.recipients))
        except smtplib.SMTPRecipientsRefused as error:
            raise _refusal(host, min(code for code, _ in error.recipients.values())) from None
        except smtplib.SMTPResponseException as error:
            raise _refusal(host, error.smtp_code) from None
        except (smtplib.SMTPException, ssl.SSLError, OSError) as error:
            if isinstance(error, ConnectionRefusedError):
                raise NotTaken(f"{host} cannot be reached ({type(error).__name__})") from None
            raise Unavailable(f"{host} broke off ({type(error).__name__}); it may have taken the mail") from None
        if refused:
            # Some have it. To send it again would only repeat it to them.
            raise MailRefused(f"{host} refuses {len(refused)} of {len(self._account.recipients)} recipients")
        return True

    def _connected(self) -> AbstractContextManager[smtplib.SMTP]:
        account = self._account
        if account.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                account.host, account.port, timeout=self._seconds, context=self._context
            )
        else:
            server = smtplib.SMTP(account.host, account.port, timeout=self._seconds)
        try:
            if account.security == "starttls":
                server.starttls(context=self._context)
            if account.user:
                server.login(account.user, account.password)
        except BaseException:
            server.close()
            raise
        return server

    def _mail(
        self, subject: str, text: str, *, message_id: UUID, sent_at: datetime, attachments: Sequence[Attachment]
    ) -> EmailMessage:
        """The mail, the same bytes at each attempt but for the boundary between its parts."""
        sender = Address(addr_spec=self._account.sender)
        mail = EmailMessage(policy=SMTP)
        mail["Subject"] = " ".join(subject.split())[:LONGEST_SUBJECT]
        mail["From"] = sender
        mail["To"] = [Address(addr_spec=one) for one in self._account.recipients]
        mail["Date"] = format_datetime(sent_at)
        mail["Message-ID"] = f"<{message_id}@{sender.domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(text)
        for one in attachments:
            main, _, sub = one.media_type.partition(";")[0].partition("/")
            mail.add_attachment(one.content, maintype=main, subtype=sub, filename=one.name)
        return mail


def mail_gateway(settings: Mapping[str, object]) -> MailGateway:
    """The gateway that the settings ask for."""
    account = settings.get("MAIL")
    return SmtpMail(account) if isinstance(account, MailAccount) else NullMail()


def _refusal(host: str, code: int) -> MailRefused | Unavailable:
    if code < TRY_AGAIN_BELOW:
        return Unavailable(f"{host} answered with {code}; the mail is sent again")
    return MailRefused(f"{host} refuses the mail for good ({code}); check MAIL_FROM, MAIL_TO and the account")
