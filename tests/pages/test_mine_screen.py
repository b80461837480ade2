"""The resident's own pages in a real browser: change, cancel, rate; two tabs, no network, a sign-in over."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from recycling.clock import service_day, utc_now
from recycling.extensions import db
from recycling.models.addresses import SavedAddress
from recycling.models.booking import BookedItem, Booking
from recycling.models.people import Resident
from recycling.models.rating import Rating
from recycling.models.waiting import WaitingWish
from recycling.policy.access import Principal
from recycling.policy.device_clock import DeviceClock
from recycling.usecases.bookings.book_pickup import hold_pickup
from recycling.usecases.field.record_events import record_events
from recycling.usecases.field.reports import FieldReport, Payload
from recycling.usecases.live.links import tracking_path
from recycling.usecases.live.share_position import Position, share_position
from recycling.usecases.people.addresses import AddressWish, save_address
from recycling.usecases.people.notices import declined_at
from recycling.usecases.queries.bookings import open_days
from tests.builders import VILLAGE, a_booking, a_waiting_wish, a_wish
from tests.loads import publish_route
from tests.pages.screens import NARROW, PHONE, Screens, Visit
from tests.photo_files import a_photo
from tests.running_days import a_broken_promise

pytestmark = pytest.mark.browser

SCRIPT = "<img src=x onerror=alert(1)>"
LOST = ("Failed to load resource", "net::ERR")


def resident_of(screens: Screens) -> Principal:
    """Whoever has signed in last."""
    newest = db.session.scalars(select(Resident).order_by(Resident.created_at.desc(), Resident.id)).first()
    assert newest is not None
    return Principal(id=newest.id, role="resident")


def own_booking(screens: Screens, **overrides: Any) -> UUID:
    """A booking of whoever has signed in last, two open days ahead."""
    with screens.app.app_context():
        district, now, by = screens.app.extensions["district"], utc_now(), resident_of(screens)
        day = open_days(district=district, session=db.session(), now=now)[1]
        fields = {"day": day, "pickup_window": "all-day"} | overrides
        booking_id = a_booking(db.session(), district=district, now=now, by=by, **fields).id
        db.session.remove()
    return booking_id


def be(screens: Screens, booking_id: UUID, state: str, *, day: date | None = None) -> None:
    """Write a booking's outcome by hand: what led to it is tried elsewhere."""
    with screens.app.app_context():
        fields = {"state": state, "day": day or service_day(utc_now())}
        db.session.execute(update(Booking).where(Booking.id == booking_id).values(**fields))
        if state == "collected":
            taken = update(BookedItem).where(BookedItem.booking_id == booking_id)
            db.session.execute(taken.values(collected_units=BookedItem.declared_units))
        db.session.commit()
        db.session.remove()


def stored(screens: Screens, booking_id: UUID) -> Booking:
    """The booking as it stands."""
    with screens.app.app_context():
        row = db.session.get_one(Booking, booking_id)
        assert row.items is not None
        db.session.remove()
    return row


def at(booking_id: UUID) -> str:
    return f"/pages/bookings/{booking_id}"


def judged(visit: Visit, address: str) -> dict[str, object]:
    """What is wrong with a page at 390 px in Chinese, and in English at 320 in large type, the narrowest there is."""
    found: dict[str, object] = {}
    for lang, size, large in (("zh", PHONE, "normal"), ("en", NARROW, "large")):
        visit.read(lang=lang, size=size)
        visit.context.add_cookies([{"name": "type", "value": large, "url": visit.address}])
        page = visit.open(address)
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        assert page.locator("h1").count() == 1
        if (overflow := visit.overflow_px()) > 0:
            found[f"{address} {lang} {size[0]} {large}"] = f"{overflow} px too wide"
        if grave := visit.grave_findings():
            found[f"{address} {lang} {size[0]} {large} axe"] = grave
    return found


