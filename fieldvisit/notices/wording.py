"""Words that a notice may not hold: threats and disguises nowhere, debts not where others read along, and no visit in
a demand under a policy that says so.

The lists are data, one file a language. Both are held against every text, whatever its language says: a text in one may
quote the other. What looks the same is the same (`fieldvisit.notices.lookalikes`), and signs put between the letters
make no difference.
"""

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from fieldvisit.languages import LANGUAGES
from fieldvisit.notices.lookalikes import Looks
from fieldvisit.vocabulary import Channel, NoticeOffence

EVERYWHERE = (NoticeOffence.THREAT, NoticeOffence.DISGUISE)
READ_ALONG = (NoticeOffence.DEBT, NoticeOffence.LEGAL)
OPEN = (Channel.SMS, Channel.VISIT)
"""A text message shows on a locked screen, and a note lies at a door."""
_BETWEEN = r"[\W_]{0,12}"
_SPELT = 4
"""A word of so many letters is found with signs between them, too; a shorter one would be found in anything."""


@dataclass(frozen=True)
class Offending:
    """A phrase as it stands in the text, and why it may not stand there."""

    phrase: str
    offence: NoticeOffence


def offending(text: str, *, is_open: bool) -> list[Offending]:
    """Every phrase that may not stand in the text, in its order, each once, as it stands there but for capitals."""
    return _found(text, (*EVERYWHERE, *READ_ALONG) if is_open else EVERYWHERE)


def visit_threats(text: str) -> list[Offending]:
    """Every phrase by which the text says that somebody will come."""
    return _found(text, (NoticeOffence.VISIT_THREAT,))


def _found(text: str, offences: Collection[NoticeOffence]) -> list[Offending]:
    seen = Looks.of(text)
    found: dict[str, tuple[int, Offending]] = {}
    for offence, pattern in _patterns():
        if offence in offences:
            for spelt in seen.spellings:
                for hit in pattern.finditer(spelt):
                    phrase = seen.original(hit.start(), hit.end())
                    found.setdefault(phrase, (hit.start(), Offending(phrase, offence)))
    return [each for _, each in sorted(found.values(), key=lambda entry: entry[0])]


@cache
def _patterns() -> tuple[tuple[NoticeOffence, re.Pattern[str]], ...]:
    return tuple(
        (offence, re.compile("|".join(_pattern(phrase) for phrase in _longest_first(phrases))))
        for language in LANGUAGES
        for offence, phrases in _lists(language)
    )


def _lists(language: str) -> Iterator[tuple[NoticeOffence, list[str]]]:
    with (files("fieldvisit.notices") / "words" / f"{language}.toml").open("rb") as stream:
        for name, phrases in tomllib.load(stream).items():
            yield NoticeOffence(name), phrases


def _longest_first(phrases: Iterable[str]) -> list[str]:
    return sorted(phrases, key=lambda phrase: (-len(phrase), phrase))


def _pattern(phrase: str) -> str:
    if not phrase.isascii():
        # Chinese knows no borders of words.
        return r"[\W_]*".join(map(re.escape, phrase))
    words = r"[\W_]+".join(_word(word) for word in phrase.split())
    return rf"(?<!\w){words}(?!\w)"


def _word(word: str) -> str:
    letters = word.removesuffix("*")
    spelt = _BETWEEN.join(map(re.escape, letters)) if len(letters) >= _SPELT else re.escape(letters)
    return spelt + (r"\w*" if word.endswith("*") else "")
