"""A link names one booking until a day, and nobody makes one but us."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID, uuid4

import hypothesis
from hypothesis import strategies as st

from recycling.policy.tracking_token import read_token, write_token

DAY = date(2026, 11, 26)
SECRET = bytes(range(32))
BOOKING = UUID("6be2c000-0000-4000-8000-00000eff3608")


def test_a_token_leads_to_its_booking_until_its_last_day_is_over() -> None:
    token = write_token(BOOKING, last_day=DAY, secret=SECRET)
    # 16 + 2 + 16 bytes are 34, and 34 * 4 / 3 rounded up 46 characters
    assert len(token) == 46
    assert read_token(token, today=DAY, secret=SECRET) == BOOKING
    assert read_token(token, today=DAY + timedelta(days=1), secret=SECRET) is None


def test_a_token_of_another_secret_or_another_booking_is_not_ours() -> None:
    token = write_token(BOOKING, last_day=DAY, secret=SECRET)
    assert read_token(token, today=DAY, secret=bytes(32)) is None
    other = write_token(uuid4(), last_day=DAY, secret=SECRET)
    # the booking of one, the code of another
    assert read_token(token[:24] + other[24:], today=DAY, secret=SECRET) is None


def test_every_other_spelling_of_a_token_is_refused() -> None:
    # the last of 46 characters holds four bits that no byte takes
    token = write_token(BOOKING, last_day=DAY, secret=SECRET)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    found = [end for end in alphabet if read_token(token[:-1] + end, today=DAY, secret=SECRET)]
    assert found == [token[-1]]


@hypothesis.given(st.text())
def test_anything_else_is_no_token(text: str) -> None:
    assert read_token(text, today=DAY, secret=SECRET) is None
