"""A made-up day of pickups: the same wishes for the same seed, places inside the outline, nobody real behind them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import date

from recycling.policy.district import District
from recycling.policy.network import TownUnit
from recycling.usecases.bookings.promise import Wish, WishedItem

SEED = 370403  # the district's own division code
SPREAD_DEG = 0.018  # about 2 km around the town's seat: villages have no coordinates in any open source
MADE_UP = "演示数据"

# What people give away, by weight of our guess; a demo, not a statistic.
MIX = {
    "fridge": 12, "washer-top": 8, "washer-drum": 6, "tv-flat": 8, "tv-crt": 4, "ac-split": 5, "ac-unit": 4,
    "computer-desktop": 5, "range-hood": 3, "water-heater-electric": 3, "microwave": 5, "rice-cooker": 4, "fan": 4,
    "sofa-three": 6, "sofa-single": 3, "mattress-150": 6, "bed-double": 3, "wardrobe-two": 4, "desk": 4,
    "chair-dining": 3, "bookcase": 2, "tv-cabinet": 2,
}  # fmt: skip
WINDOW_MIX = {"08-10": 5, "10-12": 5, "13-15": 4, "15-17": 4, "all-day": 5}


def made_up_wishes(
    district: District, day: date, *, count: int, mix: Mapping[str, int] = MIX, crowd: str = ""
) -> Iterator[Wish]:
    """Yield ``count`` wishes for a day, spread over the villages of all town-level units.

    ``mix`` is what people give away, by weight; another ``crowd`` on the same day is of other people.
    """
    rng = random.Random(f"{SEED}:{day}{crowd}")  # noqa: S311  # a demo wants the same day again, not secrecy
    villages = list(district.network.villages.values())
    for number in range(count):
        village = rng.choice(villages)
        lat, lon = _point(rng, district, district.network.towns[village.town_key])
        kinds = rng.sample(list(mix), k=rng.choices((1, 2, 3), (6, 3, 1))[0], counts=list(mix.values()))
        yield Wish(
            items=[_item(rng, district, day, key) for key in dict.fromkeys(kinds)],
            village_code=village.code,
            address=f"{MADE_UP} {village.name_zh} {rng.randint(1, 99)} 号",
            lat=lat,
            lon=lon,
            coordinate_system="wgs84",
            floor=rng.choices((1, 2, 3, 4, 5, 6), (10, 3, 3, 2, 2, 1))[0],
            has_lift=rng.random() < 0.2,
            note=f"{MADE_UP} {number + 1}",
            day=day,
            pickup_window=rng.choices(list(WINDOW_MIX), list(WINDOW_MIX.values()))[0],
        )


def _item(rng: random.Random, district: District, day: date, key: str) -> WishedItem:
    kind = district.catalogue.item_type(key, on=day)
    return WishedItem(
        item_type=key,
        quantity=rng.randint(2, min(6, kind.max_per_booking)) if key == "chair-dining" else 1,
        dismantle=kind.dismantling and rng.random() < 0.4,
        wipe_consent=kind.data_bearing,
    )


def _point(rng: random.Random, district: District, town: TownUnit) -> tuple[float, float]:
    while True:
        lat = round(rng.gauss(town.seat_lat, SPREAD_DEG / 2), 6)
        lon = round(rng.gauss(town.seat_lon, SPREAD_DEG / 2), 6)
        if district.boundary.contains(lat, lon):
            return lat, lon
