"""`flask audit`: an anchor by hand, and a verification that ends with 1 when something was changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from recycling.gateways.anchor_file import FILE
from recycling.models.audit import audit
from recycling.models.transaction import atomic
from recycling.policy.access import SYSTEM
from tests.conftest import NOW


@pytest.fixture
def said(app: Flask, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """What a command prints, with a folder for anchors."""
    monkeypatch.setitem(app.config, "AUDIT_ANCHOR_DIR", tmp_path / "anchors")

    def invoke(*words: str, exit_code: int = 0) -> str:
        answer = app.test_cli_runner().invoke(args=["audit", *words])
        assert answer.exit_code == exit_code, answer.output
        return answer.output

    return invoke


def test_an_anchor_is_made_and_everything_is_verified(said: object, session: Session, tmp_path: Path) -> None:
    assert callable(said)
    for number in range(3):
        with atomic(session):
            audit(session, action="report.made", subject=str(number), by=SYSTEM, now=NOW, facts={})
    assert said("anchor").startswith("anchor 1 of 2026-11-23: 3 audit rows, 0 tickets on 0 scales, mac ")
    assert said("verify").splitlines() == [
        "3 audit rows, 0 tickets, 1 anchors; from the start",
        "nothing was changed / 未发现改动",
    ]
    assert "0 audit rows, 0 tickets, 1 anchors; from the anchor of 2026-11-23T" in said(
        "verify", "--since", "2026-11-24"
    )
    # when the last two rows are cut off, head and anchors with them, and the bureau has a copy
    theirs = tmp_path / "bureau.jsonl"
    theirs.write_bytes((tmp_path / "anchors" / FILE).read_bytes())
    (tmp_path / "anchors" / FILE).unlink()
    session.rollback()
    session.execute(text("DELETE FROM audit_row WHERE number > 1"))
    session.execute(text("UPDATE audit_head SET last_number = 1, last_mac = (SELECT mac FROM audit_row)"))
    session.execute(text("DELETE FROM audit_anchor"))
    session.commit()
    said("verify")
    assert said("verify", "--anchors", str(theirs), exit_code=1).splitlines() == [
        "1 audit rows, 0 tickets, 1 anchors; from the start",
        "BROKEN audit_row 2–3: 末尾被删除 / cut off the end; known by: 锚定 / an anchor",
        "BROKEN anchor audit_anchor 1: 另存处有而库中无 / kept elsewhere, gone here",
        "2 findings / 发现 2 处异常",
    ]
