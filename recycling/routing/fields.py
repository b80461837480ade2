"""Strict reading of decoded JSON: each function takes a field's name and value and returns it typed, or refuses.

Shared by `problem.py` and `plan.py`. The message of every `InvalidProblem` names the field and the value.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from recycling.errors import InvalidProblem

LARGEST = 10**12  # above every load in grams, time in seconds or price in fen that a day can hold


def refuse(name: str, value: Any, want: str) -> NoReturn:
    """Raise the one message form of this module."""
    shown = repr(value)
    raise InvalidProblem(f"{name} is {shown if len(shown) <= 80 else shown[:77] + '...'}; give {want}")


def json_file(path: Path) -> Any:
    """Decode a JSON file, gzipped when its name ends in ``.gz``; NaN, infinities and doubled keys are refused."""
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_doubles)
    except (OSError, EOFError, ValueError, RecursionError) as reason:  # BadGzipFile is an OSError
        raise InvalidProblem(f"{path.name} cannot be read: {reason}; give a JSON file, or one gzipped as .gz") from None


def _no_constant(name: str) -> NoReturn:
    raise InvalidProblem(f"{name} is no JSON number; give a finite one")


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique("object keys", [key for key, _ in pairs])
    return dict(pairs)


def keys(name: str, value: Any, *wanted: str) -> dict[str, Any]:
    """An object with exactly these keys."""
    if not isinstance(value, dict):
        refuse(name, value, "an object")
    for key in wanted:
        if key not in value:
            raise InvalidProblem(f"{name}.{key} is missing; every key is written, null where nothing applies")
    for key in value:
        if key not in wanted:
            raise InvalidProblem(f"{name}.{key} is unknown; the keys are {', '.join(wanted)}")
    return value


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


def count(name: str, value: Any) -> int:
    """An integer from 0 to `LARGEST`; booleans and floats are refused."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LARGEST:
        refuse(name, value, f"an integer from 0 to {LARGEST}")
    return value


def counts(name: str, value: Any) -> tuple[int, ...]:
    """A list of integers from 0."""
    return tuple(count(f"{name}[{i}]", v) for i, v in enumerate(items(name, value)))


def number(name: str, value: Any) -> float:
    """A finite number."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) <= LARGEST:
        refuse(name, value, "a finite number")
    return float(value)


def positive(name: str, value: Any) -> float:
    """A finite number above zero."""
    if number(name, value) <= 0:
        refuse(name, value, "a number above 0")
    return float(value)


def interval(name: str, value: Any) -> tuple[int, int]:
    """A closed interval of seconds ``[first, last]`` with first <= last."""
    if not isinstance(value, list) or len(value) != 2:
        refuse(name, value, "[first second, last second]")
    first, last = count(f"{name}[0]", value[0]), count(f"{name}[1]", value[1])
    if first > last:
        refuse(name, value, "an interval that does not close before it opens")
    return first, last


def names(name: str, value: Any) -> frozenset[str]:
    """A list of distinct texts."""
    found = [text(f"{name}[]", v) for v in items(name, value)]
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


def within(name: str, value: int, low: int, high: int) -> None:
    """Refuse an index outside ``low..high``."""
    if not low <= value <= high:
        refuse(name, value, f"an integer from {low} to {high}")


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
    try:
        with np.load(folder / path, allow_pickle=False) as arrays:
            found = {key: arrays[key] for key in ("travel_s", "distance_m")}
    except (OSError, EOFError, ValueError, KeyError) as reason:
        raise InvalidProblem(
            f"{name}: {path!r} cannot be read: {reason}; give an .npz with travel_s, distance_m"
        ) from None
    for key, array in found.items():
        if not np.issubdtype(array.dtype, np.integer):
            raise InvalidProblem(f"{name}: {key} holds {array.dtype}; give integers")
        square(f"{name}:{key}", array.astype(np.int64), n)
    return found["travel_s"].astype(np.int64), found["distance_m"].astype(np.int64)


def square(name: str, array: npt.NDArray[np.int64], n: int) -> None:
    """Refuse a matrix that is not n × n, has a cell out of range, or is not zero on its diagonal."""
    if array.shape != (n, n):
        raise InvalidProblem(f"{name} is {'×'.join(map(str, array.shape))}; give {n}×{n}, one row per location")
    if n and (int(array.min()) < 0 or int(array.max()) > LARGEST):
        bad = int(array.min()) if int(array.min()) < 0 else int(array.max())
        raise InvalidProblem(f"{name} holds {bad}; give integers from 0 to {LARGEST}")
    if n and np.any(np.diagonal(array)):
        i = int(np.flatnonzero(np.diagonal(array))[0])
        raise InvalidProblem(f"{name}[{i}][{i}] is {array[i, i]}; the way from a location to itself is 0")
