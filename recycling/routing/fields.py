"""Strict reading of decoded JSON: each function takes a field's name and value and returns it typed, or refuses.

Shared by `problem.py` and `plan.py`. The message of every `InvalidProblem` names the field and the value.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path, PurePath
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from recycling.errors import InvalidProblem

LARGEST = 10**12  # above every load in grams, time in seconds or price in fen that a day can hold
LARGEST_SUM = 10**30  # above every sum of such numbers, and of their products, that a plan can state
SMALLEST = 1e-15  # below every speed, factor or scale above 0; what is divided by it stays finite
FARTHEST = 2**59  # seconds or metres; whatever is farther is as far, and sums of two stay within 64 bits


def refuse(name: str, value: Any, want: str) -> NoReturn:
    """Raise the one message form of this module."""
    raise InvalidProblem(f"{name} is {_shown(value)}; give {want}")


def _shown(value: Any) -> str:
    """A value as its file spells it, cut short."""
    try:
        shown = json.dumps(value, ensure_ascii=False, default=repr)
    except RecursionError:
        return "nested too deeply"
    return shown if len(shown) <= 80 else shown[:77] + "..."


def json_file(path: Path) -> Any:
    """Decode a JSON file, gzipped when its name ends in ``.gz``.

    NaN, infinities and doubled keys are kept, for whoever reads the field to refuse them by its name.
    """
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
        return json.loads(text, object_pairs_hook=_object)
    except (OSError, EOFError, ValueError, RecursionError, zlib.error) as reason:  # BadGzipFile is an OSError
        raise InvalidProblem(f"{path.name} cannot be read: {reason}; give a JSON file, or one gzipped as .gz") from None


class _Doubled(dict[str, Any]):
    """An object in which a key occurs twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.names = [key for key, _ in pairs]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Doubled(pairs)


def mapping(name: str, value: Any) -> dict[str, Any]:
    """An object, none of its keys twice."""
    if not isinstance(value, dict):
        refuse(name, value, "an object")
    if isinstance(value, _Doubled):
        unique(f"{name}, its keys", value.names)
    return value


def keys(name: str, value: Any, *wanted: str) -> dict[str, Any]:
    """An object with exactly these keys."""
    found = mapping(name, value)
    for key in wanted:
        if key not in found:
            raise InvalidProblem(f"{name}.{key} is missing; every key is written, null where nothing applies")
    for key in found:
        if key not in wanted:
            raise InvalidProblem(
                f"{name}.{key} is unknown, with the value {_shown(found[key])}; the keys are {', '.join(wanted)}"
            )
    return found


def items(name: str, value: Any) -> list[Any]:
    """A list."""
    if not isinstance(value, list):
        refuse(name, value, "a list")
    return value


def lists_of(length: int, name: str, value: Any) -> list[list[Any]]:
    """A list of lists of one length."""
    for index, row in enumerate(items(name, value)):
        if not isinstance(row, list) or len(row) != length:
            refuse(f"{name}[{index}]", row, f"a list of {length}")
    return value  # type: ignore[no-any-return]  # the loop above has looked at every row


def text(name: str, value: Any) -> str:
    """A text that is not empty and survives UTF-8."""
    if not isinstance(value, str) or not value or "\0" in value:
        refuse(name, value, "a text that is not empty")
    try:
        value.encode()
    except UnicodeEncodeError:
        refuse(name, value, "a text without lone surrogates")
    return value


def flag(name: str, value: Any) -> bool:
    """A boolean."""
    if not isinstance(value, bool):
        refuse(name, value, "true or false")
    return value


def count(name: str, value: Any, *, most: int = LARGEST) -> int:
    """An integer from 0 to ``most``; booleans and floats are refused."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        refuse(name, value, f"an integer from 0 to {most}")
    return value


def total(name: str, value: Any) -> int:
    """An integer that the planner has summed: a cost, or an instant of a route."""
    return count(name, value, most=LARGEST_SUM)


def counts(name: str, value: Any) -> tuple[int, ...]:
    """A list of integers from 0."""
    return tuple(count(f"{name}[{i}]", v) for i, v in enumerate(items(name, value)))


def number(name: str, value: Any) -> float:
    """A number of at most `LARGEST` to either side of zero."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) <= LARGEST:
        refuse(name, value, f"a number from -{LARGEST} to {LARGEST}")
    return float(value)


