"""What people do wrong, or what goes wrong around them, on screens: one line for each kind of it.

The tests stand with their screens in ``tests/pages``; here they are called by name, so that none is forgotten.
"""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import defaultdict
from pathlib import Path

import pytest

from tests.proof.harness import Proof, Size
from tests.servers import ROOT

pytestmark = pytest.mark.browser

BOOK, COLLECT = "tests/pages/test_book_screen.py", "tests/pages/test_collect_screen.py"
# What the issue names, and the tests that try it.
CASES: dict[str, tuple[str, ...]] = {
    "a double tap books once, and records once": (
        f"{BOOK}::test_two_taps_book_once_and_back_shows_the_result_and_not_the_form",
        f"{COLLECT}::test_two_tabs_show_the_same_route_and_a_second_tap_is_no_second_record",
    ),
    "back after confirming shows the result, not the form": (
        f"{BOOK}::test_two_taps_book_once_and_back_shows_the_result_and_not_the_form",
        f"{COLLECT}::test_a_visit_from_setting_out_to_the_signature_reaches_the_server_in_its_sequence",
    ),
    "two tabs do not clobber each other": (
        f"{BOOK}::test_two_tabs_do_not_take_each_others_place",
        f"{COLLECT}::test_two_tabs_show_the_same_route_and_a_second_tap_is_no_second_record",
    ),
    "a sign-in that ends in mid-form loses nothing typed": (
        f"{BOOK}::test_a_sign_in_that_ends_in_the_middle_loses_nothing_that_was_typed",
        f"{COLLECT}::test_what_was_recorded_when_the_sign_in_ended_is_sent_by_its_own_collector_alone",
    ),
    "script in names and notes is inert on screens": (
        f"{BOOK}::test_somebody_books_in_six_screens_ninety_seconds_and_a_quarter_of_a_megabyte",
        f"{COLLECT}::test_a_visit_from_setting_out_to_the_signature_reaches_the_server_in_its_sequence",
        "tests/pages/test_my_route.py::test_script_in_address_and_note_is_inert",
        "tests/pages/test_access.py::test_a_day_that_is_none_is_refused_in_words_and_shown_inert",
    ),
    "script and formulas in names and notes are inert in CSV and Excel": (
        "tests/usecases/test_publish_report.py::test_text_that_people_wrote_is_inert_in_every_form",
        "tests/usecases/test_import_table.py::test_a_formula_is_text_where_text_is_asked_for_and_no_number",
    ),
    "no network during confirm: the same key again, never twice": (
        f"{BOOK}::test_a_confirmation_whose_answer_is_lost_is_repeated_with_its_key_and_books_once",
    ),
    "a phone's wrong clock moves no countdown and no record": (
        f"{BOOK}::test_the_countdown_goes_by_the_servers_clock_and_a_lapsed_place_says_so",
        f"{COLLECT}::test_a_clock_that_is_set_wrong_moves_no_record",
    ),
    "a refused location is explained, and there is another way": (
        f"{BOOK}::test_without_a_location_the_door_is_set_on_the_map_by_keyboard",
    ),
    "200 % and 320 px: nothing is wider than the window": (
        f"{BOOK}::test_every_step_fits_a_narrow_phone_and_large_letters_and_serves_anybody",
        f"{COLLECT}::test_every_screen_of_it_fits_and_is_usable_by_anybody_by_day_and_night",
        "tests/pages/test_every_screen.py::test_every_screen_of_a_role_fits_and_is_usable_by_anybody",
    ),
}


def test_bad_input_on_screens(size: Size, tmp_path: Path, proof: Proof) -> None:
    # given the tests of the screens; in small runs they run beside this one, and here it is seen that none is missing
    names = sorted({name for tests in CASES.values() for name in tests})
    ends = _collected(names) if size == "small" else _run(names, tmp_path / "ends.xml")
    for case, tests in CASES.items():
        fallen = [name.split("::")[1] for name in tests if ends[name] != {"passed"}]
        held = sum(ends[name] == {"passed"} for name in tests)
        proof.record(
            name=case,
            figure=f"{held} of {len(tests)} tests hold" + "".join(f"; not {name}" for name in fallen),
            target=f"{len(tests)} of {len(tests)}",
            control=None,  # each of these tests has its own
            ok=not fallen,
        )


def _run(names: list[str], report: Path) -> dict[str, set[str]]:
    """How each test ended, over all its parameters."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junit-xml={report}", *names]
    subprocess.run(command, cwd=ROOT, check=False, capture_output=True)
    ends: dict[str, set[str]] = defaultdict(set)
    cases = ET.parse(report).iter("testcase") if report.exists() else ()  # noqa: S314  # pytest's own report
    for case in cases:
        wrong = {child.tag for child in case} & {"failure", "error", "skipped"}
        path = str(case.get("classname")).replace(".", "/") + ".py"
        ends[f"{path}::{str(case.get('name')).split('[')[0]}"] |= wrong or {"passed"}
    return ends


def _collected(names: list[str]) -> dict[str, set[str]]:
    """Which of the tests there are."""
    ends: dict[str, set[str]] = defaultdict(set)
    for name in names:
        path, _, test = name.partition("::")
        text = (ROOT / path).read_text(encoding="utf-8") if (ROOT / path).exists() else ""
        ends[name] = {"passed"} if re.search(rf"^def {test}\(", text, re.MULTILINE) else {"missing"}
    return ends
