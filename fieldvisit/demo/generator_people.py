"""Made-up people, recognisable as such: nobody bears these names, numbers or ids."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product
from random import Random

FIRST_NAMES = {
    "fi": "Aino Eero Helmi Ilmari Kaisa Lauri Maija Niilo Oili Pekka Riitta Sampo Taina Urho Venla Väinö",
    "sv": "Astrid Bengt Elsa Folke Greta Hjalmar Ingrid Lennart Märta Nils",
    "en": "Alice Bob Carol Dave Erin Frank Grace Heidi Ivan Judy",
    "zh": "赵 钱 孙 李 周 吴 郑 王",
}
# "Example", "pretend", "fairy-tale figure", "trial" and their kin: words, not families.
SURNAMES = {
    "fi": "Esimerkki Testihenkilö Keksitty Kuvitelma Satuhahmo Näytelmä Olematon Harjoitus Tarinahahmo Leikisti "
    "Koeponnistus Kaavake Paikanpitäjä Demohenkilö Aineisto Testattava",
    "sv": "Exempelström Påhittsson Provexempel Låtsasgren Låtsaslund Testqvist Fantasidal",
    "en": "Sample Example Placeholder Mockford Testerton Specimen Pretend",
    "zh": "示例 样本 演示 测试 虚构 范例",
}
# In per cent, near enough to a Nordic capital.
LANGUAGES = {"fi": 72, "sv": 12, "en": 11, "zh": 5}
AREA_CODES = (202, 212, 303, 312, 415, 503, 617, 702)
CHECK_CHARACTERS = "0123456789ABCDEFHJKLMNPRSTUVWXY"
OLDEST_YEARS, YOUNGEST_YEARS = 80, 19


@dataclass(frozen=True)
class Person:
    """`phones` are E.164, one or two; `email` may be empty."""

    name: str
    language: str
    national_id: str
    phones: tuple[str, ...]
    email: str


class Cast:
    """Gives out people until the names or the numbers run out; no two share a name, a number or an id."""

    def __init__(self, chance: Random, today: date) -> None:
        self._chance = chance
        self._today = today
        self._names = {language: _shuffled_names(chance, language) for language in LANGUAGES}
        self._phones = iter(_shuffled_phones(chance))
        self._ids: set[str] = set()

    def person(self, *, language: str | None = None) -> Person:
        spoken = language or self._language()
        count = 2 if self._chance.random() < 0.3 else 1
        number = len(self._ids) + 1
        return Person(
            name=next(self._names[spoken]),
            language=spoken,
            national_id=self._national_id(),
            phones=tuple(next(self._phones) for _ in range(count)),
            email=f"person{number}@post.example" if self._chance.random() < 0.7 else "",
        )

    def _language(self) -> str:
        return self._chance.choices(list(LANGUAGES), weights=list(LANGUAGES.values()))[0]

    def _national_id(self) -> str:
        while (drawn := self._any_national_id()) in self._ids:
            pass
        self._ids.add(drawn)
        return drawn

    def _any_national_id(self) -> str:
        """A Finnish personal identity code with an individual number of 900–999, kept for people who do not exist."""
        age_days = self._chance.randint(YOUNGEST_YEARS * 365, OLDEST_YEARS * 365)
        born_on = self._today - timedelta(days=age_days)
        individual = self._chance.randint(900, 999)
        digits = f"{born_on:%d%m%y}{individual}"
        century = "A" if born_on.year >= 2000 else "-"
        return f"{born_on:%d%m%y}{century}{individual}{CHECK_CHARACTERS[int(digits) % 31]}"


def _shuffled_names(chance: Random, language: str) -> Iterator[str]:
    pairs = list(product(FIRST_NAMES[language].split(), SURNAMES[language].split()))
    chance.shuffle(pairs)
    return iter(["".join(pair) if language == "zh" else " ".join(pair) for pair in pairs])


def _shuffled_phones(chance: Random) -> list[str]:
    """The numbers 555-0100 to 555-0199 of each area code: kept for fiction by the North American numbering plan."""
    numbers = [f"+1{area}55501{line:02}" for area in AREA_CODES for line in range(100)]
    chance.shuffle(numbers)
    return numbers