def positive(name: str, value: Any) -> float:
    """A number from `SMALLEST` to `LARGEST`."""
    if number(name, value) < SMALLEST:
        refuse(name, value, f"a number above 0, from {SMALLEST} to {LARGEST}")
    return float(value)


def interval(name: str, value: Any) -> tuple[int, int]:
    """A closed interval of seconds ``[first, last]`` with first <= last."""
    if not isinstance(value, list) or len(value) != 2:
        refuse(name, value, "[first second, last second]")
    first, last = count(f"{name}[0]", value[0]), count(f"{name}[1]", value[1])
    if first > last:
        refuse(name, value, "an interval that does not close before it opens")
    return first, last


def texts(name: str, value: Any) -> tuple[str, ...]:
    """A list of texts."""
    return tuple(text(f"{name}[{i}]", v) for i, v in enumerate(items(name, value)))


def names(name: str, value: Any) -> frozenset[str]:
    """A list of distinct texts."""
    found = texts(name, value)
    unique(name, found)
    return frozenset(found)


def day(name: str, value: Any) -> date:
    """An ISO date."""
    try:
        if isinstance(value, str) and len(value) == 10:
            return date.fromisoformat(value)
    except ValueError:
        pass
    refuse(name, value, "a date such as 2026-11-24")


def unique(name: str, found: Iterable[str]) -> None:
    """Refuse the first text that occurs twice."""
    seen: set[str] = set()
    for one in found:
        if one in seen:
            raise InvalidProblem(f"{name}: {one!r} occurs twice; each may occur once")
        seen.add(one)


def place(name: str, value: int, locations: int) -> None:
    """Refuse an index of no location."""
    if not 0 <= value < locations:
        want = f"an integer from 0 to {locations - 1}" if locations else "locations at least one place"
        refuse(name, value, want)


def amounts(name: str, value: Sequence[int], units: int) -> None:
    """Refuse a load that does not have one amount per load unit."""
    if len(value) != units:
        refuse(name, list(value), f"{units} amounts, one per load unit")


def matrix(name: str, value: Any, n: int) -> npt.NDArray[np.int64]:
    """An n × n integer matrix from JSON lists."""
    rows = lists_of(n, name, value)
    if len(rows) != n:
        raise InvalidProblem(f"{name} has {len(rows)} rows; give {n}, one per location")
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            if type(cell) is not int or not 0 <= cell <= LARGEST:
                refuse(f"{name}[{i}][{j}]", cell, f"an integer from 0 to {LARGEST}")
    return np.array(rows, dtype=np.int64).reshape(n, n)


def matrix_file(
    name: str, path: str, folder: Path | None, n: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """``travel_s`` and ``distance_m`` from an ``.npz`` file beside the problem."""
    if folder is None:
        raise InvalidProblem(f"{name} is {path!r}, but the problem did not come from a file; give the matrix itself")
    if PurePath(path).is_absolute():
        raise InvalidProblem(f"{name} is {path!r}; give it relative to the problem's folder")
    try:
        with (folder / path).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            found = {key: np.asarray(arrays[key]) for key in ("travel_s", "distance_m")}
    except Exception as reason:  # zip, zlib, header parser and memory each raise their own
        raise InvalidProblem(
            f"{name}: {path!r} cannot be read: {reason}; give an .npz with travel_s, distance_m"
        ) from None
    for key, array in found.items():
        if not np.issubdtype(array.dtype, np.integer):
            raise InvalidProblem(f"{name}: {key} holds {array.dtype}; give integers")
        square(f"{name}:{key}", array, n, most=LARGEST)
    return found["travel_s"].astype(np.int64), found["distance_m"].astype(np.int64)


def square(name: str, array: npt.NDArray[np.integer], n: int, *, most: int) -> None:
    """Refuse a matrix that is not n × n, has a cell out of range, or is not zero on its diagonal."""
    if array.shape != (n, n):
        raise InvalidProblem(f"{name} is {'×'.join(map(str, array.shape))}; give {n}×{n}, one row per location")
    if n and (int(array.min()) < 0 or int(array.max()) > most):
        i, j = divmod(int(array.argmin() if int(array.min()) < 0 else array.argmax()), n)
        refuse(f"{name}[{i}][{j}]", int(array[i, j]), f"an integer from 0 to {most}")
    if n and np.any(np.diagonal(array)):
        i = int(np.flatnonzero(np.diagonal(array))[0])
        refuse(f"{name}[{i}][{i}]", int(array[i, i]), "0, the way from a location to itself")
