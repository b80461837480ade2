"""The code for the door: six digits, whatever was drawn, and typed in any of the usual ways."""

from __future__ import annotations

import pytest

from recycling.policy.door_code import door_code_matches, new_door_code


def test_a_code_has_six_digits_and_all_of_them_can_come() -> None:
    asked: list[int] = []

    def least(below: int) -> int:
        asked.append(below)
        return 0

    # given draws at both ends
    assert new_door_code(draw=least) == "000000"
    assert asked == [1_000_000]
    assert new_door_code(draw=lambda below: below - 1) == "999999"
    # and codes of the system's own randomness differ: 20 alike would come once in 10^114
    assert len({new_door_code() for _ in range(20)}) > 1


@pytest.mark.parametrize("typed", ["012345", " 012 345 ", "０１２３４５"])
def test_the_code_matches_as_people_type_it(typed: str) -> None:
    assert door_code_matches("012345", typed)


@pytest.mark.parametrize("typed", ["", "12345", "0123456", "012346", "o12345", "012345" * 40, "零一二三四五"])
def test_anything_else_does_not(typed: str) -> None:
    assert not door_code_matches("012345", typed)
