"""The speed table of figures at a small size: every line is measured, and what it is measured on is sound."""

from __future__ import annotations

import pytest

from benchmarks.figures import measured
from benchmarks.support.five_years_app import five_years
from recycling.clock import utc_now
from recycling.extensions import db
from recycling.usecases.queries.invariants import INVARIANTS
from tests.conftest import ENGINES

# Lines from a door name no booking here.
SOUND = ("figures_are_their_lines", "months_are_their_days", "adjustments_counter_their_original",
         "corrections_stay_in_place", "numbers_have_no_gap", "days_are_local_dates")  # fmt: skip


@pytest.fixture(autouse=True)
def postgres() -> None:
    """The tickets are made up inside PostgreSQL, also for SQLite."""
    if "postgresql" not in ENGINES:
        pytest.skip("no PostgreSQL answers")


@pytest.mark.parametrize("engine", ENGINES)
def test_every_line_of_the_table_is_measured_on_tickets_that_are_sound(engine: str) -> None:
    # 40 days before are 1,000 tickets and 30 when there are 4,000 in five years: some adjust, some correct
    with five_years(engine, lines=20_000) as made, made.app.app_context():
        rows = list(measured(made, named=engine, lines=20_000, looks=3))
        assert [row.unit for row in rows] == ["s", "s", "ms", "ms", "s", "s", "s", "s", "MiB"]
        assert all(row.figure > 0 and row.name.startswith(f"{engine}: ") for row in rows)
        session = db.session()
        breaches = {rule.breaches.__name__: rule.breaches(session, utc_now()) for rule in INVARIANTS}
        assert {name: breaches[name] for name in SOUND} == {name: [] for name in SOUND}
        session.rollback()
        db.session.remove()
