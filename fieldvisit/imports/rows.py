"""From lines to rows: the header is matched with the columns of a kind, each cell with its column."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fieldvisit.drafts import Refusal
from fieldvisit.errors import FieldVisitError
from fieldvisit.imports.columns import Column, Origin, Unreadable
from fieldvisit.imports.readers import Reader
from fieldvisit.imports.tables import Line, UnusableFile
from fieldvisit.languages import Message

MASK = "***"
LONGEST_SHOWN = 60


class ColumnsMissing(UnusableFile):
    code = "columns_missing"
    says = "{file} lacks the columns {columns}."


class ColumnsUnknown(UnusableFile):
    code = "columns_unknown"
    says = "{file} has columns that are not known: {columns}. Known are: {known}."


class ColumnsTwice(UnusableFile):
    code = "columns_twice"
    says = "{file} has columns more than once: {columns}."


@dataclass(frozen=True)
class RowFault:
    """Why a line was not stored. `column` is as the file writes it, empty where no single one is to blame; `value` is
    masked where it is personal."""

    line: int
    column: str
    value: str
    reason: Message


@dataclass(frozen=True)
class Row[Draft]:
    """A line that could be read. `cells` by column name, as they stand in the file."""

    line: int
    cells: Mapping[str, str]
    draft: Draft


class Layout[Draft]:
    """Which column of the file is which. Raises an `UnusableFile` where the header does not fit the kind."""

    def __init__(self, reader: Reader[Draft], headers: Sequence[str], file: str) -> None:
        self._reader = reader
        by_name = {_plain(name): column for column in reader.columns for name in (column.name, *column.aliases)}
        unknown = [header for header in headers if _plain(header) not in by_name]
        if unknown:
            known = ", ".join(column.name for column in reader.columns)
            raise ColumnsUnknown(file=file, columns=_listed(unknown), known=known)
        self._columns = [by_name[_plain(header)] for header in headers]
        self._headers = {column.name: header for column, header in zip(self._columns, headers, strict=True)}
        if len(self._headers) < len(headers):
            twice = [
                header for place, header in enumerate(headers) if self._columns.index(self._columns[place]) != place
            ]
            raise ColumnsTwice(file=file, columns=_listed(twice))
        missing = [column.name for column in reader.columns if column.needed and column.name not in self._headers]
        if missing:
            raise ColumnsMissing(file=file, columns=_listed(missing))

    def rows(self, lines: Iterator[Line], origin: Origin) -> Iterator[Row[Draft] | list[RowFault]]:
        """Each line as a row, or as everything that is wrong with it."""
        for line in lines:
            yield self._row(line, origin)

    def fault(self, row: Row[Draft], refusal: Refusal) -> RowFault:
        """The fault of a row that could be read and was refused all the same."""
        return self._fault(row.line, row.cells, self._reader.column_of(refusal.path), refusal.reason)

    def _row(self, line: Line, origin: Origin) -> Row[Draft] | list[RowFault]:
        if len(line.cells) != len(self._columns):
            counts = {"found": len(line.cells), "wanted": len(self._columns)}
            reason = Message("has {found} values where the header names {wanted}", counts)
            return [RowFault(line.number, "", "", reason)]
        if not line.ended:
            # A date that lost its last digit is a date all the same, and so is an amount.
            return [RowFault(line.number, "", "", Message("the file may be cut off: it ends without a line break"))]
        cells = {column.name: cell for column, cell in zip(self._columns, line.cells, strict=True)}
        values: dict[str, Any] = {column.name: None for column in self._reader.columns}
        faults = []
        for column in self._columns:
            try:
                values[column.name] = column.value(cells[column.name], origin)
            except Unreadable as unreadable:
                faults.append(self._fault(line.number, cells, column, unreadable.reason))
        if faults:
            return faults
        try:
            return Row(line.number, cells, self._reader.draft(values, origin))
        except FieldVisitError as error:
            refusal = Refusal.because(error)
            return [self._fault(line.number, cells, self._reader.column_of(refusal.path), refusal.reason)]

    def _fault(self, line: int, cells: Mapping[str, str], column: Column | None, reason: Message) -> RowFault:
        if column is None:
            return RowFault(line, "", "", reason)
        value = cells.get(column.name, "")
        shown = MASK if column.personal and value.strip() else value[:LONGEST_SHOWN]
        return RowFault(line, self._headers.get(column.name, column.name), shown, reason)


def _plain(header: str) -> str:
    """``Case ID`` and ``case_id`` are one."""
    return "_".join(unicodedata.normalize("NFKC", header).casefold().split())


def _listed(headers: Sequence[str]) -> str:
    return ", ".join(header or '""' for header in headers)
