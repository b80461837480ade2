"""How full a day is, over HTTP."""

from __future__ import annotations

from sqlalchemy.orm import Session

from recycling.models.ledger import close_day
from recycling.models.transaction import atomic
from recycling.policy.district import District
from recycling.usecases.bookings.promise import WishedItem
from tests.builders import TOMORROW, a_booking
from tests.callers import Callers
from tests.conftest import NOW


def test_the_dispatcher_sees_what_a_day_still_takes(callers: Callers, session: Session, district: District) -> None:
    dispatcher = callers.staff("dispatcher")
    empty = dispatcher.get(f"/service-days/{TOMORROW}/room").get_json()
    assert (empty["promised"], empty["asked"], empty["gains"]) == (0, 0, [])
    for _ in range(3):
        a_booking(session, district=district, now=NOW, floor=30, items=[WishedItem(item_type="fridge", quantity=2)])
    seen = dispatcher.get(f"/service-days/{TOMORROW}/room").get_json()
    assert (seen["promised"], seen["closed"], seen["vehicles"]) == (3, False, len(district.network.vehicles))
    # two fridges from the thirtieth floor without a lift take 116 minutes: one such visit a crew from eight to ten
    assert 0 < seen["takes"] < seen["asked"] == 60
    assert seen["gains"][0]["visits"] > 0
    assert all(gain["zh"] and gain["en"] for gain in seen["gains"])


def test_a_closed_day_a_far_one_and_no_day_at_all(callers: Callers, session: Session) -> None:
    dispatcher = callers.staff("dispatcher")
    with atomic(session):
        close_day(session, TOMORROW, now=NOW)
    assert dispatcher.get(f"/service-days/{TOMORROW}/room").get_json()["closed"]
    assert dispatcher.get("/service-days/2027-11-24/room").status_code == 422
    assert dispatcher.get("/service-days/tomorrow/room").status_code == 404
