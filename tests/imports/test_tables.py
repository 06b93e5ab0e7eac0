"""Files as they come: encodings, separators, workbooks, Chinese headers, and what is no table at all."""

import datetime as dt
import zipfile
from pathlib import Path

import pytest
import sqlalchemy as sa

from fieldvisit.database import acting_for
from fieldvisit.imports.kinds import KINDS, READERS
from fieldvisit.imports.rows import ColumnsMissing, ColumnsTwice, ColumnsUnknown
from fieldvisit.imports.tables import (
    EncodingUnknown,
    FileEmpty,
    FileUnreadable,
    Line,
    NotATable,
    UnusableFile,
    open_table,
)
from fieldvisit.languages import say
from fieldvisit.models import Debtor
from fieldvisit.vocabulary import CaseStage, PlaceKind
from tests.imports.files import CASE, GOOD, Office, write_csv, write_xlsx

CHINESE = {
    "案件编号": "C-1",
    "客户编号": "D-1",
    "姓名": "测试甲",
    "身份证号": "11010119900307000X",
    "手机号": "010-62551234",
    "地址": "海淀区测试路1号",
    "纬度": "39.915",
    "经度": "116.404",
    "坐标系": "BD-09",
    "地址类型": say(PlaceKind.WORK, "zh_CN"),
    "产品": "消费贷",
    "币种": "CNY",
    "本金": "１０００.００",
    "利息": "50",
    "费用": "0",
    "总额": "1050",
    "截止日期": "2026年3月2日",
    "到期日": "2026/1/2",
    "逾期天数": "59",
    "阶段": say(CaseStage.PHONE, "zh_CN"),
}


