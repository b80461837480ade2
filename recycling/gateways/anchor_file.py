"""The second place of anchors: a file that only grows, one JSON line each, apart from the database."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from recycling.errors import Unavailable

FILE = "anchors.jsonl"


def append_lines(folder: Path, later_than: Callable[[int], Iterable[Mapping[str, Any]]]) -> int:
    """Append the lines that the file does not have; returns how many. They are on the disk when it returns.

    Parameters
    ----------
    folder
        Where the file is; made for its owner alone.
    later_than
        The lines with a number above one, ascending; called while nobody else writes.

    Raises
    ------
    Unavailable
        When the folder cannot be written.
    """
    try:
        return _append(folder, later_than)
    except OSError as error:
        raise Unavailable(
            f"{folder} cannot be written ({error.strerror}); give AUDIT_ANCHOR_DIR a folder that this process may write"
        ) from error


def read_lines(path: Path) -> list[str]:
    """The lines of such a file, those left out that broke off and follow whole; empty when there is none.

    Raises
    ------
    Unavailable
        When it is there and cannot be read.
    """
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            lines = file.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Unavailable(f"{path} cannot be read ({error.strerror}); let this process read it") from error
    after = [*lines[1:], ""]
    return [line for line, next_one in zip(lines, after, strict=True) if line and not _is_start(line, next_one)]


def _append(folder: Path, later_than: Callable[[int], Iterable[Mapping[str, Any]]]) -> int:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = not (folder / FILE).exists()
    with os.fdopen(os.open(folder / FILE, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # ends with the file, however the process ends
        text = file.read().decode("utf-8", "replace")
        # A line that broke off when the power went stays as it is; the whole one follows it.
        broken_off = b"\n" if text and not text.endswith("\n") else b""
        lines = list(later_than(max((_number(line) for line in text.splitlines()), default=0)))
        if lines:
            file.write(broken_off + b"".join(_line(line) for line in lines))
            file.flush()
            os.fsync(file.fileno())
    if new:
        _sync_folder(folder)
    return len(lines)


def _is_start(line: str, whole: str) -> bool:
    return len(line) < len(whole) and whole.startswith(line)


def _line(line: Mapping[str, Any]) -> bytes:
    return json.dumps(line, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _number(line: str) -> int:
    try:
        return int(json.loads(line)["number"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return 0


def _sync_folder(folder: Path) -> None:
    """The file's name on the disk as well."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
