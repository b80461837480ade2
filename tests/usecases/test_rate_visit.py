"""A visit is rated once, by its resident, for two weeks; nobody sees a single rating."""

from datetime import datetime, timedelta
from threading import Event, Thread
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Select, delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from recycling.errors import Conflict, NotFound, WindowClosed
from recycling.models.booking import Booking
from recycling.models.rating import Rating
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.units import instant_at
from recycling.usecases.bookings import rate_visit as rating
from recycling.usecases.bookings.rate_visit import Verdict, rate_visit
from recycling.usecases.housekeeping import clean_up
from recycling.usecases.people.erase_person import erase_person
from recycling.usecases.queries.my_data import my_data
from recycling.usecases.queries.ratings import rating_figures
from tests.builders import TOMORROW, a_booking, a_resident
from tests.personal_data import found
from tests.running_days import TEN, a_running_day, at, drive, served_by

WORDS = "师傅很细心，感谢！"
GOOD = Verdict(stars=5, reasons=("friendly", "on_time"), words=WORDS)


@pytest.fixture
def visited(session: Session, district: District, now: datetime) -> tuple[UUID, Principal]:
    """A booking that a crew has collected by ten, and its resident."""
    a_running_day(session, district=district, now=now)
    drive(session, TEN)
    wanted = select(Booking).where(Booking.state == "collected").order_by(Booking.id).limit(1)
    booking = session.scalars(wanted).one()
    found_ = booking.id, Principal(id=booking.resident_id, role="resident")
    session.rollback()
    return found_


def test_a_rating_names_who_came_and_the_last_word_counts(
    session: Session, district: District, visited: tuple[UUID, Principal]
) -> None:
    booking_id, resident = visited
    vehicle, _ = served_by(session)[booking_id]
    # when it is rated, and rated again
    rate_visit(booking_id, GOOD, by=resident, district=district, session=session, now=at(12 * 3600))
    later = Verdict(stars=2, reasons=("late",), words="")
    rate_visit(booking_id, later, by=resident, district=district, session=session, now=at(13 * 3600))
    # then one stands, as it was said last, with the crew that was there
    (row,) = session.scalars(select(Rating))
    assert (row.stars, row.reasons, row.words) == (2, ["late"], None)
    assert row.collector_key in {one.key for one in district.network.crew_of(vehicle)}
    assert row.station_key == district.network.vehicles[vehicle].station_key
    assert (row.rated_at, row.changed_at) == (at(12 * 3600), at(13 * 3600))


def test_who_may_rate_what_and_until_when(
    session: Session, district: District, now: datetime, visited: tuple[UUID, Principal]
) -> None:
    booking_id, resident = visited
    stranger = a_resident(session, now=now)
    with pytest.raises(NotFound):
        rate_visit(booking_id, GOOD, by=stranger, district=district, session=session, now=at(12 * 3600))
    ahead = a_booking(session, district=district, now=now, by=stranger, day=TOMORROW + timedelta(days=2)).id
    with pytest.raises(Conflict, match="尚未上门"):
        rate_visit(ahead, GOOD, by=stranger, district=district, session=session, now=at(12 * 3600))
    # the fourteenth day after is the last
    last = instant_at(TOMORROW + timedelta(days=14), 23 * 3600)
    rate_visit(booking_id, GOOD, by=resident, district=district, session=session, now=last)
    with pytest.raises(WindowClosed, match="2026-12-08"):
        rate_visit(booking_id, GOOD, by=resident, district=district, session=session, now=last + timedelta(hours=2))


