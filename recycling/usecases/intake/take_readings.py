"""Take in what a weighbridge says by itself (地磅读数): sent by it, or read out of its memory by a keeper."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.errors import Conflict, Forbidden, InvalidInput
from recycling.logs import logger
from recycling.models.base import insert_if_absent
from recycling.models.transaction import atomic
from recycling.models.weighbridge import ReadingSource, ScaleReading
from recycling.policy.access import Principal
from recycling.policy.district import District
from recycling.units import kg_text, local_text
from recycling.usecases.csv_table import Faults
from recycling.usecases.intake.reading_table import FORM, ReadRow
from recycling.usecases.intake.weighing import SCALE_MAX_G

log = logger(__name__)

CLOCKS_APART = timedelta(minutes=5)  # a scale's clock may be ahead of ours by that much


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingReport:
    """One weighing as the scale tells it; ``vehicle`` is a key or number plate of ours, or anybody's."""

    reading_number: str
    gross_g: int
    tare_g: int
    net_g: int | None = None
    vehicle: str | None = None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """How many readings of a file are new, and how many were known."""

    new: int
    known: int


def take_reading(
    report: ReadingReport, *, station_key: str, scale_number: str, district: District, session: Session, now: datetime
) -> tuple[ScaleReading, bool]:
    """Keep a reading that its scale has sent; the flag says whether it is new.

    Raises
    ------
    InvalidInput
        When its masses contradict each other or it is from the future.
    Conflict
        When the scale has told something else under that number; what stands stays.
    """
    for _column, zh, en in _faults(report, now=now):
        raise InvalidInput(f"{en} / {zh}")
    with atomic(session):
        is_new = _keep(
            report, station_key=station_key, scale_number=scale_number, source="push", by=None, district=district,
            session=session, now=now,
        )  # fmt: skip
        standing = _standing(session, station_key, scale_number, [report.reading_number])[report.reading_number]
        if not is_new and not _same(report, standing):
            zh, en = _clash(standing)
            raise Conflict(f"{en} / {zh}")
    log.info("scale_reading.taken", reading_id=str(standing.id), station_key=station_key, is_new=is_new)
    return standing, is_new


def import_readings(
    rows: Sequence[ReadRow], *, scale_number: str, by: Principal, district: District, session: Session, now: datetime
) -> Imported:
    """Keep the readings in a scale's memory, all or none; those known already are passed over.

    Raises
    ------
    Forbidden
        When the caller is no keeper of a station.
    RowsRefused
        With every row that cannot be, comes twice, or tells something else than what stands under its number.
    """
    if by.station_key is None:
        raise Forbidden("only the keeper of a station imports its readings / 仅限本站点保管员导入")
    faults, first_line = Faults(form=FORM), dict[str, int]()
    reports = [(row.line, ReadingReport(**row.cells)) for row in rows]
    for line, report in reports:
        for column, zh, en in _faults(report, now=now):
            faults.add(line, column, zh, en)
        before = first_line.setdefault(report.reading_number, line)
        if before != line:
            faults.add(line, "reading_number", f"与第 {before} 行编号重复", f"stands on line {before} already")
    if faults.found:
        raise faults.refuse(len(rows))
    new = 0
    with atomic(session):
        known: list[tuple[int, ReadingReport]] = []
        # In one sequence for everybody: two files of one scale queue and do not wait in a circle.
        for line, report in sorted(reports, key=lambda one: one[1].reading_number):
            if _keep(
                report, station_key=by.station_key, scale_number=scale_number, source="csv", by=by, district=district,
                session=session, now=now,
            ):  # fmt: skip
                new += 1
            else:
                known.append((line, report))
        standing = _standing(session, by.station_key, scale_number, [report.reading_number for _, report in known])
        for line, report in known:
            if not _same(report, standing[report.reading_number]):
                faults.add(line, "reading_number", *_clash(standing[report.reading_number]))
        if faults.found:
            raise faults.refuse(len(rows))
    log.info("scale_readings.imported", station_key=by.station_key, new=new, known=len(known))
    return Imported(new=new, known=len(known))


