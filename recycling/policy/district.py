"""The district's reference facts in one bundle, handed to every use case."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from recycling.policy.balance import BalanceRule
from recycling.policy.booking_rules import BookingRules
from recycling.policy.catalogue import Catalogue, ItemType
from recycling.policy.day_changes import DayChangeBook
from recycling.policy.devices import DeviceRule
from recycling.policy.gear import Gear
from recycling.policy.geography import Boundary
from recycling.policy.handling import AS_ESTIMATED_BP, HandlingBook
from recycling.policy.healing import BY_HAND, HealingRule
from recycling.policy.intake_rules import CorrectionRule
from recycling.policy.lateness import LatenessRule
from recycling.policy.mass_balance import TripTolerance
from recycling.policy.network import Network, TravelEstimate
from recycling.policy.no_shows import NoShowRule
from recycling.policy.pace import PaceRule
from recycling.policy.preparation import PreparationBook
from recycling.policy.price_estimate import PriceBook
from recycling.policy.privacy import PrivacyNotice
from recycling.policy.processors import ProcessorBook
from recycling.policy.proof_rules import ProofRule
from recycling.policy.provenance_interval import WeightErrors
from recycling.policy.scope import GoalBook
from recycling.policy.service_calendar import ServiceCalendar
from recycling.policy.service_time import ServiceTimeRule
from recycling.policy.stock_rule import StockRule


@dataclass(frozen=True, slots=True, kw_only=True)
class District:
    """Everything that is configured rather than recorded; and what people accepted of what the records teach.

    ``handling`` and ``day_changes`` are empty when the files are read: whoever makes promises or plans fills them in
    from the database. ``network`` is the usual one, in which everything has its name; what drives on a day is
    `network_on`.
    """

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
    trip_tolerance: TripTolerance
    weight_errors: WeightErrors
    corrections: CorrectionRule
    pace: PaceRule
    proof_rules: tuple[ProofRule, ...] = ()
    no_shows: tuple[NoShowRule, ...] = ()
    healing: HealingRule = BY_HAND
    balance: BalanceRule = field(default_factory=BalanceRule)
    processors: ProcessorBook = field(default_factory=ProcessorBook)
    stock: StockRule = field(default_factory=StockRule)
    handling: HandlingBook = field(default_factory=HandlingBook)
    day_changes: DayChangeBook = field(default_factory=DayChangeBook)

    def network_on(self, day: date) -> Network:
        """Stations, vehicles, crews and hours of a service day."""
        return self.day_changes.network_on(self.network, day)

    def item_type(self, key: str, *, on: date) -> ItemType:
        """The row of the catalogue in force on a service day, with the handling that was learned for it.

        Raises
        ------
        InvalidInput
            As for `Catalogue.item_type`.
        """
        return self.handling.item_type(self.catalogue.item_type(key, on=on), on=on)

    def service_time_on(self, day: date) -> ServiceTimeRule:
        """The figures that new promises of a service day are counted with."""
        return self.handling.rule(self.service_time, on=day)

    def travel_on(self, day: date) -> TravelEstimate:
        """How travel of a service day is estimated without a road engine."""
        factor_bp = self.handling.travel_bp(day)
        if factor_bp == AS_ESTIMATED_BP:
            return self.network.travel
        speed_kmh = self.network.travel.speed_kmh * AS_ESTIMATED_BP / factor_bp
        return TravelEstimate(factor=self.network.travel.factor, speed_kmh=speed_kmh)
