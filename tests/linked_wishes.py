"""A wish that no single crew can do, and a district where that is so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from recycling.policy.district import District
from recycling.usecases.bookings.promise import Wish, WishedItem
from tests.builders import a_wish
from tests.planned_days import with_vehicles

COOLING, GAS = "lincheng-1", "xingren-1"  # two trucks, each with two people
AIR_CONDITIONER = WishedItem(item_type="ac-split", quantity=1, dismantle=True)
GAS_HEATER = WishedItem(item_type="water-heater-gas", quantity=1, dismantle=True)
FRIDGE = WishedItem(item_type="fridge", quantity=1)


def two_crews(district: District) -> District:
    """The district with two trucks: one crew may take air conditioners down, the other may disconnect gas."""
    found = with_vehicles(district, COOLING, GAS)
    taken = {COOLING: "gas-fitting", GAS: "refrigerant"}
    people = {
        key: replace(one, skills=tuple(skill for skill in one.skills if skill != taken[one.vehicle_key]))
        for key, one in found.network.collectors.items()
    }
    return replace(found, network=replace(found.network, collectors=people))


def a_linked_wish(**overrides: Any) -> Wish:
    """An air conditioner and a gas heater to be taken down, and a fridge, which either crew takes."""
    return a_wish(**({"items": [AIR_CONDITIONER, GAS_HEATER, FRIDGE]} | overrides))
