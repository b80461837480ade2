"""The district's reference facts in one bundle, handed to every use case."""

from __future__ import annotations

from dataclasses import dataclass

from recycling.policy.booking_rules import BookingRules
from recycling.policy.catalogue import Catalogue
from recycling.policy.devices import DeviceRule
from recycling.policy.gear import Gear
from recycling.policy.geography import Boundary
from recycling.policy.healing import BY_HAND, HealingRule
from recycling.policy.lateness import LatenessRule
from recycling.policy.network import Network
from recycling.policy.no_shows import NoShowRule
from recycling.policy.preparation import PreparationBook
from recycling.policy.price_estimate import PriceBook
from recycling.policy.privacy import PrivacyNotice
from recycling.policy.proof_rules import ProofRule
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
    prices: PriceBook
    preparation: PreparationBook
    privacy: PrivacyNotice
    devices: DeviceRule
    gear: tuple[Gear, ...]
    lateness: LatenessRule
    proof_rules: tuple[ProofRule, ...] = ()
    no_shows: tuple[NoShowRule, ...] = ()
    healing: HealingRule = BY_HAND
