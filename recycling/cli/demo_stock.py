"""Made-up work of the keepers beside the vans: walk-ins, the weighbridge, stock, hand-overs, a count, a correction."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select

from recycling.cli.demo_day import MADE_UP, MIX, SEED
from recycling.cli.demo_work import SCALE, TRUCK_G, Happening, Workplace
from recycling.models.correction import CorrectionProposal
from recycling.models.hand_over import HandOver
from recycling.models.intake import Channel, IntakeTicket
from recycling.models.stock import StockCount, StockLot
from recycling.models.weighbridge import ScaleReading, WeighedReading
from recycling.policy.custody_tags import BODY_CHARS, make_tag
from recycling.units import instant_at
from recycling.usecases.custody.count_stock import Counted, count_stock
from recycling.usecases.custody.hand_over import Batch, WantedUnits, hand_over
from recycling.usecases.custody.re_weigh import re_weigh
from recycling.usecases.intake.propose_correction import propose_correction
from recycling.usecases.intake.read_off import ReadWeighing
from recycling.usecases.intake.take_readings import ReadingReport, take_reading
from recycling.usecases.intake.weigh_in import weigh_in
from recycling.usecases.intake.weighing import WeighedLine, Weighing

WALK_INS = 16
FIRST_WALK_IN_S, BETWEEN_WALK_INS_S = 8 * 3600, 35 * 60
STRIPPED_WALK_IN, LABELLED_WALK_IN = 3, 5
HAND_SCALE = "2"
CART_G = 12_000

# An office that moves: its furniture takes the station over its storage limit of 20 t.
FULL_STATION = "changzhuang"
CLEARED = (("desk-office", 220), ("file-cabinet", 200), ("bookcase", 140))
MISREAD_G = 800_000  # of the second load, found in the evening: more than one person may correct
PROCESSOR = "dismantler-demo"
LOTS_A_BATCH = 6
LOST_BP = 500  # what the processor's scale shows less, more than is let pass
MINUTE_S = 60


def walk_ins(day: date, place: Workplace) -> list[Happening]:
    """People who bring things to the stations in turn, some with a trade-in; one thing comes stripped, one labelled."""
    rng = random.Random(f"{SEED}:{day}:walk-ins")  # noqa: S311  # a demo wants the same day again, not secrecy
    stations = list(place.district.network.stations)
    found = []
    for number in range(WALK_INS):
        station_key = stations[number % len(stations)]
        key = rng.choices(list(MIX), list(MIX.values()))[0]
        units = rng.randint(1, 3)
        tags = [make_tag(rng.getrandbits(5 * BODY_CHARS)) for _ in range(units)] if number == LABELLED_WALK_IN else ()
        channel: Channel = "trade_in" if number % 4 == 1 else "walk_in"
        net_g = _net_g([(key, units)], day, place, rng)
        line = WeighedLine(item_type=key, units=units, missing_parts=int(number == STRIPPED_WALK_IN), tags=tags)
        weighing = Weighing(channel=channel, gross_g=net_g + CART_G, tare_g=CART_G, lines=[line])
        at = instant_at(day, FIRST_WALK_IN_S + number * BETWEEN_WALK_INS_S)
        found.append(_weighing(at, weighing, station_key, place, scale_number=HAND_SCALE))
    return found


def weighbridge(day: date, place: Workplace) -> list[Happening]:
    """Two readings that a weighbridge sends; the keeper has weighed in by the first."""
    station_key = next(iter(place.district.network.stations))

    def reads(at: datetime, number: int) -> ScaleReading:
        report = ReadingReport(
            reading_number=f"{day:%m%d}-{number:02d}", gross_g=TRUCK_G + 180_000, tare_g=TRUCK_G, vehicle="鲁D00001",
            at=at,
        )  # fmt: skip
        reading, _ = take_reading(
            report, station_key=station_key, scale_number=SCALE, district=place.district, session=place.session, now=at
        )
        return reading

    def weighs(at: datetime) -> None:
        reading_id = reads(instant_at(day, 10 * 3600), 1).id
        if place.session.get(WeighedReading, reading_id) is not None:
            place.session.rollback()
            return
        weigh_in(
            ReadWeighing(
                reading_id=reading_id, channel="trade_in", lines=[WeighedLine(item_type="washer-top", units=6)]
            ),
            scale_number=None, by=place.keeper(station_key), district=place.district, session=place.session, now=at,
            made_up=True,
        )  # fmt: skip

    return [
        Happening(at=instant_at(day, 10 * 3600), do=lambda at: reads(at, 1)),
        Happening(at=instant_at(day, 10 * 3600 + 5 * MINUTE_S), do=weighs),
        Happening(at=instant_at(day, 11 * 3600), do=lambda at: reads(at, 2)),
    ]


def keepers_day(day: date, place: Workplace) -> list[Happening]:
    """What a day's keepers do with their stock; each batch and the count at a station of its own that has some."""
    return [
        *(
            _weighing(_cleared_at(day, n), _clearance(n, day, place), FULL_STATION, place, scale_number=SCALE)
            for n in range(len(CLEARED))
        ),
        Happening(at=instant_at(day, 15 * 3600), do=lambda at: _hand_over(0, day, place, at)),
        Happening(at=instant_at(day, 16 * 3600), do=lambda at: _hand_over(1, day, place, at)),
        Happening(at=instant_at(day, 17 * 3600), do=lambda at: _re_weigh(day, place, at)),
        Happening(at=instant_at(day, 17 * 3600 + 30 * MINUTE_S), do=lambda at: _count(2, day, place, at)),
        Happening(at=instant_at(day, 17 * 3600 + 45 * MINUTE_S), do=lambda at: _propose(day, place, at)),
    ]


