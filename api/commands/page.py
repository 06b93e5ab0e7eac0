"""A page of help that can be read in Chinese too: wrapped by the columns that the terminal needs."""

import re
from collections.abc import Iterable, Iterator
from unicodedata import east_asian_width

import click

RAW = "\b\n"
"""Click's own sign that the lines of a paragraph stay as they are."""
WIDE = re.compile(r"[\u2e80-\uffee]")
# What is never torn apart: a word, or one wide character; with the brackets and stops that belong to it.
UNITS = re.compile(r"[（「]*(?:[\u2e80-\uffee]|[^\s\u2e80-\uffee]+)[，。、；：）」！？]*|\s+")


class Page(click.HelpFormatter):
    """Click counts characters and breaks at spaces. A Chinese character takes two columns and has none beside it."""

    def write_text(self, text: str) -> None:
        super().write_text(wrapped(text, self.width - self.current_indent))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        listed = list(rows)
        left = min(max(len(term) for term, _ in listed), col_max) + col_spacing
        told = [(term, wrapped(text, self.width - left - 2)) for term, text in listed]
        super().write_dl(told, col_max, col_spacing)


class Reading(click.Context):
    formatter_class = Page


def wrapped(text: str, columns: int) -> str:
    """The paragraphs with wide characters broken into lines; the others are left to click."""
    return "\n\n".join(_paragraph(each, columns) for each in text.split("\n\n"))


def columns_of(text: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _paragraph(text: str, columns: int) -> str:
    if text.startswith(RAW) or not WIDE.search(text):
        return text
    return RAW + "\n".join(_lines(text, columns))


def _lines(text: str, columns: int) -> Iterator[str]:
    line = ""
    for unit in UNITS.findall(text):
        if line and columns_of(line + unit.rstrip()) > columns:
            yield line.rstrip()
            line = ""
        line += unit if line else unit.lstrip()
    if line:
        yield line.rstrip()
