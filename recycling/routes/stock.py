"""Stock of the stations, stock counts, and the stations' balance (库存、盘点、站点物料平衡)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from recycling.clock import utc_now
from recycling.extensions import db
from recycling.routes.context import configured
from recycling.routes.guard import GuardedBlueprint, only, principal
from recycling.routes.idempotency import idempotent
from recycling.routes.schemas.stock import (
    CountStockSchema,
    DecideCountSchema,
    LotFilterSchema,
    LotListSchema,
    StationBalanceFilterSchema,
    StationBalanceSchema,
    StockCountFilterSchema,
    StockCountListSchema,
    StockCountSchema,
    StockFilterSchema,
    StockSchema,
)
from recycling.usecases.custody.count_stock import Counted, count_stock, decide_count
from recycling.usecases.queries import stock as queries
from recycling.usecases.queries.station_balance import station_balance

bp = GuardedBlueprint(
    "stock",
    __name__,
    roles=("keeper", "clerk", "dispatcher", "admin"),
    description="库存与盘点 / stock of the stations, counts, balance",
)


@bp.get("/stock")
@bp.arguments(StockFilterSchema, location="query")
@bp.response(200, StockSchema)
def show_stock(wanted: dict[str, Any]) -> dict[str, Any]:
    """Show what lies at each station by item type and age; a keeper the own station (库存)."""
    return queries.stock_by_station(
        by=principal(), district=configured(), session=db.session(), now=utc_now(), **wanted
    )


@bp.get("/stock/lots")
@bp.arguments(LotFilterSchema, location="query")
@bp.response(200, LotListSchema)
def list_lots(wanted: dict[str, Any]) -> dict[str, Any]:
    """List lots with something left, oldest first (库存批次)."""
    return queries.list_lots(by=principal(), district=configured(), session=db.session(), now=utc_now(), **wanted)


@bp.get("/mass-balance/stations")
@bp.arguments(StationBalanceFilterSchema, location="query")
@bp.response(200, StationBalanceSchema)
def show_balance(wanted: dict[str, Any]) -> dict[str, Any]:
    """Show in, out, adjusted and stock of each station by item type over a span (站点物料平衡)."""
    return station_balance(by=principal(), district=configured(), session=db.session(), now=utc_now(), **wanted)


@bp.post("/stock-counts")
@only("keeper")
@bp.arguments(CountStockSchema)
@idempotent
@bp.response(201, StockCountSchema)
def create_count(counted: list[Counted]) -> dict[str, Any]:
    """Count the own station's stock; a large difference waits for a second person (盘点)."""
    count = count_stock(counted, by=principal(), district=configured(), session=db.session(), now=utc_now())
    return queries.count_in_full(count)


@bp.get("/stock-counts")
@bp.arguments(StockCountFilterSchema, location="query")
@bp.response(200, StockCountListSchema)
def list_counts(wanted: dict[str, Any]) -> dict[str, Any]:
    """List stock counts, newest first (盘点列表)."""
    return queries.list_counts(by=principal(), session=db.session(), **wanted)


@bp.get("/stock-counts/<uuid:count_id>")
@bp.response(200, StockCountSchema)
def show_count(count_id: UUID) -> dict[str, Any]:
    """Show one stock count (盘点详情)."""
    return queries.find_count(count_id, by=principal(), session=db.session())


@bp.post("/stock-counts/<uuid:count_id>/decision")
@only("keeper", "clerk", "admin")
@bp.arguments(DecideCountSchema)
@idempotent
@bp.response(201, StockCountSchema)
def create_decision(body: dict[str, Any], count_id: UUID) -> dict[str, Any]:
    """Let a held count hold, or put it aside; by somebody else than who counted (盘点复核)."""
    count = decide_count(count_id, by=principal(), session=db.session(), now=utc_now(), **body)
    return queries.count_in_full(count)
