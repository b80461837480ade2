"""Read the district's reference facts from the files under ``config/``, all at once, or refuse with one clear error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from recycling.gateways.config_rows import (
    build,
    checked,
    keyed,
    many,
    one,
    read_csv,
    read_json,
    read_toml,
    reference,
    refuse,
)
from recycling.policy.balance import BalanceRule
from recycling.policy.booking_rules import BookingRules
from recycling.policy.catalogue import Catalogue, ItemType
from recycling.policy.devices import DeviceRule
from recycling.policy.district import District
from recycling.policy.fleet import Collector, ShiftPattern, Vehicle, VehicleClass
from recycling.policy.gear import Gear
from recycling.policy.geography import Boundary, Point
from recycling.policy.healing import HealingRule
from recycling.policy.intake_rules import CorrectionRule
from recycling.policy.lateness import LatenessRule
from recycling.policy.mass_balance import TripTolerance
from recycling.policy.network import (
    Network,
    PickupWindow,
    Station,
    TownUnit,
    TravelEstimate,
    Village,
)
from recycling.policy.no_shows import NoShowRule
from recycling.policy.pace import PaceRule
from recycling.policy.preparation import HazardWords, PreparationBook, PreparationStep, WipeTerms
from recycling.policy.price_estimate import FeeRow, PriceBook, PriceRow
from recycling.policy.privacy import Datum, NoticeHead, PrivacyNotice
from recycling.policy.processors import Processor, ProcessorBook
from recycling.policy.proof_rules import ProofRule
from recycling.policy.provenance_interval import WeightErrors
from recycling.policy.scope import Baseline, Goal, GoalBook, Scope
from recycling.policy.service_calendar import DayOverride, ServiceCalendar
from recycling.policy.service_time import ServiceTimeRule
from recycling.policy.stock_rule import StockRule

TOWN_COLUMNS = (
    "town_code", "key", "town_name", "villages", "approx_lat_wgs84", "approx_lon_wgs84", "town_name_en", "in_remit",
)  # fmt: skip
VILLAGE_COLUMNS = ("village_code", "village_name", "town_code", "town_name")
CALENDAR_COLUMNS = ("date", "is_working", "note", "source")
YES_NO = {"yes": True, "no": False}
NETWORK_TABLES = (
    "booking", "travel", "pickup_windows", "vehicle_classes", "shift_patterns", "stations", "vehicles",
    "collectors",
)  # fmt: skip


def read_district(folder: Path) -> District:
    """Read everything under the ``config`` folder.

    Raises ``ConfigError`` at the first file that is missing, malformed or contradicts itself or another; the message
    names the file, the row, the value and what to write instead.
    """
    boundary = _read_boundary(folder / "district" / "boundary.geojson")
    network, booking_rules = _read_network(folder / "district", boundary)
    catalogue = _read_catalogue(folder / "catalogue.toml", network)
    rule_path, devices_path = (folder / "policy" / name for name in ("service_time.toml", "devices.toml"))
    healing_path = folder / "policy" / "healing.toml"
    masses_path = folder / "policy" / "balance_of_mass.toml"
    masses = read_toml(masses_path, tables=["trip_tolerance", "weight_errors"])
    balance_path, intake_path, stock_path, pace_path = (
        folder / "policy" / name for name in ("balance.toml", "intake.toml", "stock.toml", "pace.toml")
    )
    return District(
        catalogue=catalogue,
        network=network,
        calendar=_read_calendar(folder / "district" / "service_calendar.csv"),
        booking_rules=booking_rules,
        service_time=one(rule_path, read_toml(rule_path, tables=["service_time"]), "service_time", ServiceTimeRule),
        goals=_read_goals(folder / "policy" / "goals.toml", network),
        boundary=boundary,
        prices=_read_prices(folder / "policy" / "prices.toml", catalogue),
        preparation=_read_preparation(folder / "policy" / "preparation.toml", catalogue),
        privacy=_read_privacy(folder / "policy" / "privacy.toml"),
        devices=one(devices_path, read_toml(devices_path, tables=["devices"]), "devices", DeviceRule),
        proof_rules=_read_proof_rules(folder / "policy" / "proof.toml", catalogue),
        gear=_read_gear(folder / "policy" / "gear.toml"),
        lateness=_read_lateness(folder / "policy" / "lateness.toml"),
        trip_tolerance=one(masses_path, masses, "trip_tolerance", TripTolerance),
        weight_errors=one(masses_path, masses, "weight_errors", WeightErrors),
        corrections=one(intake_path, read_toml(intake_path, tables=["corrections"]), "corrections", CorrectionRule),
        pace=one(pace_path, read_toml(pace_path, tables=["pace"]), "pace", PaceRule),
        balance=one(balance_path, read_toml(balance_path, tables=["balance"]), "balance", BalanceRule),
        no_shows=_read_no_shows(folder / "policy" / "no_shows.toml"),
        processors=_read_processors(folder / "district" / "processors.toml", catalogue),
        stock=one(stock_path, read_toml(stock_path, tables=["stock"]), "stock", StockRule),
        healing=one(healing_path, read_toml(healing_path, tables=["healing"]), "healing", HealingRule),
    )


def _read_gear(path: Path) -> tuple[Gear, ...]:
    return tuple(keyed(path, "gear", many(path, read_toml(path, tables=["gear"]), "gear", Gear)).values())


def _read_lateness(path: Path) -> LatenessRule:
    return one(path, read_toml(path, tables=["lateness"]), "lateness", LatenessRule)


def _read_no_shows(path: Path) -> tuple[NoShowRule, ...]:
    rules = sorted(
        many(path, read_toml(path, tables=["no_shows"]), "no_shows", NoShowRule), key=lambda rule: rule.valid_from
    )
    for before, after in pairwise(rules):
        if before.valid_to is None or before.valid_to >= after.valid_from:
            raise refuse(path, "no_shows", f"the rule from {before.valid_from} must end before {after.valid_from}")
    return tuple(rules)


def _read_proof_rules(path: Path, catalogue: Catalogue) -> tuple[ProofRule, ...]:
    rules = many(path, read_toml(path, tables=["proof_rules"]), "proof_rules", ProofRule)
    for on in sorted({rule.valid_from for rule in rules}):
        keyed(path, f"proof_rules on {on}", [rule for rule in rules if rule.valid_on(on)])
    keys = {kind.key for kind in catalogue.rows}
    for rule in rules:
        for item_type in rule.item_types:
            reference(path, f"proof_rules {rule.key!r}, item_types", item_type, keys)
    return tuple(rules)


def _read_processors(path: Path, catalogue: Catalogue) -> ProcessorBook:
    rows = many(path, read_toml(path, tables=["processors"]), "processors", Processor)
    keys = {kind.key for kind in catalogue.rows}
    for row in rows:
        keyed(path, "processors", [row])
        for item_type in row.item_types:
            reference(path, f"processors {row.key!r}, item_types", item_type, keys)
    return checked(path, "processors", lambda: ProcessorBook(tuple(rows)))


def _read_network(folder: Path, boundary: Boundary) -> tuple[Network, BookingRules]:
    towns = _read_towns(folder)
    path = folder / "network.toml"
    document = read_toml(path, tables=NETWORK_TABLES)
    network = Network(
        towns=towns,
        villages=_read_villages(folder, towns),
        stations=keyed(path, "stations", many(path, document, "stations", Station)),
        vehicle_classes=keyed(path, "vehicle_classes", many(path, document, "vehicle_classes", VehicleClass)),
        vehicles=keyed(path, "vehicles", many(path, document, "vehicles", Vehicle)),
        shift_patterns=keyed(path, "shift_patterns", many(path, document, "shift_patterns", ShiftPattern)),
        collectors=keyed(path, "collectors", many(path, document, "collectors", Collector)),
        pickup_windows=keyed(path, "pickup_windows", many(path, document, "pickup_windows", PickupWindow)),
        travel=one(path, document, "travel", TravelEstimate),
    )
    _check_network(path, network, boundary)
    return network, one(path, document, "booking", BookingRules)


def _check_network(path: Path, network: Network, boundary: Boundary) -> None:
    for station in network.stations.values():
        where = f"stations {station.key!r}"
        reference(path, f"{where}, key", station.key, network.towns)
        if not boundary.contains(station.lat, station.lon):
            raise refuse(path, where, f"lat = {station.lat}, lon = {station.lon} lies outside the district (WGS-84)")
    for key in network.towns:
        if key not in network.stations:
            raise refuse(path, "stations", f"no station for the town-level unit {key!r}; add a row with that key")
    for vehicle in network.vehicles.values():
        reference(path, f"vehicles {vehicle.key!r}, class_key", vehicle.class_key, network.vehicle_classes)
        reference(path, f"vehicles {vehicle.key!r}, station_key", vehicle.station_key, network.stations)
    for collector in network.collectors.values():
        reference(path, f"collectors {collector.key!r}, shift_key", collector.shift_key, network.shift_patterns)
        reference(path, f"collectors {collector.key!r}, vehicle_key", collector.vehicle_key, network.vehicles)
    for key in network.vehicles:
        checked(path, f"vehicles {key!r}", partial(network.shift_of, key))
    if sum(window.all_day for window in network.pickup_windows.values()) != 1:
        raise refuse(path, "pickup_windows", "exactly one row needs all_day = true")


def _read_towns(folder: Path) -> dict[str, TownUnit]:
    path = folder / "towns.csv"
    towns = []
    for where, row in read_csv(path, columns=TOWN_COLUMNS):
        in_remit = row["in_remit"]
        if in_remit not in ("", *YES_NO):
            raise refuse(path, f"{where}, in_remit", f"{in_remit!r} must be yes, no or empty (not decided)")
        town = {
            "key": row["key"],
            "code": _digits(path, f"{where}, town_code", row["town_code"], 9),
            "name_zh": row["town_name"],
            "name_en": row["town_name_en"],
            "seat_lat": _number(path, f"{where}, approx_lat_wgs84", row["approx_lat_wgs84"]),
            "seat_lon": _number(path, f"{where}, approx_lon_wgs84", row["approx_lon_wgs84"]),
        }
        towns.append(build(path, where, town | ({"in_remit": YES_NO[in_remit]} if in_remit else {}), TownUnit))
    keyed(path, "town_code", towns, "code")
    return keyed(path, "towns", towns)


def _read_villages(folder: Path, towns: Mapping[str, TownUnit]) -> dict[str, Village]:
    path = folder / "villages.csv"
    key_of = {town.code: town.key for town in towns.values()}
    villages = []
    for where, row in read_csv(path, columns=VILLAGE_COLUMNS):
        reference(path, f"{where}, town_code", row["town_code"], key_of)
        town = towns[key_of[row["town_code"]]]
        if row["town_name"] != town.name_zh:
            raise refuse(path, f"{where}, town_name", f"{row['town_name']!r} is not {town.name_zh!r} as in towns.csv")
        village = {
            "code": _digits(path, f"{where}, village_code", row["village_code"], 12),
            "name_zh": row["village_name"],
            "town_key": town.key,
        }
        villages.append(build(path, where, village, Village))
    for where, row in read_csv(folder / "towns.csv", columns=TOWN_COLUMNS):
        found = sum(village.town_key == row["key"] for village in villages)
        if row["villages"] != str(found):
            raise refuse(
                folder / "towns.csv", f"{where}, villages", f"{row['villages']!r} stated, villages.csv has {found}"
            )
    return keyed(path, "villages", villages, "code")


def _read_calendar(path: Path) -> ServiceCalendar:
    overrides: dict[date, DayOverride] = {}
    for where, row in read_csv(path, columns=CALENDAR_COLUMNS):
        try:
            day = date.fromisoformat(row["date"])
        except ValueError as error:
            raise refuse(path, f"{where}, date", f"{row['date']!r} must be a date such as 2026-01-31") from error
        if row["is_working"] not in YES_NO:
            raise refuse(path, f"{where}, is_working", f"{row['is_working']!r} must be yes or no")
        if day in overrides:
            raise refuse(path, f"{where}, date", f"{day} appears twice; keep one row")
        override = {"day": day, "is_working": YES_NO[row["is_working"]], "note": row["note"], "source": row["source"]}
        overrides[day] = build(path, where, override, DayOverride)
    return ServiceCalendar(overrides)


def _read_catalogue(path: Path, network: Network) -> Catalogue:
    rows = many(path, read_toml(path, tables=["item_types"]), "item_types", ItemType)
    held = {skill for shift in network.shifts() for skill in shift.skills}
    for row in rows:
        keyed(path, "item_types", [row])
        for skill in row.dismantling_skills:
            if skill not in held:
                raise refuse(
                    path,
                    f"item_types {row.key!r}, dismantling_skills",
                    f"{skill!r} is held by no crew in network.toml; give it to a collector or do not offer dismantling",
                )
    return checked(path, "item_types", lambda: Catalogue(tuple(rows)))


def _read_goals(path: Path, network: Network) -> GoalBook:
    document = read_toml(path, tables=["scopes", "goals", "baselines"])
    scopes = many(path, document, "scopes", Scope)
    for scope in scopes:
        for town_key in scope.area:
            reference(path, f"scopes {scope.key!r}, area", town_key, network.towns)
    goals = many(path, document, "goals", Goal, least=0)
    baselines = many(path, document, "baselines", Baseline, least=0)
    return checked(path, "the file", lambda: GoalBook(tuple(scopes), tuple(goals), tuple(baselines)))


def _read_prices(path: Path, catalogue: Catalogue) -> PriceBook:
    document = read_toml(path, tables=["prices", "fees"])
    prices = many(path, document, "prices", PriceRow)
    keys = {kind.key for kind in catalogue.rows}
    for number, row in enumerate(prices, 1):
        if row.item_type is not None:
            reference(path, f"prices row {number}, item_type", row.item_type, keys)
    fees = many(path, document, "fees", FeeRow, least=0)
    return checked(path, "the file", lambda: PriceBook(tuple(prices), tuple(fees)))


def _read_preparation(path: Path, catalogue: Catalogue) -> PreparationBook:
    document = read_toml(path, tables=["steps", "hazards", "wipe_terms"])
    steps = many(path, document, "steps", PreparationStep)
    hazards, terms = many(path, document, "hazards", HazardWords), many(path, document, "wipe_terms", WipeTerms)
    for table, rows in (("steps", steps), ("hazards", hazards), ("wipe_terms", terms)):
        keyed(path, table, rows)
    keys = {kind.key for kind in catalogue.rows}
    book = checked(path, "the file", lambda: PreparationBook(tuple(steps), tuple(hazards), tuple(terms)))
    for step_key, item_type in book.item_types():
        reference(path, f"steps {step_key!r}, item_types", item_type, keys)
    return book


def _read_privacy(path: Path) -> PrivacyNotice:
    document = read_toml(path, tables=("privacy", "data"))
    head = one(path, document, "privacy", NoticeHead)
    rows = keyed(path, "data", many(path, document, "data", Datum))
    return checked(path, "data", lambda: PrivacyNotice(head=head, data=rows))


def _read_boundary(path: Path) -> Boundary:
    document = read_json(path)
    try:
        (feature,) = document["features"]
        crs, geometry = feature["properties"]["crs"], feature["geometry"]
        coordinates, kind = geometry["coordinates"], geometry["type"]
        polygons = {"Polygon": [coordinates], "MultiPolygon": coordinates}[kind]
        rings = tuple(_ring(ring) for polygon in polygons for ring in polygon)
    except (KeyError, TypeError, ValueError) as error:
        raise refuse(
            path,
            "the file",
            "must be a FeatureCollection of one Polygon or MultiPolygon of [lon, lat] pairs with the property crs "
            f"({type(error).__name__}: {error})",
        ) from error
    if crs != "WGS-84":
        raise refuse(path, "properties, crs", f"{crs!r} must be 'WGS-84'; convert the outline first")
    return checked(path, "the outline", lambda: Boundary(rings))


def _ring(corners: Any) -> tuple[Point, ...]:
    # GeoJSON writes longitude first; everything of ours has latitude first.
    return tuple((float(lat), float(lon)) for lon, lat in corners)


def _digits(path: Path, where: str, text: str, count: int) -> str:
    if not re.fullmatch(f"[0-9]{{{count}}}", text):
        raise refuse(path, where, f"{text!r} must be {count} digits")
    return text


def _number(path: Path, where: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise refuse(path, where, f"{text!r} must be a number of degrees") from error
