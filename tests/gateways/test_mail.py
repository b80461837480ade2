"""Mail to the bureau, handed to a real SMTP server: under one Message-ID, over TLS where asked, honest on refusal."""

from __future__ import annotations

import asyncio
import email
import hashlib
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.messaging import messaging
from recycling.errors import ConfigError, MailRefused, NotTaken, Unavailable
from recycling.gateways.mail import Attachment, MailAccount, MailSecurity, NullMail, SmtpMail, mail_gateway
from recycling.models.outbox import OutboxMessage, post
from recycling.models.publication import ReportFile
from recycling.models.transaction import atomic
from recycling.policy.district import District
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.messages.deliver import deliver_next
from tests.callers import KeptSms
from tests.loads import a_keeper, a_weighing
from tests.signers import a_published_report

AT = datetime(2026, 12, 3, 2, 0, tzinfo=UTC)
MESSAGE_ID = UUID(int=7)


class Mailbox:
    """An SMTP server in this process: it takes what RFC 5321 needs, and answers to RCPT and DATA as it is told."""

    def __init__(
        self, *, rcpt: str = "250 ok", after_data: str = "250 kept", tls: ssl.SSLContext | None = None
    ) -> None:
        self.rcpt, self.after_data, self.tls = rcpt, after_data, tls
        self.mails: list[bytes] = []
        self.said: list[str] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk to one client until it leaves."""

        async def say(words: str) -> None:
            writer.write(f"{words}\r\n".encode())
            await writer.drain()

        await say("220 mail.example")
        while line := (await reader.readline()).decode().strip():
            self.said.append(line)
            verb = line.split()[0].upper()
            if verb == "EHLO":
                await say("250-mail.example\r\n250-AUTH PLAIN\r\n250 STARTTLS" if self.tls else "250 mail.example")
            elif verb == "STARTTLS":
                await say("220 go ahead")
                await writer.start_tls(cast("ssl.SSLContext", self.tls))
            elif verb == "AUTH":
                await say("235 welcome")
            elif verb == "RCPT":
                await say(self.rcpt)
            elif verb == "DATA":
                await say("354 go on")
                self.mails.append((await reader.readuntil(b"\r\n.\r\n"))[:-5])
                await say(self.after_data)
            elif verb == "QUIT":
                await say("221 bye")
                break
            else:
                await say("250 ok")
        writer.close()

    @property
    def newest(self) -> EmailMessage:
        """The last mail that came."""
        return email.message_from_bytes(self.mails[-1], policy=default)


@contextmanager
def running(mailbox: Mailbox, *, implicit_tls: bool = False) -> Iterator[Mailbox]:
    """The server on a port nobody else has, in its own thread."""
    loop, ready = asyncio.new_event_loop(), threading.Event()
    servers: list[asyncio.Server] = []

    async def begin() -> None:
        secured = mailbox.tls if implicit_tls else None
        servers.append(await asyncio.start_server(mailbox.serve, "127.0.0.1", 0, ssl=secured, limit=1 << 24))
        mailbox.port = servers[0].sockets[0].getsockname()[1]
        ready.set()

    async def end() -> None:
        servers[0].close()
        await servers[0].wait_closed()
        await asyncio.sleep(0.05)  # for what still says goodbye

    def run() -> None:
        loop.run_until_complete(begin())
        loop.run_forever()
        loop.run_until_complete(end())
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(5)
    try:
        yield mailbox
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


def gateway(mailbox: Mailbox, *, security: MailSecurity = "none", **fields: Any) -> SmtpMail:
    context, user = fields.pop("context", None), fields.pop("user", "")
    account = MailAccount(
        host="127.0.0.1", port=mailbox.port, security=security, sender="report@recycling.example",
        recipients=("bureau@xuecheng.example", "copy@xuecheng.example"), user=user, password="p" if user else "",
    )  # fmt: skip
    return SmtpMail(account, context=context, seconds=5)


def send(mail: SmtpMail, **fields: Any) -> bool:
    return mail.send("【薛城回收】报告", "正文 text", message_id=MESSAGE_ID, sent_at=AT, **fields)


def test_a_mail_arrives_whole_and_under_the_same_id_each_time() -> None:
    with running(Mailbox()) as mailbox:
        mail = gateway(mailbox)
        file = Attachment(name="报告.pdf", media_type="application/pdf", content=bytes(range(256)))
        for _ in range(2):
            assert send(mail, attachments=[file])
    found = mailbox.newest
    assert found["Subject"] == "【薛城回收】报告"
    assert found["To"] == "bureau@xuecheng.example, copy@xuecheng.example"
    assert found["Auto-Submitted"] == "auto-generated"
    body, attached = found.iter_parts()
    assert body.get_content().strip() == "正文 text"
    assert (attached.get_filename(), attached.get_content()) == ("报告.pdf", bytes(range(256)))
    ids = {email.message_from_bytes(one, policy=default)["Message-ID"] for one in mailbox.mails}
    assert (len(mailbox.mails), ids) == (2, {f"<{MESSAGE_ID}@recycling.example>"})


def test_a_refusal_for_good_is_final_and_any_other_failure_is_tried_again() -> None:
    for mailbox, error in (
        (Mailbox(rcpt="550 no such user"), MailRefused),
        (Mailbox(rcpt="450 later"), Unavailable),
        (Mailbox(after_data="554 spam"), MailRefused),
        (Mailbox(after_data="451 later"), Unavailable),
    ):
        with running(mailbox), pytest.raises(error):
            send(gateway(mailbox))
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        nobody = Mailbox()
        nobody.port = held.getsockname()[1]
        with pytest.raises(NotTaken):
            send(gateway(nobody))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody but the test trusts, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    built = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2090, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + built.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_over_tls_the_server_must_be_who_it_says(certificate: Path, security: MailSecurity) -> None:
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate)
    trusting = ssl.create_default_context(cafile=str(certificate))
    with running(Mailbox(tls=served), implicit_tls=security == "tls") as mailbox:
        assert send(gateway(mailbox, security=security, context=trusting, user="u"))
        # what is said after the greeting is said in secret; and a server that nobody vouches for gets nothing
        assert any(line.startswith("AUTH") for line in mailbox.said)
        with pytest.raises(Unavailable):
            send(gateway(mailbox, security=security))
    assert len(mailbox.mails) == 1


def test_a_published_report_goes_to_the_bureau_with_its_files(
    session: Session, district: District, now: datetime
) -> None:
    weigh_in(a_weighing(), scale_number="1", by=a_keeper(), district=district, session=session, now=now)
    report_id = a_published_report(session, district=district, now=AT).id
    files = {
        row.form: row.sha256 for row in session.scalars(select(ReportFile).where(ReportFile.report_id == report_id))
    }
    with running(Mailbox(after_data="451 later")) as mailbox:
        # given a server that refuses the first time
        mail = gateway(mailbox)

        def deliver(at: datetime) -> str | None:
            return deliver_next(sms=KeptSms(), district=district, session=session, mail=mail, now=at)

        assert [deliver(AT) for _ in range(2)] == ["put_off", "put_off"]
        mailbox.after_data = "250 kept"
        later = AT + timedelta(minutes=5)
        assert [deliver(later) for _ in range(3)] == ["sent", "sent", None]
    mails = [email.message_from_bytes(one, policy=default) for one in mailbox.mails]
    found = [one for one in mails if "已签发" in one["Subject"]][-1]
    body, *attached = found.iter_parts()
    assert f"/goal-reports/{report_id}" in body.get_content()
    # then what is attached are the very bytes that were signed
    names = {part.get_filename(): hashlib.sha256(part.get_content()).hexdigest() for part in attached}
    assert names == {f"goal-report-2026-11-v1.{form}": files[form] for form in ("pdf", "xlsx")}
    # and the second attempt bears the id of the first, so that a reader keeps one
    ids = [one["Message-ID"] for one in mails]
    assert (len(ids), len(set(ids))) == (4, 2)


def test_without_an_account_the_log_is_the_bureaus(session: Session, district: District, now: datetime) -> None:
    with atomic(session):
        facts = {"report_id": str(MESSAGE_ID), "period": "2026-11", "version": 1}
        post(session, dedupe_key="r", kind="goal_report.made", to=("bureau", None), facts=facts, now=now)
    assert isinstance(mail_gateway({}), NullMail)
    assert deliver_next(sms=KeptSms(), district=district, session=session, now=now) == "sent"
    assert session.scalars(select(OutboxMessage.sent_at)).one() is not None


GOOD = {"MAIL_SERVER": "mail.example:465", "MAIL_FROM": "a@b.example", "MAIL_TO": "c@d.example, e@f.example"}


def test_the_account_comes_from_the_environment_and_a_wrong_value_is_named() -> None:
    found = messaging(GOOD, production=True)["MAIL"]
    assert (found.port, found.security, found.recipients) == (465, "tls", ("c@d.example", "e@f.example"))
    assert isinstance(mail_gateway({"MAIL": found}), SmtpMail)
    assert "secret" not in repr(messaging(GOOD | {"MAIL_USER": "u", "MAIL_PASSWORD": "secret"}, production=True))
    assert messaging({}, production=True)["MAIL"] is None
    for name, value in (
        ("MAIL_SERVER", "mail.example"), ("MAIL_SERVER", "http://mail.example:25"), ("MAIL_SERVER", "mail.example:0"),
        ("MAIL_SECURITY", "ssl"), ("MAIL_SECURITY", "none"), ("MAIL_FROM", "a@b\r\nBcc: x@y"), ("MAIL_TO", ""),
        ("MAIL_TO", "c@d.example,nobody"), ("MAIL_USER", "u"),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=name):
            messaging(GOOD | {name: value}, production=True)
