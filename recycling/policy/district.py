"""The district's reference facts in one bundle, handed to every use case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from recycling.policy.booking_rules import BookingRules
from recycling.policy.capacity import AreaCapacity, area_capacity
from recycling.policy.catalogue import Catalogue
from recycling.policy.geography import Boundary
from recycling.policy.network import Network
from recycling.policy.privacy import PrivacyNotice
from recycling.policy.scope import GoalBook
from recycling.policy.service_calendar import ServiceCalendar
from recycling.policy.service_time import ServiceTimeRule


@dataclass(frozen=True, slots=True, kw_only=True)
class District:
    """Everything that is configured rather than recorded."""

    catalogue: Catalogue
    network: Network
    calendar: ServiceCalendar
    booking_rules: BookingRules
    service_time: ServiceTimeRule
    goals: GoalBook
    boundary: Boundary
    privacy: PrivacyNotice

    capacities: Mapping[str, AreaCapacity] = field(init=False)
    """What each area may promise on a service day."""

    def __post_init__(self) -> None:
        found = {area: area_capacity(self.network, area) for area in self.network.stations}
        object.__setattr__(self, "capacities", found)
