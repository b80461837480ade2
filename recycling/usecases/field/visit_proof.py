"""What a record of a visit should have brought along as its proof and did not (缺少的上门凭证)."""

from __future__ import annotations

from collections.abc import Mapping

from recycling.models.booking import Booking
from recycling.policy.district import District
from recycling.policy.price_estimate import ItemToPrice, estimate
from recycling.policy.proof_rules import MissingProof, Proof, ProvenItem, missing_proof, rules_on
from recycling.usecases.field.door_code import CodeCheck
from recycling.usecases.field.reports import FieldReport, GivenProof

NOTHING_GIVEN = GivenProof()


def visit_proof(
    report: FieldReport, booking: Booking, *, code: CodeCheck | None, district: District
) -> tuple[MissingProof, ...]:
    """The rules that an outcome does not keep; ``code`` is what became of the resident's code."""
    if report.kind not in ("collected", "partly", "failed"):
        return ()
    counted = {item.item_type: item.units for item in report.payload.items}
    if report.kind == "failed":
        counted = {item.item_type: item.declared_units for item in booking.items if item.declared_units}
    kinds = {key: district.catalogue.item_type(key, on=booking.day) for key in counted}
    given = report.payload.proof or NOTHING_GIVEN
    proof = Proof(
        photos=len(given.photos),
        code=code == "matched",
        signature=given.signature is not None,
        note=report.payload.note is not None,
        call_record=given.called_s is not None,
        seals=sum(unit.seal is not None for unit in report.payload.tags),
        smartphone=given.smartphone,
    )
    return missing_proof(
        rules_on(district.proof_rules, booking.day),
        kind=report.kind,
        reason=report.payload.reason,
        items=[
            ProvenItem(item_type=key, units=units, data_bearing=kinds[key].data_bearing)
            for key, units in counted.items()
        ],
        value_fen=price_at_door.fen
        if (price_at_door := report.payload.price_change) is not None
        else most_fen(booking, counted, district=district),
        proof=proof,
    )


def most_fen(booking: Booking, counted: Mapping[str, int], *, district: District) -> int | None:
    """What so many units of a booking bring at most, in fen, by the estimate of its day; ``None`` if it has none."""
    conditions = {item.item_type: item.condition for item in booking.items}
    items = [
        ItemToPrice(
            kind=district.catalogue.item_type(key, on=booking.day), quantity=units,
            condition=conditions.get(key, "unknown"), dismantle=False,
        )
        for key, units in counted.items()
    ]  # fmt: skip
    found = estimate(
        items, floor=booking.floor, lift=booking.has_lift, book=district.prices, rule=district.service_time,
        on=booking.day,
    )  # fmt: skip
    return found.high_fen
