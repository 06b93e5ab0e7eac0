"""Columns and what their cells mean: each reader turns text into one value, or says in words why it cannot."""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache

from fieldvisit.debtors import DAYS, phone_number
from fieldvisit.drafts import EARLIEST, LATEST, LONGEST_ID, check_text
from fieldvisit.errors import InvalidValue
from fieldvisit.languages import LANGUAGES, Message, say
from fieldvisit.vocabulary import Datum
from fieldvisit.writable import visible

_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?", re.ASCII)
_WHOLE = re.compile(r"\d{1,15}(\.0{1,15})?", re.ASCII)
_DATE = re.compile(r"(\d{4})([-/.]|年)(\d{1,2})([-/.]|月)(\d{1,2})日?", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(:00)?", re.ASCII)
_YES = {"yes", "y", "true", "1", "是"}
_NO = {"no", "n", "false", "0", "否"}
_CHINESE_DAYS = "一二三四五六日"


class Unreadable(Exception):
    """A cell that means nothing in its column."""

    def __init__(self, reason: Message) -> None:
        super().__init__(reason.text)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Whose file it is: local times are in this zone, numbers without a country code of this country."""

    zone: str
    country: str


Read = Callable[[str, Origin], object]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column. Where it is not `needed` its cells may be empty, and the column may be missing from the file.

    `empty` is what an empty cell says; a column that is missing from the file says nothing (None). `personal` values
    are never repeated in a list of faults.
    """

    name: str
    read: Read
    aliases: tuple[str, ...] = ()
    needed: bool = True
    personal: bool = False
    empty: object = None

    def value(self, cell: str, origin: Origin) -> object:
        """The value of a cell, `empty` for an empty one. Raises `Unreadable`."""
        text = visible(cell).strip()
        if not text:
            if self.needed:
                raise Unreadable(Message("is empty, but needed"))
            return self.empty
        try:
            check_text(self.name, text)
        except InvalidValue as error:
            raise Unreadable(Message(str(error.details["reason"]))) from error
        return self.read(text, origin)


def text(cell: str, origin: Origin) -> str:
    return cell


def identifier(cell: str, origin: Origin) -> str:
    """An id, a code or a number that somebody gave out."""
    if len(cell) > LONGEST_ID:
        raise Unreadable(Message("is too long"))
    return cell


def whole_number(cell: str, origin: Origin) -> int:
    plain = _plain(cell)
    if not _WHOLE.fullmatch(plain):
        raise Unreadable(Message("is not a whole number such as 45"))
    return int(Decimal(plain))


def decimal(cell: str, origin: Origin) -> Decimal:
    """An amount or a coordinate; a comma is refused, since it means thousands to some and decimals to others."""
    return _number(cell)


def degrees(cell: str, origin: Origin) -> float:
    return float(_number(cell))


def date(cell: str, origin: Origin) -> dt.date:
    """``2026-03-02``, ``2026/3/2`` or ``2026年3月2日``: the year always comes first."""
    found = _DATE.fullmatch(_plain(cell))
    try:
        day = dt.date(*(int(found.group(part)) for part in (1, 3, 5)))  # type: ignore[union-attr]  # see below
    except (AttributeError, ValueError) as error:
        # No match, or a day that no month has.
        raise Unreadable(Message("is not a date such as 2026-03-02")) from error
    if not EARLIEST <= day <= LATEST:
        raise Unreadable(Message("lies outside of {min} to {max}", {"min": EARLIEST, "max": LATEST}))
    return day


def instant(cell: str, origin: Origin) -> dt.datetime:
    try:
        found = dt.datetime.fromisoformat(cell)
        if found.tzinfo is None:
            raise Unreadable(Message("needs its offset from UTC, such as +02:00"))
        return found.astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        raise Unreadable(Message("is not a time such as 2026-03-02T09:30:00+02:00")) from error


def clock(cell: str, origin: Origin) -> dt.time:
    found = _CLOCK.fullmatch(_plain(cell))
    if not found or int(found.group(1)) > 23 or int(found.group(2)) > 59:
        raise Unreadable(Message("is not a time of day from 00:00 to 23:59"))
    return dt.time(int(found.group(1)), int(found.group(2)))


def yes_or_no(cell: str, origin: Origin) -> bool:
    if cell.casefold() in _YES:
        return True
    if cell.casefold() in _NO:
        return False
    raise Unreadable(Message("is neither yes nor no"))


def phone(cell: str, origin: Origin) -> str:
    try:
        return phone_number(cell, origin.country)
    except InvalidValue as error:
        raise Unreadable(Message(str(error.details["reason"]))) from error


def words(cell: str, origin: Origin) -> tuple[str, ...]:
    """A list separated by semicolons."""
    return tuple(word.strip() for word in re.split("[;；、]", cell) if word.strip())


def weekdays(cell: str, origin: Origin) -> tuple[str, ...]:
    """``Mon;Tue`` or ``周一;周二``; also whole English names."""
    return tuple(_weekday(word) for word in words(cell, origin))


def one_of[Choice: StrEnum](choices: type[Choice], **also: Choice) -> Callable[[str, Origin], Choice]:
    """A reader of one closed list: by value, by the word for it in a language of ours, or by a word of `also`."""

    @cache
    def known() -> Mapping[str, Choice]:
        return {
            **{say(choice, language).casefold(): choice for language in LANGUAGES for choice in choices},
            **{word.casefold(): choice for word, choice in also.items()},
            **{choice.value: choice for choice in choices},
        }

    def read(cell: str, origin: Origin) -> Choice:
        found = known().get(cell.casefold())
        if found is None:
            raise Unreadable(Message("is not one of {choices}", {"choices": ", ".join(choices)}))
        return found

    return read


datum = one_of(Datum, **{"GCJ-02": Datum.GCJ02, "BD-09": Datum.BD09, "WGS-84": Datum.WGS84})


def _weekday(word: str) -> str:
    plain = word.casefold()
    if len(plain) >= 2 and plain[-1] in _CHINESE_DAYS + "天" and plain[:-1] in ("周", "星期", "礼拜"):
        return DAYS[_CHINESE_DAYS.index(plain[-1].replace("天", "日"))]
    if plain[:3] in DAYS and plain in (plain[:3], *(name for name in _ENGLISH_DAYS if name.startswith(plain[:3]))):
        return plain[:3]
    raise Unreadable(Message("must name days of the week"))


_ENGLISH_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _number(cell: str) -> Decimal:
    plain = _plain(cell)
    if not _NUMBER.fullmatch(plain):
        raise Unreadable(Message("is not a number such as 1234.50"))
    return Decimal(plain)


def _plain(cell: str) -> str:
    """Full-width digits and signs, common in Chinese files, as ordinary ones."""
    return unicodedata.normalize("NFKC", cell)
