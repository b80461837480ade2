"""Labels: every slip of one character and every exchange of two is found."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recycling.policy.custody_tags import ALPHABET, BODY_CHARS, PREFIX, is_tag, make_tag, new_tags, read_seal, read_tag

NUMBERS = (0, 1, 2**50 - 1, 0b10101 << 23, 314_159_265_358_979)


def weak_sum(text: str) -> int:
    """A check that is no good, for the control: positions times values, modulo 32."""
    return sum(place * ALPHABET.index(char) for place, char in enumerate(text, 1)) % 32


def slips(chars: str) -> set[str]:
    """Everything that differs from a text in one character."""
    return {
        chars[:place] + other + chars[place + 1 :]
        for place, char in enumerate(chars)
        for other in ALPHABET
        if other != char
    }


def exchanges(chars: str) -> set[str]:
    """Everything that comes of exchanging two different characters, wherever they stand."""
    found = set()
    for first, second in itertools.combinations(range(len(chars)), 2):
        if chars[first] != chars[second]:
            swapped = list(chars)
            swapped[first], swapped[second] = swapped[second], swapped[first]
            found.add("".join(swapped))
    return found


@pytest.mark.parametrize("number", NUMBERS)
def test_every_single_wrong_character_is_found(number: int) -> None:
    chars = make_tag(number).removeprefix(PREFIX)
    wrong = slips(chars)
    assert len(wrong) == (BODY_CHARS + 1) * (len(ALPHABET) - 1)
    assert not [text for text in wrong if is_tag(PREFIX + text)]


def test_every_exchange_of_two_characters_is_found_at_every_pair_of_places() -> None:
    # given every pair of different characters at every pair of places of a body, the check character included
    tried = 0
    for first, second in itertools.combinations(range(BODY_CHARS), 2):
        for one, other in itertools.permutations(range(len(ALPHABET)), 2):
            number = one << 5 * (BODY_CHARS - 1 - first) | other << 5 * (BODY_CHARS - 1 - second)
            chars = make_tag(number).removeprefix(PREFIX)
            swapped = list(chars)
            swapped[first], swapped[second] = swapped[second], swapped[first]
            assert not is_tag(PREFIX + "".join(swapped)), chars
            tried += 1
    # 45 pairs of places, 32 x 31 pairs of characters
    assert tried == 45 * 32 * 31
    # and those with the check character, on bodies that bring each of the 32 of them
    ends = set()
    for number in range(32):
        chars = make_tag(number * 1_234_567_891).removeprefix(PREFIX)
        ends.add(chars[-1])
        assert not [text for text in exchanges(chars) if is_tag(PREFIX + text)]
    assert len(ends) > 16


def test_control_a_plain_weighted_sum_misses_slips_and_exchanges() -> None:
    # given the same texts under a sum modulo 32, in which even weights have no inverse
    chars = make_tag(NUMBERS[-1]).removeprefix(PREFIX)
    assert [text for text in slips(chars) if weak_sum(text) == weak_sum(chars)]
    # an exchange of two places an even distance apart is missed where the values differ by 16
    far_apart = "0G00000000"
    assert weak_sum(far_apart) == weak_sum("000G000000")


@given(st.integers(0, 2**50 - 1))
def test_a_tag_is_read_however_it_is_typed(number: int) -> None:
    tag = make_tag(number)
    assert is_tag(tag)
    bare = tag.removeprefix(PREFIX)
    full_width = "".join(chr(ord(char) + 0xFEE0) for char in tag)
    spoken = bare.replace("1", "l").replace("0", "o")
    for typed in (tag, tag.lower(), bare, f" {tag[:7]} {tag[7:]} ", tag.replace("-", ""), full_width, spoken):
        assert read_tag(typed) == tag


@pytest.mark.parametrize("text", ["", "XC-", "XC-0000000000", "XC-UUUUUUUUUUU", "水桶", "XC-" + "0" * 40, "\x00" * 11])
def test_what_is_no_tag_is_none(text: str) -> None:
    assert read_tag(text) is None


def test_new_tags_differ_and_are_tags() -> None:
    made = new_tags(200)
    assert len(set(made)) == 200
    assert all(is_tag(tag) for tag in made)
    # where the draw repeats itself, it is drawn again
    drawn = iter([7, 7, 8])
    assert new_tags(2, draw=lambda _: next(drawn)) == [make_tag(7), make_tag(8)]


@pytest.mark.parametrize("number", [-1, 2**50])
def test_a_number_that_does_not_fit_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="must be between 0"):
        make_tag(number)


@pytest.mark.parametrize(
    ("text", "seal"),
    [("ab 12-34", "AB1234"), ("０１２３", "0123"), ("123", None), ("A" * 25, None), ("封-1234", None), ("", None)],
)
def test_seals_come_in_one_form(text: str, seal: str | None) -> None:
    assert read_seal(text) == seal