def test_a_booking_in_each_state_fits_and_is_usable_by_anybody(screens: Screens) -> None:
    # given one that is to come, one that was fetched, one that failed, and one whose promise broke
    visit = screens.of("resident", size=PHONE)
    ahead, fetched, failed, broken = (own_booking(screens, note=SCRIPT) for _ in range(4))
    be(screens, fetched, "collected")
    be(screens, failed, "failed")
    with screens.app.app_context():
        a_broken_promise(db.session(), broken, now=utc_now())
        a_waiting_wish(db.session(), resident_of(screens), now=utc_now(), day=stored(screens, ahead).day)
    found: dict[str, object] = {}
    for address in (at(ahead), at(fetched), at(failed), at(broken), "/pages/bookings"):
        found |= judged(visit, address)
    found |= judged(visit, tracking_path(ahead, stored(screens, ahead).day))
    # then nothing is too wide or grave, and a note with a script in it is words
    assert found == {}
    assert visit.open(at(ahead)).get_by_text(SCRIPT).count() >= 1
    # and each says its own: what to prepare and until when to change, how it was, what next, what is offered instead
    visit.read(lang="zh", size=PHONE)
    assert "前可免费更改或取消" in visit.open(at(ahead)).inner_text("main")
    assert "评价这次上门" in visit.open(at(fetched)).inner_text("main")
    assert "接下来怎么办" in visit.open(at(failed)).inner_text("main")
    assert "请任选一个时段" in visit.open(at(broken)).inner_text("main")


def test_another_window_is_taken_and_the_second_tab_is_told(screens: Screens) -> None:
    # given one booking in two tabs
    visit = screens.of("resident", size=PHONE)
    visit.expected = LOST
    booking_id = own_booking(screens)
    before = stored(screens, booking_id)
    other = visit.context.new_page()
    page = visit.open(at(booking_id))
    other.goto(visit.address + at(booking_id))
    # when the first takes another window
    page.get_by_text("换日期或时段").click()
    page.click("#ask-slots")
    page.locator("#slots button").first.click()
    page.wait_for_url("**?done=changed")
    assert "已更改" in page.inner_text("main")
    after = stored(screens, booking_id)
    assert (after.day, after.pickup_window) != (before.day, before.pickup_window)
    # then the second, which knows the old version, changes nothing and says what to do
    other.get_by_text("改楼层和备注").click()
    other.fill("#note", "三号门")
    other.get_by_role("button", name="保存", exact=True).click()
    other.get_by_text("已在别处更改").wait_for()
    assert stored(screens, booking_id).version == after.version
    # and after a reload it can
    other.get_by_role("button", name="刷新").click()
    other.get_by_text("改楼层和备注").click()
    other.fill("#note", "三号门")
    other.get_by_role("button", name="保存", exact=True).click()
    other.wait_for_url("**?done=changed")
    assert stored(screens, booking_id).place["note"] == "三号门"


def test_items_are_changed_and_a_double_tap_cancels_once(screens: Screens) -> None:
    visit = screens.of("resident", size=PHONE)
    booking_id = own_booking(screens)
    page = visit.open(at(booking_id))
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.method} {request.url}"))
    # when a fan is added
    page.get_by_text("改物品").click()
    page.select_option("#add-item", "fan")
    page.fill("#quantity-1", "2")
    page.get_by_role("button", name="保存物品").click()
    page.wait_for_url("**?done=changed")
    with screens.app.app_context():
        booked = {item.item_type: item.declared_units for item in db.session.get_one(Booking, booking_id).items}
    assert booked == {"fridge": 1, "fan": 2}
    # and the booking cancelled with two taps
    page.evaluate("for (let n = 0; n < 2; n += 1) document.getElementById('cancel').click()")
    page.wait_for_url("**?done=cancelled")
    assert len([one for one in sent if one.endswith("/cancellation")]) == 1
    assert stored(screens, booking_id).state == "cancelled"
    assert page.locator("#cancel").count() == 0


