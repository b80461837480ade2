"""Tables on the terminal, and in files."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

WIDTH_OF_FILES = 200  # columns


def plain_table(*headings: str, words: str) -> Table:
    """A table whose last column takes what width is left and breaks Chinese where it ends."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    table.add_column(words, overflow="fold")
    return table


def print_table(table: Table) -> None:
    """Print a table as wide as the terminal."""
    console = Console()
    # Into a pipe or a file a row goes whole, so that grep finds it.
    (console if console.is_terminal else Console(width=WIDTH_OF_FILES)).print(table)
