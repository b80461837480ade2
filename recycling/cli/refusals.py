"""What the commands share: a refusal of the domain as a line on the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from recycling.errors import DomainError
from recycling.models.transaction import DATABASE_ERRORS


@contextmanager
def in_words() -> Iterator[None]:
    """End the command with the refusal's message, or the database's, and exit code 1, without a stack dump."""
    try:
        yield
    except DomainError as error:
        raise click.ClickException(error.message) from error
    except DATABASE_ERRORS as error:
        raise click.ClickException(
            f"the database cannot be used: {getattr(error, 'orig', None) or error}; look at DATABASE_URL, start the"
            " server if there is one, and bring the tables up to date with: make migrate / 数据库无法使用，请检查后重试"
        ) from error
