"""Imports of bookings (批量预约): a table of an institution's pickups, booked whole or not at all."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Response, abort, request

from recycling.clock import utc_now
from recycling.errors import RowsRefused
from recycling.extensions import db
from recycling.routes.context import district
from recycling.routes.guard import GuardedBlueprint, needs_header, principal
from recycling.routes.idempotency import idempotent, repeats_a_request
from recycling.routes.schemas.booking_imports import BookingImportSchema, ImportWantedSchema
from recycling.usecases.bookings.import_bookings import Rehearsal, book_import, rehearse_import
from recycling.usecases.bookings.import_table import COLUMNS, ImportedWish, read_table

LARGEST_TABLE = 2 << 20  # 2 MiB, the one body beside photos that may be larger than all others: a thousand full rows

bp = GuardedBlueprint(
    "booking_imports", __name__, roles=("dispatcher", "admin"), url_prefix="/booking-imports",
    description="单位批量预约 / bookings of an institution as a CSV table, all or nothing",
)  # fmt: skip

BODY = {
    "required": True,
    "content": {
        "text/csv": {
            "schema": {
                "type": "string",
                "description": "UTF-8 or GB18030, 1,000 rows at most. Columns, in any sequence: " + ", ".join(COLUMNS),
            }
        }
    },
}


@bp.post("")
@partial(needs_header, name="Idempotency-Key")
@bp.doc(requestBody=BODY)
@bp.arguments(ImportWantedSchema, location="query")
@bp.alt_response(200, schema=BookingImportSchema, description="A dry run: all of it can be booked now")
@bp.response(201, BookingImportSchema)
def create_import(wanted: dict[str, Any]) -> Response | tuple[dict[str, Any], int]:
    """Book every row of a table, or none and say why by line; ``dry_run`` proves and writes nothing (批量预约).

    Rows with the same ``booking`` are the items of one booking. The contact is named by ``phone`` or ``resident_id``;
    an unknown phone becomes a new resident. The consent of all of them is the institution's.
    """
    encoding, wishes = _table()
    rehearsed = Rehearsal()
    now = utc_now()
    if wanted["dry_run"] == "true":
        rehearsed = rehearse_import(wishes, district=district(), session=db.session(), now=now)
        return _answer(encoding, rehearsed, dry_run=True), 200
    if not repeats_a_request():
        try:
            rehearsed = rehearse_import(wishes, district=district(), session=db.session(), now=now)
        except RowsRefused:
            if not repeats_a_request():  # or it was answered while we looked, and our own places are in the way
                raise
    booked: Response = _book_once(encoding, rehearsed)
    return booked


@idempotent
@bp.response(201, BookingImportSchema)
def _book_once(encoding: str, rehearsed: Rehearsal) -> dict[str, Any]:
    book_import(rehearsed, by=principal(), district=district(), session=db.session(), now=utc_now())
    return _answer(encoding, rehearsed, dry_run=False)


def _table() -> tuple[str, list[ImportedWish]]:
    """The table that was sent, in whichever encoding."""
    if request.mimetype != "text/csv":
        abort(415, description="send the table as Content-Type: text/csv / 请以 text/csv 提交 CSV 文件")
    request.max_content_length = LARGEST_TABLE
    return read_table(request.get_data(), charset=request.mimetype_params.get("charset"))


def _answer(encoding: str, rehearsed: Rehearsal, *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "encoding": encoding,
        "rows": sum(len(one.said.lines) for one in rehearsed.bookings),
        "bookings": [
            {
                "booking": one.said.label,
                "lines": one.said.lines,
                "id": None if dry_run else one.booking_ids[0],
                "visits": len(one.parts),
                "day": one.said.wish.day,
                "pickup_window": one.said.wish.pickup_window,
            }
            for one in rehearsed.bookings
        ],
    }
