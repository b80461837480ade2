"""Strict reading of configuration: a row of a file becomes a frozen dataclass, or one clear error.

The dataclass is the schema: its fields are the keys, its annotations the types, its own checks the ranges.
"""

from __future__ import annotations

import csv
import json
import math
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields
from datetime import date, time
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints

from recycling.errors import ConfigError
from recycling.units import ClockTime

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")
# Any dataclass: its own typing says no more than that its fields can be listed.
Row = TypeVar("Row", bound="DataclassInstance")

KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
# Beyond this no figure of a district is meant, and JSON readers begin to round.
LARGEST_INT = 2**53


def refuse(path: Path, where: str, problem: str) -> ConfigError:
    """Build the error that names the file, the place in it, the problem and the next step."""
    return ConfigError(f"{path}: {where}: {problem}. Correct the file and start again.")


def read_text(path: Path) -> str:
    """Read a whole UTF-8 file; a byte order mark, as Excel writes it, is dropped."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}). Put the file there and start again.") from error
    except UnicodeDecodeError as error:
        raise refuse(path, f"byte {error.start}", "is not UTF-8; save the file as UTF-8") from error


def read_toml(path: Path, *, tables: Iterable[str]) -> dict[str, Any]:
    """Read a TOML file that holds exactly the named tables."""
    document: dict[str, Any] = _parsed(path, tomllib.loads, "TOML")
    _exact_keys(path, "top level", document, required=set(tables), allowed=set(tables))
    return document


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return _parsed(path, json.loads, "JSON")


def _parsed(path: Path, parse: Callable[[str], Any], format_name: str) -> Any:
    text = read_text(path)
    try:
        return parse(text)
    # Both parsers report faults as ValueError, and nesting beyond the stack as RecursionError.
    except (ValueError, RecursionError) as error:
        raise refuse(path, "the file", f"is not valid {format_name}: {error}") from error


def read_csv(path: Path, *, columns: tuple[str, ...]) -> list[tuple[str, dict[str, str]]]:
    """Read a CSV file with exactly these columns; each row comes with the words that locate it."""
    rows = []
    try:
        reader = csv.reader(read_text(path).splitlines(), strict=True)
        header = next(reader, [])
        if tuple(header) != columns:
            raise refuse(path, "line 1", f"columns are {','.join(header)!r}, expected {','.join(columns)!r}")
        for cells in reader:
            where = f"line {reader.line_num}"
            if len(cells) != len(columns):
                raise refuse(path, where, f"has {len(cells)} values for {len(columns)} columns: {','.join(cells)!r}")
            rows.append((where, dict(zip(columns, (cell.strip() for cell in cells), strict=True))))
    except csv.Error as error:
        raise refuse(path, "the file", f"is not valid CSV: {error}") from error
    return rows


def one(path: Path, document: Mapping[str, Any], table: str, kind: type[Row]) -> Row:
    """Turn the single table of that name into a dataclass."""
    value = document[table]
    if not isinstance(value, dict):
        raise refuse(path, table, f"{value!r} must be a table, written [{table}]")
    return build(path, table, value, kind)


def many(path: Path, document: Mapping[str, Any], table: str, kind: type[Row], *, least: int = 1) -> list[Row]:
    """Turn an array of tables into dataclasses, in the order of the file."""
    values = document[table]
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise refuse(path, table, f"must be rows, each written [[{table}]]")
    if len(values) < least:
        raise refuse(path, table, f"has {len(values)} rows, needs at least {least}")
    return [build(path, _row_name(table, number, value), value, kind) for number, value in enumerate(values, 1)]


def keyed(path: Path, table: str, rows: Iterable[T], key: str = "key") -> dict[str, T]:
    """Index rows by their key, refusing a malformed or repeated one."""
    found: dict[str, T] = {}
    for row in rows:
        name = str(getattr(row, key))
        if not KEY.fullmatch(name):
            raise refuse(path, table, f"{key} = {name!r} must be 1 to 63 of a-z, 0-9 and -, not beginning with -")
        if name in found:
            raise refuse(path, table, f"{key} = {name!r} appears twice; keep one row")
        found[name] = row
    return found


def build(path: Path, where: str, row: Mapping[str, Any], kind: type[Row]) -> Row:
    """Turn one row into a dataclass, checking keys, types and then the dataclass's own rules."""
    hints = get_type_hints(kind, include_extras=True)
    # A time of day is written without the unit suffix of the field that holds its seconds.
    names = {
        field.name.removesuffix("_s") if hints[field.name] == ClockTime else field.name: field for field in fields(kind)
    }
    required = {name for name, field in names.items() if field.default is MISSING}
    _exact_keys(path, where, row, required=required, allowed=set(names))
    values = {
        names[name].name: _typed(path, f"{where}, {name}", value, hints[names[name].name])
        for name, value in row.items()
    }
    return checked(path, where, lambda: kind(**values))


def checked(path: Path, where: str, make: Callable[[], T]) -> T:
    """Build something whose own checks raise ``ValueError``, and say where in the file the fault lies."""
    try:
        return make()
    except ValueError as error:
        raise refuse(path, where, str(error)) from error


def reference(path: Path, where: str, value: str, targets: Iterable[str]) -> None:
    """Refuse a key that points to nothing."""
    targets = list(targets)
    if value not in targets:
        near = get_close_matches(value, targets, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(targets)}"
        raise refuse(path, where, f"{value!r} points to nothing; {hint}")


def _row_name(table: str, number: int, row: Mapping[str, Any]) -> str:
    return f"{table} row {number}" + (f" ({row['key']!r})" if "key" in row else "")


def _exact_keys(path: Path, where: str, row: Mapping[str, Any], *, required: set[str], allowed: set[str]) -> None:
    for name in sorted(set(row) - allowed):
        near = get_close_matches(name, allowed - set(row), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(allowed))}"
        raise refuse(path, where, f"unknown key {name!r} = {_short(row[name])}; {hint}")
    for name in sorted(required - set(row)):
        raise refuse(path, where, f"key {name!r} is missing")


def _typed(path: Path, where: str, value: Any, hint: Any) -> Any:
    if get_origin(hint) is UnionType:
        # Only ``X | None`` occurs; absence means None, so a given value is an X.
        hint = get_args(hint)[0]
    if hint == ClockTime:
        if isinstance(value, time) and value.tzinfo is None and not value.microsecond:
            return value.hour * 3600 + value.minute * 60 + value.second
        raise refuse(path, where, f"{value!r} must be a time of day such as 08:00:00, without quotes")
    if hint is float and type(value) in (int, float) and math.isfinite(value):
        return float(value)
    if hint is int and type(value) is int and abs(value) <= LARGEST_INT:
        return value
    if hint is str and isinstance(value, str) and value.strip():
        return value
    # A TOML date and time is a ``datetime``, which is a ``date`` too: compare types exactly.
    if hint in (bool, date) and type(value) is hint:
        return value
    if get_origin(hint) is tuple and isinstance(value, list):
        words = tuple(_typed(path, where, word, get_args(hint)[0]) for word in value)
        if len(set(words)) < len(words):
            raise refuse(path, where, f"{value!r} names something twice")
        return words
    wanted = _WANTED.get(hint, 'a list of words such as ["a", "b"]')
    raise refuse(path, where, f"{_short(value)} must be {wanted}")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"


_WANTED: Mapping[Any, str] = {
    bool: "true or false",
    int: f"a whole number of at most {LARGEST_INT}",
    float: "a finite number",
    str: "text in quotes, not empty",
    date: "a date such as 2026-01-31, without quotes",
}
