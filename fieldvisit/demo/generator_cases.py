"""The made-up debtors and what they owe. Each has an archetype: what became of the attempts to reach them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from random import Random

from fieldvisit.demo.generator_addresses import SHARE_WITHOUT_POINT, UNKNOWN, Home, Houses, unknown_home
from fieldvisit.demo.generator_people import Cast, Person

LENDER_CODE, LENDER_NAME = "aurora-lend", "Aurora Lending (demo)"
AGENCY_CODE, AGENCY_NAME = "pohjola-field", "Pohjola Field Service (demo)"


class Archetype(StrEnum):
    """The kind of history that contact with a debtor has."""

    UNREACHABLE = "unreachable"
    DEAD_NUMBERS = "dead_numbers"
    REACHED = "reached"
    PROMISED = "promised"
    REFUSED = "refused"
    DISPUTED = "disputed"
    STOPPED = "stopped"
    WRONG_PERSON = "wrong_person"
    THIRD_PARTY = "third_party"
    FEW_ATTEMPTS = "few_attempts"
    ONE_DAY = "one_day"
    SAME_HOURS = "same_hours"
    LONG_AGO = "long_ago"

    @property
    def opens(self) -> bool:
        """Whether the failed-contact gate ought to open a visit."""
        return self in {Archetype.UNREACHABLE, Archetype.DEAD_NUMBERS}


# How many debtors there are of each: 300 together, 120 of whom the phone does not reach.
DEBTORS = {
    Archetype.UNREACHABLE: 110,
    Archetype.DEAD_NUMBERS: 10,
    Archetype.REACHED: 48,
    Archetype.PROMISED: 30,
    Archetype.REFUSED: 14,
    Archetype.DISPUTED: 10,
    Archetype.STOPPED: 8,
    Archetype.WRONG_PERSON: 8,
    Archetype.THIRD_PARTY: 10,
    Archetype.FEW_ATTEMPTS: 34,
    Archetype.ONE_DAY: 6,
    Archetype.SAME_HOURS: 6,
    Archetype.LONG_AGO: 6,
}
WITH_SECOND_CASE = 8
# The lender still calls those itself who have only just fallen behind.
KEPT_BY_LENDER = {Archetype.FEW_ATTEMPTS: 26, Archetype.REACHED: 5}
DAYS_PAST_DUE = {Archetype.FEW_ATTEMPTS: (16, 29), Archetype.REACHED: (45, 95), Archetype.PROMISED: (45, 120)}
USUAL_DAYS_PAST_DUE = (45, 210)
# (principal from, to) in whole euros.
PRODUCTS = {
    "consumer_loan": (600, 9_000),
    "credit_card": (250, 4_500),
    "car_loan": (3_000, 16_000),
    "instalment_purchase": (120, 1_800),
    "business_loan": (4_000, 30_000),
}
REASONS = ("unemployment", "illness", "separation", "reduced hours", "forgotten", "late salary", "moved")
PLACE_KINDS = {"home": 95, "chosen": 3, "work": 2}


@dataclass(frozen=True)
class Debtor:
    """One person who owes; `placed` says whether the agency has the case, or the lender kept it."""

    debtor_id: str
    person: Person
    home: Home
    place_kind: str
    archetype: Archetype
    placed: bool
    has_second_case: bool


@dataclass(frozen=True)
class CaseRow:
    """One line of ``cases.csv``, the columns in their order."""

    case_id: str
    debtor_id: str
    name: str
    national_id: str
    language: str
    phone: str
    phone_2: str
    email: str
    address: str
    latitude: str
    longitude: str
    datum: str
    place_kind: str
    product: str
    currency: str
    principal: str
    interest: str
    fees: str
    total: str
    as_of: str
    due_on: str
    days_past_due: str
    stage: str
    reason_for_arrears: str
    agency: str
    placed_from: str
    placed_until: str


def debtors(chance: Random, cast: Cast, houses: Houses) -> list[Debtor]:
    """All debtors in the order of their ids, their kinds well mixed."""
    kinds = [kind for kind, count in DEBTORS.items() for _ in range(count)]
    chance.shuffle(kinds)
    homes = iter(_homes(chance, kinds, houses))
    by_lender = {kind: set(_first(kinds, kind, count)) for kind, count in KEPT_BY_LENDER.items()}
    doubled = set(_first(list(reversed(kinds)), Archetype.REACHED, WITH_SECOND_CASE))
    return [
        Debtor(
            debtor_id=f"D-{number + 1:04}",
            person=cast.person(),
            home=next(homes),
            place_kind=chance.choices(list(PLACE_KINDS), weights=list(PLACE_KINDS.values()))[0],
            archetype=kind,
            placed=number not in by_lender.get(kind, set()),
            has_second_case=len(kinds) - 1 - number in doubled,
        )
        for number, kind in enumerate(kinds)
    ]


def _first(kinds: Sequence[Archetype], kind: Archetype, count: int) -> list[int]:
    return [number for number, each in enumerate(kinds) if each is kind][:count]


def _homes(chance: Random, kinds: Sequence[Archetype], houses: Houses) -> Iterator[Home]:
    """A home per debtor; the unknown addresses belong to people who would have been visited."""
    lost = _first(kinds, Archetype.UNREACHABLE, len(UNKNOWN))
    pointless = set(chance.sample(range(len(kinds)), round(len(kinds) * SHARE_WITHOUT_POINT)))
    for number in range(len(kinds)):
        if number in lost:
            yield unknown_home(lost.index(number))
        else:
            yield houses.home(with_point=number not in pointless)


def cases(chance: Random, everyone: Sequence[Debtor], *, today: date) -> Iterator[tuple[Debtor, CaseRow]]:
    """One case a debtor, two for a few, as of the day before `today`."""
    number = 0
    for debtor in everyone:
        for _ in range(2 if debtor.has_second_case else 1):
            number += 1
            yield debtor, _case(chance, debtor, case_id=f"C-{number:04}", as_of=today - timedelta(days=1))


def _case(chance: Random, debtor: Debtor, *, case_id: str, as_of: date) -> CaseRow:
    person = debtor.person
    latitude, longitude, datum = debtor.home.written
    days = chance.randint(*DAYS_PAST_DUE.get(debtor.archetype, USUAL_DAYS_PAST_DUE))
    product = chance.choices(list(PRODUCTS), weights=(40, 25, 12, 18, 5))[0]
    principal, interest, fees = _amounts(chance, product, days)
    placed_from = as_of - timedelta(days=min(days - 1, 60)) if debtor.placed else None
    return CaseRow(
        case_id=case_id,
        debtor_id=debtor.debtor_id,
        name=person.name,
        national_id=person.national_id,
        language=person.language,
        phone=person.phones[0],
        phone_2=person.phones[1] if len(person.phones) > 1 else "",
        email=person.email,
        address=debtor.home.address,
        latitude=latitude,
        longitude=longitude,
        datum=datum,
        place_kind=debtor.place_kind,
        product=product,
        currency="EUR",
        principal=euros(principal),
        interest=euros(interest),
        fees=euros(fees),
        total=euros(principal + interest + fees),
        as_of=as_of.isoformat(),
        due_on=(as_of - timedelta(days=days)).isoformat(),
        days_past_due=str(days),
        stage=_stage(days),
        reason_for_arrears=chance.choice(REASONS) if debtor.archetype in _TALKED else "",
        agency=AGENCY_CODE if debtor.placed else "",
        placed_from=placed_from.isoformat() if placed_from else "",
        placed_until=(placed_from + timedelta(days=180)).isoformat() if placed_from else "",
    )


_TALKED = {Archetype.REACHED, Archetype.PROMISED}


def _amounts(chance: Random, product: str, days: int) -> tuple[int, int, int]:
    """Principal, interest and fees in cents: interest at 8 to 16 per cent a year since the due date."""
    principal = chance.randint(*PRODUCTS[product]) * 100 + chance.randrange(100)
    interest = principal * days * chance.randint(8, 16) // 36_500
    return principal, interest, 500 * min(4, days // 14)


def _stage(days: int) -> str:
    for stage, until in (("remind", 30), ("phone", 60)):
        if days < until:
            return stage
    return "letter"


def euros(cents: int) -> str:
    """``123450`` → ``"1234.50"``."""
    return f"{cents // 100}.{cents % 100:02}"
