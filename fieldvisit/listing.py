"""Tables on a terminal: nothing is cut off in them, and nothing that stands in them is markup."""

from collections.abc import Iterable
from typing import Any

from rich.table import Column, Table
from rich.text import Text

from fieldvisit.languages import Message, say


class PlainTable(Table):
    def add_row(self, *cells: Any, **more: Any) -> None:
        # A name may hold brackets, which are markup to the library, or an error.
        super().add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in cells), **more)


def table(heads: Iterable[Message], language: str, *, title: str | None = None) -> Table:
    """An empty table with these heads. What is too wide goes on below: a code that ends in dots cannot be typed."""
    columns = (Column(say(head, language), overflow="fold") for head in heads)
    return PlainTable(*columns, title=None if title is None else Text(title))