def test_after_the_cut_off_nothing_is_offered_that_would_be_refused(screens: Screens) -> None:
    visit = screens.of("resident", size=PHONE)
    booking_id = own_booking(screens)
    be(screens, booking_id, "booked")  # today
    page = visit.open(at(booking_id))
    assert "截止" in page.inner_text("main")
    assert page.locator("#cancel").count() == 0
    # on its day the code for the door is there
    assert page.locator(".code").inner_text().isdigit()
    # and the list of bookings promises no change either
    assert "更改或取消" not in visit.open("/pages/bookings").inner_text("main")


def test_whoever_has_the_link_sees_the_van_on_a_map_while_it_comes(screens: Screens) -> None:
    # given a van that is on its way to a booking of today, and has said where it is
    screens.of("resident")
    booking_id = own_booking(screens)
    be(screens, booking_id, "booked")
    with screens.app.app_context():
        district, session, now = screens.app.extensions["district"], db.session(), utc_now()
        booking = session.get_one(Booking, booking_id)
        link = tracking_path(booking_id, booking.day)
        crew = publish_route(session, [booking], district=district, now=now)
        setting_out = FieldReport(
            event_id=uuid4(), device_id=uuid4(), device_seq=1, plan_version=1, booking_id=booking_id,
            kind="on_the_way", payload=Payload(), clock=DeviceClock(device_time=now),
        )  # fmt: skip
        (answer,) = record_events([setting_out], by=crew, district=district, session=session, now=now)
        assert answer.answer == "accepted", answer
        here = Position(lat=34.81, lon=117.25, accuracy_m=5, at=now)
        assert share_position(here, by=crew, session=session, now=now)
        db.session.remove()
    # when a stranger opens the link
    stranger = screens.of(None, size=PHONE)
    page = stranger.open(link)
    # then the van is on a map, which fits and is usable, and nothing says whose door it is
    page.locator("#map.leaflet-container").wait_for()
    assert "回收员正在前往您处" in page.inner_text("main")
    assert "清泉路" not in page.content()
    assert judged(stranger, link) == {}


def test_a_rating_survives_no_network_and_a_sign_in_that_ended(screens: Screens) -> None:
    visit = screens.of("resident", size=PHONE)
    visit.expected = LOST
    booking_id = own_booking(screens)
    be(screens, booking_id, "collected")
    page = visit.open(at(booking_id))
    page.locator("[name=stars][value='4']").check()
    page.locator("[value=friendly]").check()
    page.fill("#words", SCRIPT)
    # when it is sent without a network, nothing is lost and the page says so
    visit.context.set_offline(True)
    page.get_by_role("button", name="提交评价").click()
    page.get_by_text("网络不通").wait_for()
    visit.context.set_offline(False)
    # when the sign-in is over, it asks to sign in again, and what was typed is there afterwards
    kept = visit.context.cookies()
    visit.context.clear_cookies()
    page.get_by_role("button", name="提交评价").click()
    page.get_by_role("link", name="重新登录").wait_for()
    visit.context.add_cookies(kept)  # type: ignore[arg-type]  # as they came
    page = visit.open(at(booking_id))
    assert page.input_value("#words") == SCRIPT
    page.get_by_role("button", name="提交评价").click()
    page.wait_for_url("**?done=rated")
    assert page.input_value("#words") == SCRIPT
    with screens.app.app_context():
        row = db.session.get_one(Rating, booking_id)
        assert (row.stars, row.reasons, row.words) == (4, ["friendly"], SCRIPT)


def test_two_taps_for_a_code_send_one_and_lead_to_where_it_is_typed(screens: Screens) -> None:
    visit = screens.of(None, size=PHONE)
    page = visit.open("/pages/sign-in")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.fill("#phone", "13812340001")
    page.get_by_role("button", name="发送验证码").dblclick()
    page.locator("#code").wait_for()
    assert len(sent) == 1