@pytest.mark.parametrize("lock", [True, False], ids=["locked", "control"])
def test_two_tabs_that_rate_at_once_leave_one_rating_and_no_error(
    *, lock: bool, session: Session, district: District, visited: tuple[UUID, Principal],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Both find no rating before either writes one; only the lock on the booking makes the second one a change."""
    engine = session.get_bind()
    if engine.dialect.name == "sqlite" and not lock:
        pytest.skip("SQLite has one writer at a time; there is no lock to take away")
    booking_id, resident = visited
    looked, both_looked, who_came = Event(), Event(), rating._who_came

    def slowly(booking_id: UUID, *, district: District, session: Session) -> tuple[str | None, str | None]:
        """Come upon no rating, and let the other tab do so before we write."""
        if looked.is_set():
            both_looked.set()
        looked.set()
        both_looked.wait(0.5)  # a lock lets nobody come so far
        return who_came(booking_id, district=district, session=session)

    monkeypatch.setattr(rating, "_who_came", slowly)
    if not lock:
        monkeypatch.setattr(Select, "with_for_update", lambda wanted, **_: wanted)
    refused: list[str] = []

    def rate(stars: int) -> None:
        said = Verdict(stars=stars, reasons=(), words="")
        with Session(engine) as own:
            try:
                rate_visit(booking_id, said, by=resident, district=district, session=own, now=at((12 + stars) * 3600))
            except IntegrityError as error:
                refused.append(type(error).__name__)

    first, second = (Thread(target=rate, args=(stars,)) for stars in (1, 2))
    first.start()
    assert looked.wait(5)
    second.start()
    for thread in (first, second):
        thread.join(10)
    (row,) = session.scalars(select(Rating))
    if lock:
        # the second queued behind the first, and its word is the last
        assert (refused, row.stars, row.rated_at, row.changed_at) == ([], 2, at(13 * 3600), at(14 * 3600))
    else:
        assert refused == ["IntegrityError"]


def test_the_database_takes_no_sixth_star(session: Session, visited: tuple[UUID, Principal], now: datetime) -> None:
    booking_id, _ = visited
    session.add(Rating(booking_id=booking_id, day=TOMORROW, stars=6, reasons=[], rated_at=now, changed_at=now))
    with pytest.raises(IntegrityError, match="stars"):
        session.commit()


def test_figures_come_when_the_month_is_settled_and_five_have_rated(
    session: Session, district: District, now: datetime, visited: tuple[UUID, Principal]
) -> None:
    # given five bookings of November that one collector's record ended, all rated, four with five stars and one with 1
    for number in range(5):
        booking_id = a_booking(session, district=district, now=now, day=TOMORROW + timedelta(days=2)).id
        session.add(
            Rating(
                booking_id=booking_id, day=TOMORROW, stars=1 if number == 0 else 5, reasons=["careful"], rated_at=now,
                changed_at=now, collector_key="c01", station_key="lincheng", words=f"第 {number} 句",
            )
        )  # fmt: skip
    session.commit()
    # while one of the month can still change there is nothing
    early = rating_figures("2026-11", district=district, session=session, now=at(12 * 3600))
    assert (early["settled"], early["collectors"], early["stations"]) == (False, [], [])
    # when none can, there are: (1 + 4 × 5) / 5 = 4.2
    settled = instant_at(early["settled_from"], 0)
    late = rating_figures("2026-11", district=district, session=session, now=settled)
    (collector,), (station,) = late["collectors"], late["stations"]
    assert (collector["key"], collector["ratings"], collector["mean_centistars"]) == ("c01", 5, 420)
    assert station["words"] == tuple(f"第 {number} 句" for number in range(5))
    # and no booking is named anywhere in it
    session.execute(delete(Rating).where(Rating.stars == 1))
    session.commit()
    four = rating_figures("2026-11", district=district, session=session, now=settled)
    assert (four["collectors"], four["stations"]) == ([], [])


def test_words_go_with_their_time_and_with_the_person_and_stars_stay(
    session: Session, district: District, visited: tuple[UUID, Principal]
) -> None:
    booking_id, resident = visited
    rate_visit(booking_id, GOOD, by=resident, district=district, session=session, now=at(12 * 3600))
    held = my_data(by=resident, district=district, session=session, now=at(13 * 3600))
    assert [(row["booking_id"], row["words"]) for row in held["ratings"]] == [(booking_id, WORDS)]
    session.rollback()
    # a year after the day they are kept, the day after they are gone
    kept = district.privacy.kept("rating-words")
    clean_up(district.privacy, session=session, now=instant_at(TOMORROW + kept, TEN))
    assert found(session, WORDS) == {"rating.words"}
    clean_up(district.privacy, session=session, now=instant_at(TOMORROW + kept + timedelta(days=1), TEN))
    assert found(session, WORDS) == set()
    # and so they are when the resident is erased
    rate_visit(booking_id, GOOD, by=resident, district=district, session=session, now=at(13 * 3600))
    erase_person("删除", by=resident, session=session, now=at(30 * 3600))
    assert found(session, WORDS) == set()
    assert session.scalar(select(func.count()).select_from(Rating).where(Rating.stars == 5)) == 1


def test_a_booking_that_does_not_exist_is_not_rated(session: Session, district: District, now: datetime) -> None:
    with pytest.raises(NotFound):
        rate_visit(
            uuid4(), GOOD, by=a_resident(session, now=now), district=district, session=session, now=at(12 * 3600)
        )
