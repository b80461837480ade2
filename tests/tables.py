"""Tables of bookings as institutions send them."""

from __future__ import annotations

from typing import Any

from tests.builders import TOMORROW, VILLAGE

COLUMNS = (
    "booking", "phone", "day", "pickup_window", "village_code", "address", "lat", "lon", "floor", "has_lift", "note",
    "item_type", "quantity", "dismantle",
)  # fmt: skip


def a_row(**overrides: Any) -> dict[str, str]:
    """One fridge of a school in 临城街道, tomorrow from 8 to 10."""
    fields = {
        "booking": "", "phone": "13600000001", "day": str(TOMORROW), "pickup_window": "08-10", "village_code": VILLAGE,
        "address": "清泉路 1 号 教学楼", "lat": "34.8", "lon": "117.26", "floor": "1", "has_lift": "否", "note": "",
        "item_type": "fridge", "quantity": "1", "dismantle": "false",
    }  # fmt: skip
    return fields | {name: str(value) for name, value in overrides.items()}


def a_table(*rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> str:
    """Rows as CSV text; every cell quoted."""
    quoted = [[f'"{row.get(name, "").replace(chr(34), chr(34) * 2)}"' for name in columns] for row in rows]
    return "\r\n".join([",".join(columns), *(",".join(cells) for cells in quoted)]) + "\r\n"