def _net_g(goods: Sequence[tuple[str, int]], day: date, place: Workplace, rng: random.Random) -> int:
    table_g = sum(place.district.catalogue.item_type(key, on=day).unit_mass_g * units for key, units in goods)
    return max(100, round(table_g * rng.uniform(0.9, 1.1) / 100) * 100)


def _weighing(
    at: datetime, weighing: Weighing, station_key: str, place: Workplace, *, scale_number: str
) -> Happening:  # fmt: skip
    def weighs(now: datetime) -> None:
        if _ticket(station_key, now, place) is None:
            weigh_in(
                weighing, scale_number=scale_number, by=place.keeper(station_key), district=place.district,
                session=place.session, now=now, made_up=True,
            )  # fmt: skip

    return Happening(at=at, do=weighs)


def _ticket(station_key: str, at: datetime, place: Workplace) -> UUID | None:
    """The made-up ticket of a station that was weighed at an instant."""
    found = place.session.scalar(
        select(IntakeTicket.id)
        .where(IntakeTicket.station_key == station_key, IntakeTicket.weighed_at == at, IntakeTicket.made_up)
        .where(IntakeTicket.corrects_id.is_(None))
    )
    place.session.rollback()
    return found


def _clearance(number: int, day: date, place: Workplace) -> Weighing:
    key, units = CLEARED[number]
    rng = random.Random(f"{SEED}:{day}:{key}")  # noqa: S311
    net_g = _net_g([(key, units)], day, place, rng)
    line = WeighedLine(item_type=key, units=units)
    return Weighing(channel="walk_in", gross_g=2 * TRUCK_G + net_g, tare_g=2 * TRUCK_G, lines=[line])


def _cleared_at(day: date, number: int) -> datetime:
    return instant_at(day, 11 * 3600 + 20 * MINUTE_S * number)


def _stations(day: date, place: Workplace) -> list[str]:
    """Stations with stock of earlier days that the processor takes, by key; never the full one."""
    return sorted({lot.station_key for lot in _lots(day, place)} - {FULL_STATION})


