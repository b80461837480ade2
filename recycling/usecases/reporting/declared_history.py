"""Take the bureau's declared history (申报历史数据): a file whole or not at all, a later one above an earlier one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from recycling.errors import Busy, Conflict
from recycling.logs import logger
from recycling.models.audit import audit
from recycling.models.base import insert_if_absent
from recycling.models.history import DeclaredFigure, DeclaredUpload
from recycling.models.transaction import atomic
from recycling.policy.access import Principal
from recycling.usecases.reporting.history_table import Declared

log = logger(__name__)


def rehearse_upload(figures: Sequence[Declared], *, form: str, session: Session) -> dict[str, Any]:
    """What a file would declare, and the months of it that an earlier one holds; nothing is kept."""
    months = {one.month for one in figures}
    held = select(DeclaredFigure.month).where(DeclaredFigure.month.in_(months)).distinct()
    return {
        "form": form, "figures": len(figures), "first_month": min(months), "last_month": max(months),
        "supersedes": sorted(session.scalars(held)),
    }  # fmt: skip


def upload_history(
    figures: Sequence[Declared], *, raw: bytes, form: str, source_document: str, by: Principal, session: Session,
    now: datetime,
) -> DeclaredUpload:  # fmt: skip
    """Keep the figures of a file; of each month in it they count from now on, and what stood before stays to be read.

    Raises
    ------
    Conflict
        When the newest upload is this very file.
    Busy
        When somebody else is just uploading one.
    """
    sha256 = hashlib.sha256(raw).hexdigest()
    with atomic(session):
        newest = session.scalar(select(DeclaredUpload).order_by(DeclaredUpload.number.desc()).limit(1))
        if newest is not None and newest.sha256 == sha256:
            raise Conflict(
                f"this very file is upload {newest.number} already, of {newest.uploaded_at:%Y-%m-%d}; nothing is left"
                f" to do / 该文件已作为第 {newest.number} 次上传，无需重复提交"
            )
        number = 1 + (newest.number if newest is not None else 0)
        months = [one.month for one in figures]
        made = insert_if_absent(
            session, DeclaredUpload, number=number, sha256=sha256, form=form, source_document=source_document,
            figures=len(figures), first_month=min(months), last_month=max(months), uploaded_by_id=by.id,
            uploaded_at=now,
        )  # fmt: skip
        if not made:
            raise Busy("another file is just being uploaded; send it again in a moment / 请稍后重试")
        session.execute(insert(DeclaredFigure), [{"upload_number": number} | asdict(one) for one in figures])
        audit(
            session, action="history.declared", subject=str(number), by=by, now=now,
            facts={
                "sha256": sha256, "form": form, "source_document": source_document, "figures": len(figures),
                "first_month": f"{min(months):%Y-%m}", "last_month": f"{max(months):%Y-%m}",
            },
        )  # fmt: skip
        upload = session.get_one(DeclaredUpload, number)
    log.info("history.declared", number=number, sha256=sha256, figures=len(figures), by_id=str(by.id))
    return upload
