"""The twelve made-up visitors of the agency, their week and their papers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from fieldvisit.demo.generator_addresses import Houses
from fieldvisit.demo.generator_calendar import working_days_from
from fieldvisit.demo.generator_cases import AGENCY_NAME, LENDER_CODE, LENDER_NAME
from fieldvisit.demo.generator_people import Cast

WORKING_DAYS = 5
# The crews and how many ride in each: four pairs and four who go alone.
CREWS = {"A": 2, "B": 2, "C": 2, "D": 2, "E": 1, "F": 1, "G": 1, "H": 1}
EVENING_CREWS = {"D", "H"}
OFFICE_CREWS = {"A", "C", "E", "F"}
LANGUAGES = ("fi;sv;en", "fi;en", "fi;sv", "fi;en;zh", "fi;sv;en", "fi;en", "fi;sv;en", "fi;en;zh", "fi;sv;en", "fi;en")
SKILLS = ("hardship", "young_adults", "hardship;business", "business", "hardship;young_adults", "")
# Places in the list of visitors: whose letter has run out, and whose papers run out within the month.
BARRED = 10
EXPIRING_SOON = {1: "certificate", 4: "authorisation_letter", 7: "id_card"}


@dataclass(frozen=True)
class VisitorRow:
    """One line of ``visitors.csv``; `skills` and `languages` are lists joined by semicolons."""

    visitor_id: str
    name: str
    staff_number: str
    phone: str
    skills: str
    languages: str
    home_address: str
    home_latitude: str
    home_longitude: str


@dataclass(frozen=True)
class ShiftRow:
    """One line of ``shifts.csv``: local times of Helsinki, `lead` is yes or no, `start_from` home or office."""

    visitor_id: str
    date: str
    start: str
    end: str
    crew: str
    lead: str
    start_from: str
    break_from: str
    break_until: str
    break_minutes: str


@dataclass(frozen=True)
class CredentialRow:
    """One line of ``credentials.csv``; the dates are local and both included."""

    credential_id: str
    visitor_id: str
    kind: str
    number: str
    issuer: str
    valid_from: str
    valid_until: str
    for_organisation: str


def visitors(cast: Cast, houses: Houses) -> list[VisitorRow]:
    """Twelve people who live in the extract."""
    return [_visitor(number, cast, houses) for number in range(sum(CREWS.values()))]


def _visitor(number: int, cast: Cast, houses: Houses) -> VisitorRow:
    person, home = cast.person(language="fi"), houses.home()
    latitude, longitude, _ = home.written
    return VisitorRow(
        visitor_id=f"V-{number + 1:02}",
        name=person.name,
        staff_number=f"{4100 + number}",
        phone=person.phones[0],
        skills=SKILLS[number % len(SKILLS)],
        languages=LANGUAGES[number % len(LANGUAGES)],
        home_address=home.address,
        home_latitude=latitude,
        home_longitude=longitude,
    )


def shifts(everyone: Sequence[VisitorRow], *, today: date) -> Iterator[ShiftRow]:
    """The same crews on `today` (or the next working day) and the four working days after it."""
    for day in working_days_from(today, WORKING_DAYS):
        waiting = iter(everyone)
        for crew, size in CREWS.items():
            for seat in range(size):
                yield _shift(next(waiting), day, crew, lead=seat == 0)


def _shift(visitor: VisitorRow, day: date, crew: str, *, lead: bool) -> ShiftRow:
    evening = crew in EVENING_CREWS
    return ShiftRow(
        visitor_id=visitor.visitor_id,
        date=day.isoformat(),
        start="11:00" if evening else "08:30",
        end="19:00" if evening else "16:30",
        crew=crew,
        lead="yes" if lead else "no",
        start_from="office" if crew in OFFICE_CREWS else "home",
        break_from="14:00" if evening else "11:00",
        break_until="16:30" if evening else "13:30",
        break_minutes="30",
    )


def credentials(chance: Random, everyone: Sequence[VisitorRow], *, today: date) -> list[CredentialRow]:
    """A card, a letter of the lender and a certificate each: most last for months, three run out soon, one is over."""
    return [
        _credential(chance, number, visitor, kind=kind, valid_until=_valid_until(chance, number, kind, today))
        for number, visitor in enumerate(everyone)
        for kind in _ISSUED
    ]


# Issuer, organisation it is for, and how long it lasts in days.
_ISSUED = {
    "id_card": (AGENCY_NAME, "", 1_096),
    "authorisation_letter": (LENDER_NAME, LENDER_CODE, 365),
    "certificate": ("Field Academy (demo)", "", 730),
}


def _valid_until(chance: Random, number: int, kind: str, today: date) -> date:
    if number == BARRED and kind == "authorisation_letter":
        return today - timedelta(days=chance.randint(2, 12))
    if EXPIRING_SOON.get(number) == kind:
        return today + timedelta(days=chance.randint(8, 28))
    return today + timedelta(days=chance.randint(60, 300))


def _credential(chance: Random, number: int, visitor: VisitorRow, *, kind: str, valid_until: date) -> CredentialRow:
    issuer, organisation, lasts_days = _ISSUED[kind]
    place = 3 * number + list(_ISSUED).index(kind) + 1
    return CredentialRow(
        credential_id=f"K-{place:03}",
        visitor_id=visitor.visitor_id,
        kind=kind,
        number=f"DEMO-{chance.randrange(10**6):06}",
        issuer=issuer,
        valid_from=(valid_until - timedelta(days=lasts_days)).isoformat(),
        valid_until=valid_until.isoformat(),
        for_organisation=organisation,
    )
