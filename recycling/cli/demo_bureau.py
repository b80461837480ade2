"""What the bureau's made-up clerks did before the demo day: years declared, a baseline stated, months signed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recycling.cli.demo_day import MADE_UP
from recycling.cli.demo_history import SOURCE, made_up_history
from recycling.cli.demo_work import Workplace
from recycling.clock import service_day, utc_now
from recycling.errors import NotInstalled
from recycling.models.history import DeclaredUpload
from recycling.models.intake import IntakeTicket
from recycling.models.publication import signatures_of
from recycling.models.recovery import month_after, month_of
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.usecases.reporting.baselines import StatedBaseline, propose_baseline
from recycling.usecases.reporting.declared_history import upload_history
from recycling.usecases.reporting.goal_report import make_goal_report
from recycling.usecases.reporting.history_table import read_history
from recycling.usecases.reporting.publish_report import publish_report
from recycling.usecases.reporting.sign_report import sign_report
from recycling.usecases.reporting.store_forecasts import store_forecasts

HISTORY_FILE = "demo-declared-history.csv"
BASE_YEAR, BASE_SCOPE = 2023, "household-appliances/2"


def declare_years(login: str, *, district: District, session: Session) -> None:
    """Years of made-up monthly figures, uploaded as a file, and the base year's sum of them, which nobody confirms.

    The file stays beside the database, for whoever wants to try the upload. Nothing happens where any was uploaded.
    """
    now = utc_now()
    if session.scalar(select(func.count()).select_from(DeclaredUpload)):
        session.rollback()
        return
    first = session.scalar(select(func.min(IntakeTicket.counts_on))) or service_day(now)
    # Of the month of the first ticket, too, unless it runs still: tickets tell whole months only.
    until = min(month_of(first), month_of(month_of(service_day(now)) - timedelta(days=1)))
    raw = made_up_history(district, until=until).encode()
    folder = Path(current_app.config["INSTANCE_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / HISTORY_FILE).write_bytes(raw)
    form, figures = read_history(
        raw, charset=None, source_document=SOURCE, this_month=month_of(service_day(now)), district=district
    )
    clerk = Workplace(district, session).clerk(login)
    upload_history(figures, raw=raw, form=form, source_document=SOURCE, by=clerk, session=session, now=now)
    year = [one for one in figures if one.month.year == BASE_YEAR and one.item_group != "furniture"]
    stated = StatedBaseline(
        scope=BASE_SCOPE, year=BASE_YEAR, units=sum(one.units or 0 for one in year),
        mass_g=sum(one.mass_g or 0 for one in year), source_document=SOURCE,
        document_sha256=hashlib.sha256(raw).hexdigest(), note=MADE_UP,
    )  # fmt: skip
    propose_baseline(stated, by=clerk, district=district, session=session, now=now)


def forecast_year(*, district: District, session: Session) -> None:
    """The forecasts that the night before would have made."""
    now = utc_now()
    store_forecasts(service_day(now) - timedelta(days=1), district=district, session=session, now=now)


def sign_months(logins: Sequence[str], *, district: District, session: Session) -> bool:
    """Reports of the months that are over, signed by one made-up clerk and published by another, marked as made up.

    Of several the newest has its first signature and waits for the second. False when this server cannot print.
    """
    today = service_day(utc_now())
    first = session.scalar(select(func.min(IntakeTicket.counts_on)))
    month, months = month_of(first or today), list[date]()
    while month < month_of(today):
        months.append(month)
        month = month_after(month)
    place = Workplace(district, session)
    clerks = [place.clerk(login) for login in logins]
    for month in months:
        waits = month == months[-1] and len(months) > 1
        try:
            _sign_month(month, clerks[:1] if waits else clerks, district=district, session=session)
        except NotInstalled:
            return False
    return True


def _sign_month(month: date, signers: Sequence[Principal], *, district: District, session: Session) -> None:
    """Make a month's report and have it signed; the second signer publishes it."""
    now = utc_now()
    report_id = make_goal_report(f"{month:%Y-%m}", district=district, session=session, now=now).id
    signed = len(signatures_of(session, [report_id])[report_id])
    if not signed:
        sign_report(report_id, by=signers[0], session=session, now=now)
    if signed < 2 and len(signers) == 2:
        publish_report(report_id, by=signers[1], district=district, session=session, now=now)
