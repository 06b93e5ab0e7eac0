"""A file as lines of text cells: CSV in UTF-8 or GB18030, with commas, semicolons or tabs, or one sheet of XLSX.

Read as a stream: memory does not grow with the file. Whatever makes the whole file unusable is found before the first
line is given out, as far as that can be known without parsing a sheet twice.
"""

import csv
import datetime as dt
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook

from fieldvisit.errors import FieldVisitError, Kind

ENCODINGS = ("utf-8-sig", "gb18030")
DELIMITERS = (",", ";", "\t")
LARGEST_UNPACKED = 500 * 2**20
CUT_CHARACTER = "unexpected end of data"
"""What the decoder of UTF-8 says where the bytes end within a character."""
ZIP_MAGIC, OLD_EXCEL_MAGIC = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
# Nearly every text of a Western code page is also some GB18030: it shows as Chinese inside of words.
MISREAD = re.compile(r"[A-Za-z][\u3400-\u9fff\ue000-\uf8ff]{1,2}[a-z]")
_BROKEN_SHEET = (
    *(zipfile.BadZipFile, zlib.error, ParseError, EOFError, OSError),
    # What the reader of workbooks raises of itself over parts that are missing or not what they say they are.
    *(KeyError, IndexError, ValueError, TypeError, AttributeError),
    # Encrypted, or packed in a way that nobody here unpacks.
    RuntimeError,
)


class UnusableFile(FieldVisitError):
    """Nothing of the file can be imported. `file` is its name."""

    code, kind = "unusable_file", Kind.INVALID
    says = "{file} cannot be imported."


class FileUnreadable(UnusableFile):
    code = "file_unreadable"
    says = "{file} cannot be opened."


class FileEmpty(UnusableFile):
    code = "file_empty"
    says = "{file} is empty: not even a line of column names."


class NotATable(UnusableFile):
    code = "not_a_table"
    says = "{file} is not a table that can be read. It has to be CSV or XLSX (line {line})."


class EncodingUnknown(UnusableFile):
    code = "encoding_unknown"
    says = "{file} is written neither in UTF-8 nor in GB18030. Save it as CSV UTF-8."


class SheetTooLarge(UnusableFile):
    code = "sheet_too_large"
    says = "{file} is too large for a workbook. Save it as CSV."


@dataclass(frozen=True)
class Line:
    """`number` is the line of the file, or the row of the sheet, on which it starts; the header's is 1. `ended`: a line
    break follows; where none does, the rest of the file may be lost, and with it a part of the last cell."""

    number: int
    cells: tuple[str, ...]
    ended: bool = True


@dataclass(frozen=True)
class Table:
    """`length` counts the lines below the header; None where the file does not tell."""

    headers: tuple[str, ...]
    lines: Iterator[Line]
    length: int | None


@contextmanager
def open_table(path: Path) -> Iterator[Table]:
    """The table in the file. Raises an `UnusableFile`; one of a broken sheet may come while its lines are read."""
    try:
        with path.open("rb") as stream:
            start = stream.read(4096)
    except OSError as error:
        raise FileUnreadable(file=path.name) from error
    if not start.strip():
        raise FileEmpty(file=path.name)
    if start.startswith(ZIP_MAGIC):
        with _sheet(path) as table:
            yield table
        return
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise EncodingUnknown(file=path.name)
    # One stray byte in a text is a fault of its row; a hundredth of them is no text.
    if start.count(0) * 100 > len(start) or start.startswith(OLD_EXCEL_MAGIC):
        raise NotATable(file=path.name, line=1)
    encoding, delimiter, length = _surveyed(path)
    with path.open(encoding=encoding, newline="") as stream:
        yield _table(_records(stream, delimiter), path, length=length, filled=False)


def _surveyed(path: Path) -> tuple[str, str, int]:
    """Encoding, delimiter and number of lines below the header, after one look at the whole file."""
    for encoding in ENCODINGS:
        try:
            with path.open(encoding=encoding, newline="") as stream:
                delimiter = _delimiter(stream.readline())
                stream.seek(0)
                length = sum(1 for _ in _trusted(_records(stream, delimiter), path, encoding)) - 1
        except UnicodeDecodeError as error:
            if error.reason == CUT_CHARACTER:
                # Good to its last character: what is left of it would be some GB18030 too, and all names wrong.
                raise EncodingUnknown(file=path.name) from error
            continue
        return encoding, delimiter, length
    raise EncodingUnknown(file=path.name)


def _trusted(lines: Iterator[Line], path: Path, encoding: str) -> Iterator[Line]:
    number = 1
    try:
        for line in lines:
            number = line.number
            if encoding == "gb18030" and any(MISREAD.search(cell) for cell in line.cells):
                raise EncodingUnknown(file=path.name)
            yield line
    except csv.Error as error:
        raise NotATable(file=path.name, line=number) from error


def _delimiter(header: str) -> str:
    return max(DELIMITERS, key=header.count)


def _records(stream: Iterator[str], delimiter: str) -> Iterator[Line]:
    last = ""

    def heard() -> Iterator[str]:
        nonlocal last
        for last in stream:  # noqa: UP028 - what was read last is looked at
            yield last

    reader = csv.reader(heard(), delimiter=delimiter, strict=True)
    number = 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield Line(number, tuple(cells), ended=last.endswith(("\n", "\r")))
        number = reader.line_num + 1


@contextmanager
def _sheet(path: Path) -> Iterator[Table]:
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > LARGEST_UNPACKED:
                raise SheetTooLarge(file=path.name)
            if archive.testzip() is not None:
                raise NotATable(file=path.name, line=1)
        workbook = load_workbook(path, read_only=True, data_only=True)
        sheet = workbook.worksheets[0]
    except _BROKEN_SHEET as error:
        raise NotATable(file=path.name, line=1) from error
    try:
        length = sheet.max_row - 1 if sheet.max_row else None
        yield _table(_rows(sheet.iter_rows(values_only=True), path), path, length=length, filled=True)
    finally:
        workbook.close()


def _rows(rows: Iterator[tuple[object, ...]], path: Path) -> Iterator[Line]:
    number = 0
    try:
        for number, row in enumerate(rows, start=1):
            cells = tuple(_text(cell) for cell in row)
            if any(cell.strip() for cell in cells):
                yield Line(number, cells)
    except _BROKEN_SHEET as error:
        raise NotATable(file=path.name, line=number + 1) from error


def _table(lines: Iterator[Line], path: Path, *, length: int | None, filled: bool) -> Table:
    first = next(lines, None)
    if first is None:
        raise FileEmpty(file=path.name)
    headers = _stripped(first.cells)
    return Table(headers, (replace(line, cells=_fitted(line.cells, len(headers), filled)) for line in lines), length)


def _fitted(cells: Sequence[str], width: int, filled: bool) -> tuple[str, ...]:
    """The cells under the header: empty ones beyond it do not count, and a sheet leaves out the last where empty."""
    kept = tuple(cells[:width]) + _stripped(cells[width:])
    return kept + ("",) * (width - len(kept)) if filled else kept


def _stripped(cells: Sequence[str]) -> tuple[str, ...]:
    last = max((place for place, cell in enumerate(cells, start=1) if cell.strip()), default=0)
    return tuple(cells[:last])


def _text(cell: object) -> str:
    """A cell of a sheet as it would be written in a CSV file."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, dt.datetime):
        # A sheet has no dates without a time: midnight is how it writes one.
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat()
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    return str(cell)