def test_a_place_kept_on_a_page_that_was_closed_is_booked_or_given_up(screens: Screens) -> None:
    # given two kept places, and no page of theirs
    visit = screens.of("resident", size=PHONE)
    with screens.app.app_context():
        district, now, me = screens.app.extensions["district"], utc_now(), resident_of(screens)
        day = open_days(district=district, session=db.session(), now=now)[1]
        first, second = (
            hold_pickup(
                a_wish(day=day, pickup_window="all-day", address=f"清泉路 {number} 号院"), by=me, district=district,
                session=db.session(), now=now,
            ).id
            for number in (1, 2)
        )  # fmt: skip
        db.session.remove()
    assert judged(visit, "/pages/bookings") == {}
    visit.read(lang="zh", size=PHONE)
    # when one is given up and the other one booked
    page = visit.open("/pages/bookings")
    page.locator(f"[data-release='{first}']").click()
    page.locator(f"[data-release='{first}']").wait_for(state="detached")
    page.locator(f"[data-confirm='{second}']").click()
    page.wait_for_url("**?done=booked")
    # then one is a booking, and nothing of the other is left
    with screens.app.app_context():
        assert db.session.get(Booking, first) is None
        assert db.session.get_one(Booking, second).state == "booked"


def test_a_photo_that_did_not_go_is_sent_again(screens: Screens) -> None:
    visit = screens.of("resident", size=PHONE)
    visit.expected = LOST
    page = visit.open(at(own_booking(screens)))
    photo: Any = {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": a_photo()}
    # when there is no network, the page says so and the field is empty: the same photo can be chosen once more
    visit.context.set_offline(True)
    page.set_input_files("#photo-file", photo)
    page.get_by_text("网络不通").wait_for()
    assert page.input_value("#photo-file") == ""
    visit.context.set_offline(False)
    page.set_input_files("#photo-file", photo)
    page.wait_for_url("**?done=photo")
    assert page.locator("[data-photo]").count() == 1


def test_waiting_ends_reminders_stop_and_an_address_is_changed(screens: Screens) -> None:
    visit = screens.of("resident", size=PHONE)
    with screens.app.app_context():
        district, now, me = screens.app.extensions["district"], utc_now(), resident_of(screens)
        day = open_days(district=district, session=db.session(), now=now)[1]
        wish_id = a_waiting_wish(db.session(), me, now=now, day=day)
        home = AddressWish(
            label="家", village_code=VILLAGE, address="清泉路 1 号", lat=34.8, lon=117.26, coordinate_system="wgs84",
            floor=3, has_lift=False, note="",
        )  # fmt: skip
        saved = save_address(home, by=me, district=district, session=db.session(), now=now, resident_id=None)
        address_id = saved.id
        db.session.remove()
    page = visit.open("/pages/bookings")
    page.get_by_role("button", name="不再候补").click()
    page.locator("[data-withdraw]").wait_for(state="detached")
    # nothing waits and nothing is booked: the way to book is there
    assert page.get_by_role("link", name="预约上门").get_attribute("href") == "/pages/book"
    assert judged(visit, "/pages/my-data") == {}
    visit.read(lang="zh", size=PHONE)
    page = visit.open("/pages/my-data")
    page.uncheck("#reminders")
    page.get_by_text("已关闭提醒").wait_for()
    page.get_by_text("修改或删除").click()
    page.fill("[name=label]", SCRIPT[:20])
    page.reload()  # what was typed is there again, and not folded away
    page.get_by_role("button", name="保存", exact=True).click()
    page.get_by_role("heading", name=SCRIPT[:20]).wait_for()
    with screens.app.app_context():
        assert db.session.get_one(WaitingWish, wish_id).state == "withdrawn"
        assert declined_at(me, session=db.session()) is not None
        assert db.session.get_one(SavedAddress, address_id).label == SCRIPT[:20]
