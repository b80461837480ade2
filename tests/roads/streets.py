"""A made-up street net over the district, and the smallest writer of ``.osm.pbf`` that OSRM and Valhalla both read."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# The district's ten stations and whatever is booked around them lie inside.
SOUTH, WEST = 34.62, 117.18
STEP = (
    0.01  # degrees between crossings: about 1.1 km north and 0.9 km east, so no place is farther than 600 m from a road
)
ROWS, COLUMNS = 34, 34
BIG_ROAD = 6  # every sixth street is a main road
ISLAND = ((35.10, 117.60), (35.11, 117.61))  # a street that no other leads to, 20 km off the net


@dataclass(frozen=True, slots=True, kw_only=True)
class Street:
    """One OSM way: its nodes' numbers and its tags."""

    nodes: tuple[int, ...]
    tags: Mapping[str, str]


def crossing(row: int, column: int) -> tuple[float, float]:
    """Latitude and longitude of a crossing of the net."""
    return round(SOUTH + row * STEP, 7), round(WEST + column * STEP, 7)


def street_net() -> tuple[dict[int, tuple[float, float]], list[Street]]:
    """Nodes by number, and streets: a grid with main roads and one-way streets, and an island."""
    nodes = {_number(r, c): crossing(r, c) for r in range(ROWS) for c in range(COLUMNS)}
    streets = [
        *(Street(nodes=tuple(_number(r, c) for c in range(COLUMNS)), tags=_tags(r)) for r in range(ROWS)),
        *(Street(nodes=tuple(_number(r, c) for r in range(ROWS)), tags=_tags(c)) for c in range(COLUMNS)),
    ]
    first = len(nodes) + 1
    nodes |= dict(enumerate(ISLAND, start=first))
    streets.append(Street(nodes=(first, first + 1), tags={"highway": "residential"}))
    return nodes, streets


def write_net(path: Path) -> None:
    """Write the net as ``.osm.pbf``, https://wiki.openstreetmap.org/wiki/PBF_Format."""
    nodes, streets = street_net()
    strings = [b"", *sorted({text.encode() for street in streets for pair in street.tags.items() for text in pair})]
    table = _part(1, b"".join(_part(1, text) for text in strings))
    places = b"".join(_part(1, _node(number, *place)) for number, place in nodes.items())
    ways = b"".join(_part(3, _way(number, street, strings)) for number, street in enumerate(streets, start=1))
    path.write_bytes(
        _blob(b"OSMHeader", _part(4, b"OsmSchema-V0.6"))
        + _blob(b"OSMData", table + _part(2, places))
        + _blob(b"OSMData", table + _part(2, ways))
    )


def _number(row: int, column: int) -> int:
    return row * COLUMNS + column + 1


def _tags(index: int) -> Mapping[str, str]:
    if index % BIG_ROAD == 0:
        return {"highway": "primary", "maxspeed": "60"}
    # A way there that is none back: matrices of real streets are not symmetric.
    return {"highway": "residential"} | ({"oneway": "yes"} if index % BIG_ROAD == 4 else {})


# --- the encoding: protocol buffers by hand, since a library for them would be one more to install ---


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _zigzag(value: int) -> bytes:
    return _varint(value * 2 if value >= 0 else -value * 2 - 1)


def _part(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _packed(field: int, values: Iterable[bytes]) -> bytes:
    return _part(field, b"".join(values))


def _node(number: int, lat: float, lon: float) -> bytes:
    fields = ((1, number), (8, round(lat * 1e7)), (9, round(lon * 1e7)))
    return b"".join(_varint(field << 3) + _zigzag(value) for field, value in fields)


def _way(number: int, street: Street, strings: Sequence[bytes]) -> bytes:
    steps = [b - a for a, b in zip((0, *street.nodes), street.nodes, strict=False)]
    return (
        _varint(1 << 3) + _varint(number)
        + _packed(2, (_varint(strings.index(key.encode())) for key in street.tags))
        + _packed(3, (_varint(strings.index(value.encode())) for value in street.tags.values()))
        + _packed(8, (_zigzag(step) for step in steps))
    )  # fmt: skip


def _blob(kind: bytes, block: bytes) -> bytes:
    body = _part(1, block)
    head = _part(1, kind) + _varint(3 << 3) + _varint(len(body))
    return struct.pack(">I", len(head)) + head + body