def _lots(day: date, place: Workplace, station_key: str | None = None) -> list[StockLot]:
    """Appliances without anybody's data that were weighed in before a day, the oldest first."""
    catalogue = place.district.catalogue
    wanted = select(StockLot).where(StockLot.left_units > 0, StockLot.day < day)
    if station_key is not None:
        wanted = wanted.where(StockLot.station_key == station_key)
    lots = place.session.scalars(wanted.order_by(StockLot.day, StockLot.station_key, StockLot.item_type)).all()
    kinds = {lot.item_type: catalogue.latest(lot.item_type) for lot in lots}
    return [
        lot for lot in lots if kinds[lot.item_type].group == "appliance_14" and not kinds[lot.item_type].data_bearing
    ]


def _hand_over(number: int, day: date, place: Workplace, at: datetime) -> None:
    """Hand the oldest lots of a station over, whole."""
    session = place.session
    done = session.scalar(select(func.count()).where(HandOver.handed_at == at))
    stations = _stations(day, place)
    if done or not stations:
        session.rollback()
        return
    station_key = stations[number % len(stations)]
    lots = _lots(day, place, station_key)[:LOTS_A_BATCH]
    batch = Batch(
        processor_key=PROCESSOR, net_g=sum(lot.left_g for lot in lots), plate="鲁D00001",
        seal=f"DEMO{day:%m%d}{number}",
        lines=[WantedUnits(item_type=lot.item_type, units=lot.left_units, day=lot.day) for lot in lots],
    )  # fmt: skip
    session.rollback()
    hand_over(batch, by=place.keeper(station_key), district=place.district, session=session, now=at)


def _re_weigh(day: date, place: Workplace, at: datetime) -> None:
    """The processor's scale shows less of the first batch of the day than may be let pass."""
    session = place.session
    batch = session.scalar(select(HandOver).where(HandOver.day == day).order_by(HandOver.handed_at).limit(1))
    if batch is None or batch.re_weighs:
        session.rollback()
        return
    batch_id, station_key, stock = batch.id, batch.station_key, place.district.stock
    less_g = max(batch.net_g * LOST_BP // 10_000, stock.re_weigh_slack_g + 5_000)
    net_g = max(batch.net_g - less_g, batch.net_g // 2)
    session.rollback()
    re_weigh(
        batch_id, net_g=net_g, slip=f"{MADE_UP}-{day:%m%d}", by=place.keeper(station_key), district=place.district,
        session=session, now=at,
    )  # fmt: skip


def _count(number: int, day: date, place: Workplace, at: datetime) -> None:
    """Count two item types of a station: one is as booked, of the other one unit is missing."""
    session = place.session
    done = session.scalar(select(func.count()).where(StockCount.counted_at == at))
    stations = _stations(day, place)
    if done or not stations:
        session.rollback()
        return
    station_key = stations[number % len(stations)]
    booked: dict[str, int] = {}
    for lot in session.scalars(select(StockLot).where(StockLot.station_key == station_key, StockLot.left_units > 0)):
        booked[lot.item_type] = booked.get(lot.item_type, 0) + lot.left_units
    session.rollback()
    wanted = sorted(booked, key=lambda key: (-booked[key], key))[:2]
    counted = [
        Counted(item_type=key, units=booked[key] - int(n == 0), reason="miscounted" if n == 0 else None)
        for n, key in enumerate(wanted)
    ]
    count_stock(counted, by=place.keeper(station_key), district=place.district, session=session, now=at)


def _propose(day: date, place: Workplace, at: datetime) -> None:
    """The second load of the office was read wrongly; a second person has to agree."""
    session = place.session
    ticket_id = _ticket(FULL_STATION, _cleared_at(day, 1), place)
    if ticket_id is None:
        return
    if session.scalar(select(func.count()).where(CorrectionProposal.ticket_id == ticket_id)):
        session.rollback()
        return
    session.rollback()
    said = _clearance(1, day, place)
    propose_correction(
        ticket_id, replace(said, gross_g=said.gross_g - MISREAD_G), reason=f"{MADE_UP}：毛重读错，以复称为准",
        by=place.keeper(FULL_STATION), district=place.district, session=session, now=at,
    )  # fmt: skip
