"""Declared figures are kept whole, superseded and never edited, and never mixed with what was weighed."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from recycling.errors import Conflict
from recycling.models.audit import AuditRow
from recycling.models.history import DeclaredFigure, DeclaredUpload
from recycling.policy.district import District
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.queries.declared import list_declared, list_uploads
from recycling.usecases.queries.invariants import figures
from recycling.usecases.reporting.goal_progress import goal_progress
from recycling.usecases.reporting.known_figures import ScopeFigures, figures_known
from tests.declared import CLERK, table_of, upload
from tests.invariants import assert_invariants, broken
from tests.loads import a_keeper, a_line, a_weighing

MARCH, APRIL = date(2025, 3, 1), date(2025, 4, 1)


def of(session: Session, district: District, on: date) -> ScopeFigures:
    """What is known of household appliances at the end of a day."""
    scope = next(scope for scope in district.goals.current_scopes() if scope.key == "household-appliances")
    return ScopeFigures(figures_known(on, session=session), scope, district=district)


def test_a_later_file_supersedes_the_months_it_holds_and_the_earlier_one_stays_to_be_read(
    session: Session, district: District, now: datetime
) -> None:
    # given March and April declared, and April again in a later file
    upload(table_of({MARCH: 100, APRIL: 100}), district=district, session=session, now=now)
    upload(table_of({APRIL: 120}), district=district, session=session, now=now)
    # then March counts by the first file, April by the second
    counting = list_declared(session=session, limit=100)["figures"]
    assert [(row["month"], row["item_group"], row["units"], row["upload_number"]) for row in counting] == [
        (MARCH, "appliance_14", 100, 1), (MARCH, "appliance_other", 0, 1),
        (APRIL, "appliance_14", 120, 2), (APRIL, "appliance_other", 0, 2),
    ]  # fmt: skip
    assert {row["provenance"] for row in counting} == {"declared"}
    # and the first file can be read as it was
    first = list_declared(session=session, limit=100, upload=1)["figures"]
    assert [row["units"] for row in first] == [100, 0, 100, 0]
    assert [row.number for row in list_uploads(session=session, limit=10)["uploads"]] == [2, 1]
    # and both uploads are on record
    facts = session.scalars(
        select(AuditRow.facts).where(AuditRow.action == "history.declared").order_by(AuditRow.number)
    ).all()
    assert [one["figures"] for one in facts] == [4, 2]
    assert_invariants(session)


def test_pages_of_figures_follow_each_other(session: Session, district: District, now: datetime) -> None:
    upload(
        table_of({date(2024, month, 1): month for month in range(1, 13)}), district=district, session=session, now=now
    )
    seen, cursor = [], None
    while True:
        page = list_declared(session=session, limit=5, cursor=cursor, first=date(2024, 2, 15))
        seen += [(row["month"].month, row["item_group"]) for row in page["figures"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [(month, group) for month in range(2, 13) for group in ("appliance_14", "appliance_other")]


def test_the_same_file_sent_again_is_refused_and_an_old_one_after_another_is_taken(
    session: Session, district: District, now: datetime
) -> None:
    first, second = table_of({MARCH: 100}), table_of({MARCH: 90})
    upload(first, district=district, session=session, now=now)
    with pytest.raises(Conflict, match="upload 1 already"):
        upload(first, district=district, session=session, now=now)
    upload(second, district=district, session=session, now=now)
    upload(first, district=district, session=session, now=now)
    assert of(session, district, date(2026, 11, 22)).known("units").months == {MARCH: 100}


def test_declared_figures_do_not_move_progress(session: Session, district: District, now: datetime) -> None:
    before = goal_progress(district=district, session=session, now=now)
    upload(table_of({date(2026, 3, 1): 100}), district=district, session=session, now=now)
    assert goal_progress(district=district, session=session, now=now) == before


def test_of_a_month_either_the_tickets_count_or_the_declaration(
    session: Session, district: District, now: datetime
) -> None:
    # given the network's first ticket on 23 September, two more in October, one in November; August to October declared
    for months_back, count in ((61, 1), (30, 2), (0, 1)):
        for _ in range(count):
            weigh_in(
                a_weighing(a_line("fridge"), net_g=40_000), scale_number="1", by=a_keeper(), district=district,
                session=session, now=now - timedelta(days=months_back),
            )  # fmt: skip
    declared = {date(2026, month, 1): 100 for month in (8, 9, 10)}
    upload(table_of(declared), district=district, session=session, now=now)
    # then September, which tickets tell a week of, counts as declared, and October as weighed
    known = of(session, district, date(2026, 11, 23)).known("units")
    assert known.months == {date(2026, 8, 1): 100, date(2026, 9, 1): 100, date(2026, 10, 1): 2}
    assert known.declared == {date(2026, 8, 1), date(2026, 9, 1)}
    assert (known.so_far, known.year_to_date, known.so_far_is_whole) == (1, 203, True)
    # and at the end of September the week is not added to the declaration either
    assert of(session, district, date(2026, 9, 30)).known("mass").year_to_date == 6_000_000


def test_a_scope_is_told_only_by_a_declaration_of_all_its_groups(
    session: Session, district: District, now: datetime
) -> None:
    head = "month,item_type,item_group,town_unit,units,mass_kg\n"
    rows = (
        "2025-03,,appliance_14,,10,\n"  # says nothing of the other appliances
        "2025-04,fridge,,lincheng,10,400\n2025-04,fan,,xingren,5,\n"  # masses of one of them only
    )
    upload(head + rows, district=district, session=session, now=now)
    found = of(session, district, date(2025, 12, 31))
    assert found.known("units").months == {APRIL: 15}
    assert found.known("mass").months == {}
    # and parts as far as it goes down to them: nothing from Shagou is zero
    assert found.known("units", "town", "lincheng").months == {APRIL: 10}
    assert found.known("units", "town", "shagou").months == {APRIL: 0}
    assert found.known("units", "item_type", "fan").months == {APRIL: 5}
    assert found.known("mass", "item_type", "fridge").months == {APRIL: 400_000}


@pytest.mark.parametrize(
    "change", ["DELETE FROM declared_figure WHERE units = 0", "UPDATE declared_figure SET month = '2020-01-01'"]
)
def test_a_figure_taken_out_of_an_upload_is_found(
    change: str, session: Session, district: District, now: datetime
) -> None:
    upload(table_of({MARCH: 100}), district=district, session=session, now=now)
    session.execute(text(change))
    session.commit()
    rule = figures.uploads_are_whole
    assert set(broken(session)) == {f"{rule.key} {rule.rule}"}


def test_a_stored_upload_is_never_changed(session: Session, district: District, now: datetime) -> None:
    upload(table_of({MARCH: 100}), district=district, session=session, now=now, by=CLERK)
    row = session.scalars(select(DeclaredFigure).where(DeclaredFigure.units == 100)).one()
    row.units = 1
    with pytest.raises(TypeError, match="written once"):
        session.flush()
    session.rollback()
    assert session.scalar(select(func.count()).select_from(DeclaredUpload)) == 1
