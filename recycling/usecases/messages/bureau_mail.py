"""What goes to the bureau by mail beside a message's text (邮件内容): its subject, and a published report's files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.gateways.mail import Attachment
from recycling.models.publication import FileForm, ReportFile
from recycling.usecases.reporting.report_files import MEDIA_TYPES

ATTACHED: tuple[FileForm, ...] = ("xlsx", "pdf")
LARGEST_BYTES = 8 << 20  # of all files together; many servers refuse mails above 10 MiB, and base64 adds a third
SUBJECTS = {
    "goal_report.made": "目标进度报告已生成 / goal report made",
    "goal_report.published": "目标进度报告已签发 / goal report published",
    "goal_report.differs": "警报：报告与磅单不一致 / ALARM: report differs from its tickets",
}


def bureau_mail(kind: str, facts: Mapping[str, Any], *, session: Session) -> tuple[str, list[Attachment]]:
    """Subject and attachments; files too large for a mail are fetched with the address in the text."""
    subject = f"【薛城回收】{SUBJECTS.get(kind, kind)} {facts.get('period', '')}".strip()
    if kind != "goal_report.published":
        return subject, []
    name = f"goal-report-{facts['period']}-v{facts['version']}"
    wanted = select(ReportFile).where(ReportFile.report_id == UUID(facts["report_id"]), ReportFile.form.in_(ATTACHED))
    files = [
        Attachment(name=f"{name}.{row.form}", media_type=MEDIA_TYPES[row.form], content=row.content)
        for row in session.scalars(wanted.order_by(ReportFile.form))
    ]
    return subject, files if sum(len(one.content) for one in files) <= LARGEST_BYTES else []