def names_stored(office: Office) -> list[str]:
    with acting_for(office.sessions, office.org_id) as session:
        return [debtor.name for debtor in session.scalars(sa.select(Debtor).order_by(Debtor.external_id))]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encoding_and_separator_are_found_out(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = write_csv(
        tmp_path / "table.csv", [{"姓名": "测试甲", "地址": "a,b;c"}], encoding=encoding, delimiter=delimiter
    )
    with open_table(path) as table:
        assert (table.headers, table.length) == (("姓名", "地址"), 1)
        assert list(table.lines) == [Line(2, ("测试甲", "a,b;c"))]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_a_chinese_file_is_read(lender: Office, encoding: str) -> None:
    path = write_csv(lender.folder / "案件.csv", [CHINESE], encoding=encoding)
    assert lender.load_file("cases", path).added == 1
    assert names_stored(lender) == ["测试甲"]


def test_lines_are_counted_as_an_editor_shows_them(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text('a,b\n1,"two\nlines"\n\n  ,\n3,4\n')
    with open_table(path) as table:
        assert list(table.lines) == [Line(2, ("1", "two\nlines")), Line(6, ("3", "4"))]


def test_a_workbook_is_read_with_its_dates_and_numbers(lender: Office) -> None:
    typed = CASE | {"phone": 358457000001, "latitude": 60.1699, "principal": 1000, "fees": 5.0, "days_past_due": 59.0}
    typed |= {"phone": "+358457000001", "as_of": dt.date(2026, 3, 2), "due_on": dt.datetime(2026, 1, 2)}  # noqa: DTZ001 - sheets know no zones
    path = write_xlsx(lender.folder / "cases.xlsx", [[*typed, None], [*typed.values()], [None], [*typed.values()]])
    first = lender.load_file("cases", path)
    assert (first.added, first.unchanged, first.faults) == (1, 1, ())
    assert lender.load("cases", CASE).unchanged == 1


def test_wall_clock_cells_of_a_workbook_are_times(agency: Office) -> None:
    agency.load("visitors", GOOD["visitors"])
    shift = GOOD["shifts"] | {"start": dt.time(8, 30), "lead": True, "date": dt.date(2026, 3, 3)}
    path = write_xlsx(agency.folder / "shifts.xlsx", [[*shift], [*shift.values()]])
    assert agency.load_file("shifts", path).added == 1
    assert agency.load("shifts", GOOD["shifts"]).unchanged == 1


@pytest.mark.parametrize("kind", KINDS)
def test_every_column_has_chinese_names_of_its_own(kind: str) -> None:
    names = [name for column in READERS[kind].columns for name in (column.name, *column.aliases)]
    assert len(set(names)) == len(names)
    assert [column.name for column in READERS[kind].columns if not column.aliases] == []


def test_headers_may_be_written_freely(lender: Office) -> None:
    assert lender.load("cases", {name.replace("_", " ").title(): cell for name, cell in CASE.items()}).added == 1


def test_columns_that_are_not_needed_may_be_missing(lender: Office) -> None:
    needed = {column.name for column in READERS["cases"].columns if column.needed}
    assert lender.load("cases", {name: cell for name, cell in CASE.items() if name in needed}).added == 1


UNUSABLE = [
    (b"", FileEmpty),
    (b"\n \n", FileEmpty),
    (b"\xef\xbb\xbf\n\n", FileEmpty),
    (b"payment_id,case_id,amount,currency\nP-1,C-1,1,EUR\n", ColumnsMissing),
    (b"payment_id,case_id,amount,currency,paid_on,colour\n", ColumnsUnknown),
    (b"payment_id,case_id,amount,currency,paid_on,amount\n", ColumnsTwice),
    ("payment_id,case_id,amount,currency,paid_on,金额\n".encode(), ColumnsTwice),
    (b'payment_id,case_id,amount,currency,paid_on\nP-1,C-1,"1,EUR,2026-02-24\n', NotATable),
    (b"%PDF-1.7\n\0\0", NotATable),
    (b"\xd0\xcf\x11\xe0 old workbook", NotATable),
    (b"PK\x03\x04 and no more", NotATable),
    ("payment_id,case_id,amount,currency,paid_on\n".encode("utf-16"), EncodingUnknown),
    ("payment_id,case_id,amount,currency,paid_on\nMäkinen,C-1,1,EUR,x\n".encode("cp1252"), EncodingUnknown),
    # Good UTF-8 that ends within a character, and would be GB18030 with other names.
    ("payment_id,case_id,amount,currency,paid_on\n测试甲乙,C-1,1,EUR,日".encode()[:-1], EncodingUnknown),
    ("payment_id,case_id,amount,currency,paid_on\nJärvi ä,C-1,1,EUR,x\n".encode("cp1252"), EncodingUnknown),
]


@pytest.mark.parametrize(("content", "error"), UNUSABLE)
def test_a_file_that_is_no_such_table_is_one_clear_error(
    lender: Office, content: bytes, error: type[UnusableFile]
) -> None:
    path = lender.folder / "file"
    path.write_bytes(content)
    with pytest.raises(error) as raised:
        lender.load_file("payments", path)
    assert raised.value.details["file"] == "file"


def test_a_workbook_with_a_damaged_sheet_is_one_clear_error(lender: Office) -> None:
    whole = write_xlsx(lender.folder / "whole.xlsx", [[*CASE], [*CASE.values()]])
    broken = lender.folder / "broken.xlsx"
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(broken, "w") as new:
        for name in old.namelist():
            body = old.read(name)
            new.writestr(name, body[: len(body) // 2] if name.endswith("sheet1.xml") else body)
    with pytest.raises(NotATable):
        lender.load_file("cases", broken)
    assert names_stored(lender) == []


@pytest.mark.parametrize("left_out", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "[Content_Types].xml"])
def test_a_workbook_without_one_of_its_parts_is_one_clear_error(lender: Office, left_out: str) -> None:
    whole = write_xlsx(lender.folder / "whole.xlsx", [[*CASE], [*CASE.values()]])
    lacking = lender.folder / "lacking.xlsx"
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(lacking, "w") as new:
        for name in old.namelist():
            if name != left_out:
                new.writestr(name, old.read(name))
    with pytest.raises(NotATable):
        lender.load_file("cases", lacking)


def test_a_folder_is_not_a_file(lender: Office) -> None:
    with pytest.raises(FileUnreadable):
        lender.load_file("cases", lender.folder)
