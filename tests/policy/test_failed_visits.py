"""What follows each reason for which a visit fails: one of five ways, and priority exactly where it was our doing."""

from __future__ import annotations

from recycling.policy.failed_visits import (
    FAILED_VISIT_CODES,
    FOLLOW_UP_WORDS,
    FOLLOW_UPS,
    follow_up_of,
    is_our_fault,
)


def test_only_what_was_our_doing_is_owed() -> None:
    assert {code for code in FAILED_VISIT_CODES if is_our_fault(code)} == {"vehicle_full", "vehicle_breakdown"}
    assert not is_our_fault(None)
    # and nobody is owed a visit for not being there
    assert not any(row.our_fault and row.no_show for row in FAILED_VISIT_CODES.values())


def test_each_reason_leads_to_one_way_and_each_way_has_its_words() -> None:
    assert {follow_up_of(code) for code in FAILED_VISIT_CODES} == set(FOLLOW_UPS)
    assert set(FOLLOW_UP_WORDS) == set(FOLLOW_UPS)
    assert follow_up_of("unsafe") == "station_decides"
    assert follow_up_of("dismantling_not_done") == "removal_visit"
    assert follow_up_of("a code of last year") == follow_up_of("nobody_home") == "own_rebooking"
