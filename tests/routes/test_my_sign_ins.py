"""Where a resident is signed in: all of it seen, each ended from another."""

from datetime import datetime, timedelta

import time_machine

from tests.callers import Callers

PHONE = "13912345678"


def test_a_lost_phone_is_signed_out_from_another(callers: Callers, now: datetime) -> None:
    # given one resident on two phones, the second some minutes later, and somebody else
    lost, other = callers.resident(PHONE), callers.resident()
    with time_machine.travel(now + timedelta(minutes=5), tick=True):
        here = callers.resident(PHONE)
        rows = here.get("/my-sign-ins").get_json()["sign_ins"]
        assert [row["current"] for row in rows].count(True) == 1
        assert len(rows) == 2
        (elsewhere,) = [row["id"] for row in rows if not row["current"]]
        # when the lost one is ended, its next request is refused, and this one goes on
        assert other.call("DELETE", f"/my-sign-ins/{elsewhere}").status_code == 404
        assert here.call("DELETE", f"/my-sign-ins/{elsewhere}").status_code == 204
        assert lost.get("/my-sign-ins").status_code == 401
        assert [row["current"] for row in here.get("/my-sign-ins").get_json()["sign_ins"]] == [True]
        # and an ended one is not there to be ended again
        assert here.call("DELETE", f"/my-sign-ins/{elsewhere}").status_code == 404
