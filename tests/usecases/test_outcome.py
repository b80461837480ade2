"""The fold over a visit's records: the one made last wins, whatever the sequence in which they come."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from recycling.models.field import FIELD_KINDS
from recycling.units import instant_at
from recycling.usecases.field.outcome import Outcome, Record, outcome
from tests.builders import TOMORROW

NINE = instant_at(TOMORROW, 9 * 3600)

# Few instants and few ids, so that equal clocks, told apart by the id, come up often.
RECORDS = st.lists(
    st.builds(
        Record,
        event_id=st.integers(0, 9).map(lambda number: UUID(int=number)),
        kind=st.sampled_from(FIELD_KINDS),
        reason=st.none(),
        units=st.dictionaries(st.sampled_from(["fridge", "fan"]), st.integers(1, 3)),
        device_time=st.integers(0, 3).map(lambda minute: NINE + timedelta(minutes=minute)),
    ),
    max_size=8,
    unique_by=lambda record: record.event_id,
)


@given(RECORDS.flatmap(lambda records: st.tuples(st.just(records), st.permutations(records * 2))))
def test_any_sequence_and_any_repetition_of_records_folds_to_the_same_outcome(
    drawn: tuple[list[Record], list[Record]],
) -> None:
    records, shuffled_twice = drawn
    assert outcome(shuffled_twice) == outcome(records)


def test_the_record_made_last_wins_and_the_id_decides_between_equal_clocks() -> None:
    def record(number: int, minute: int, kind: Any) -> Record:
        at = NINE + timedelta(minutes=minute)
        return Record(event_id=UUID(int=number), kind=kind, reason=None, units={}, device_time=at)

    assert outcome([]) is None
    assert outcome([record(1, 0, "failed"), record(2, 0, "partly")]) == Outcome(
        state="partly_collected", reason=None, units={}
    )
    assert outcome([record(9, 0, "failed"), record(1, 1, "collected")]) == Outcome(
        state="collected", reason=None, units={}
    )