def _faults(report: ReadingReport, *, now: datetime) -> Iterator[tuple[str, str, str]]:
    """What cannot be about a reading, by column, in both languages."""
    gross, tare = kg_text(report.gross_g), kg_text(report.tare_g)
    if not 0 <= report.tare_g < report.gross_g:
        yield (
            "tare_kg", f"皮重 {tare} 须小于毛重 {gross}",
            f"tare {tare} is not below gross {gross}: nothing was weighed; look at the scale",
        )  # fmt: skip
    elif report.net_g is not None and report.net_g != report.gross_g - report.tare_g:
        yield (
            "net_kg", f"净重 {kg_text(report.net_g)} 与毛重 {gross} 减皮重 {tare} 不符",
            f"net {kg_text(report.net_g)} is not gross {gross} less tare {tare}; look at the scale",
        )  # fmt: skip
    if report.gross_g > SCALE_MAX_G:
        yield (
            "gross_kg", f"毛重 {gross} 超出地磅量程",
            f"gross {gross} is above {kg_text(SCALE_MAX_G)}, more than a station's scale can show",
        )  # fmt: skip
    if report.at > now + CLOCKS_APART:
        at = local_text(report.at)
        yield "weighed_at", f"称重时间 {at} 在未来，请校准时钟", f"{at} is in the future; set the scale's clock"


def _keep(
    report: ReadingReport, *, station_key: str, scale_number: str, source: ReadingSource, by: Principal | None,
    district: District, session: Session, now: datetime,
) -> bool:  # fmt: skip
    return insert_if_absent(
        session, ScaleReading, id=uuid4(), station_key=station_key, scale_number=scale_number,
        reading_number=report.reading_number, gross_g=report.gross_g, tare_g=report.tare_g,
        net_g=report.gross_g - report.tare_g, vehicle_key=_our_vehicle(report.vehicle, district), at=report.at,
        source=source, received_at=now, received_by_id=by.id if by is not None else None,
    )  # fmt: skip


def _our_vehicle(named: str | None, district: District) -> str | None:
    """The vehicle of ours that a key or plate names; whose else the plate is, is nobody's business."""
    if named is None:
        return None
    plain = named.replace(" ", "").replace("·", "").upper()
    for vehicle in district.network.vehicles.values():
        if plain == vehicle.key.upper() or (vehicle.plate and plain == vehicle.plate.replace("·", "").upper()):
            return vehicle.key
    return None


def _standing(session: Session, station_key: str, scale_number: str, numbers: Sequence[str]) -> dict[str, ScaleReading]:
    mine = (ScaleReading.station_key == station_key, ScaleReading.scale_number == scale_number)
    found = session.scalars(select(ScaleReading).where(*mine, ScaleReading.reading_number.in_(numbers)))
    return {reading.reading_number: reading for reading in found}


def _same(report: ReadingReport, standing: ScaleReading) -> bool:
    """Whether they tell of one weighing: a memory keeps the minute, what is sent the second."""
    masses = (report.gross_g, report.tare_g) == (standing.gross_g, standing.tare_g)
    return masses and report.at.timestamp() // 60 == standing.at.timestamp() // 60


def _clash(standing: ScaleReading) -> tuple[str, str]:
    at, gross, tare = local_text(standing.at), kg_text(standing.gross_g), kg_text(standing.tare_g)
    return (
        f"编号 {standing.reading_number} 已有其他读数（{at}，毛重 {gross}，皮重 {tare}），原读数不变；请核对地磅",
        f"reading number {standing.reading_number} stands with another content (gross {gross}, tare {tare}, {at};"
        f" {standing.id}) and stays as it is; look at the scale and weigh in by hand what is missing",
    )
