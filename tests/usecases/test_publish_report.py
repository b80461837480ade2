"""Publishing by two people, the month it closes, and the files that are kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models.people import Staff
from recycling.models.publication import FORMS, ReportFile
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.reporting.goal_report import make_goal_report
from recycling.usecases.reporting.publish_report import publish_report
from recycling.usecases.reporting.sign_report import sign_report
from recycling.usecases.reporting.verify_report import verify_report
from tests.loads import a_keeper, a_line, a_weighing


def test_try(session: Session, district: District, now: datetime) -> None:
    def person(role):
        row = Staff(id=uuid4(), login=f"x{uuid4()}", name="某某 <b>=1", role=role, password_hash="-", created_at=now)
        session.add(row); session.commit()
        return Principal(id=row.id, role=role)
    a, b = person("clerk"), person("admin")
    for n in range(5):
        weigh_in(a_weighing(a_line("fridge", 1, 41_300), a_line("fan"), net_g=46_300), scale_number="1", by=a_keeper(), district=district, session=session, now=now + timedelta(hours=n))
    later = now + timedelta(days=10)
    r = make_goal_report("2026-11", district=district, session=session, now=later)
    rid = r.id
    sign_report(rid, by=a, session=session, now=later)
    publish_report(rid, by=b, district=district, session=session, now=later)
    for f in session.scalars(select(ReportFile)):
        open(f"/tmp/h/r.{f.form}", "wb").write(f.content)
        print(f.form, len(f.content), f.sha256, f.made_with)
    v = verify_report(rid, district=district, session=session)
    print(v.differences, v.notes)
    assert not v.differences
