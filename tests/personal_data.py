"""Reads every cell of every table in clear and looks for something personal: the judge of erasing and blanking."""

from __future__ import annotations

import contextlib
import io
import zlib
from collections.abc import Iterator

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from recycling.models import Base


def cells(session: Session) -> Iterator[tuple[str, object]]:
    """Every value of the database with the name of its column, decrypted."""
    session.rollback()
    for table in Base.metadata.sorted_tables:
        for row in session.execute(select(table)):
            for column, value in zip(table.columns, row, strict=True):
                if value is not None:
                    yield f"{table.name}.{column.name}", value
    session.rollback()


def found(session: Session, *secrets: str | bytes) -> set[str]:
    """The columns in which one of the secrets stands."""
    return {
        name
        for name, value in cells(session)
        for secret in secrets
        if (secret in _bytes(value) if isinstance(secret, bytes) else secret in _text(value))
    }


def _bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


def _text(value: object) -> str:
    if not isinstance(value, bytes | memoryview):
        return str(value)
    content = bytes(value)
    if content.startswith(b"PK"):  # a matrix
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return " ".join(str(arrays[name].tolist()) for name in arrays.files)
    with contextlib.suppress(zlib.error):
        content = zlib.decompress(content)
    return content.decode("utf-8", "replace")
