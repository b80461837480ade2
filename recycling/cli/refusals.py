"""What the commands share: a refusal of the domain as a line on the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from recycling.errors import DomainError


@contextmanager
def in_words() -> Iterator[None]:
    """End the command with the refusal's message and exit code 1, without a stack dump."""
    try:
        yield
    except DomainError as error:
        raise click.ClickException(error.message) from error
