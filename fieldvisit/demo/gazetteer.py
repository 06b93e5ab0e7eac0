"""A geocoder that never leaves the machine: it knows the houses of one map extract."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from geopy import Location
from geopy.geocoders.base import DEFAULT_SENTINEL, Geocoder

from fieldvisit.maps import Address, addresses

POSTCODE = re.compile(r"\d{5}")
HOUSE_NUMBER = re.compile(r"(?P<number>\d{1,4})(?P<door>[a-z])?(?P<until>-\d{1,4})?")
FLAT = re.compile(r"[a-z]|\d{1,3}[a-z]?|as|bst|lgh|flat")
COUNTRIES = ("finland", "suomi")


class Gazetteer(Geocoder):  # type: ignore[misc]  # geopy ships no types
    """A geopy geocoder over the addresses of an extract.

    Case, spacing, punctuation and the order of street, postcode and city do not matter; a flat after the house number
    is passed over. What names another city, or a postcode of another postal area, is not found: a guess would send
    people to a stranger's door.
    """

    def __init__(self, houses: Sequence[Address]) -> None:
        super().__init__()
        self._houses = {(_plain(house.street), _plain(house.house_number).replace(" ", "")): house for house in houses}
        self._areas = {house.postcode[:2] for house in houses if house.postcode}
        # The longest first, so that of "Helsingin kaupunki" no word is left standing.
        known = sorted({_plain(house.city) for house in houses if house.city}, key=len, reverse=True)
        self._passed_over = re.compile(rf"\b(?:{'|'.join(map(re.escape, (*known, *COUNTRIES)))})\b")

    @classmethod
    def of(cls, pbf: Path) -> "Gazetteer":
        """The gazetteer of one extract. Raises `MapMissing` or `MapUnreadable`."""
        return cls(addresses(pbf))

    def geocode(
        self, query: str, *, exactly_one: bool = True, timeout: object = DEFAULT_SENTINEL
    ) -> Location | list[Location] | None:
        """The house (WGS-84), or None. `timeout` is there because geopy's callers give one; nothing waits here."""
        house = next((self._houses[key] for key in self._readings(query) if key in self._houses), None)
        if house is None:
            return None
        town = f"{house.postcode} {house.city}".strip()
        name = ", ".join(part for part in (f"{house.street} {house.house_number}", town) if part)
        location = Location(name, (house.lat, house.lon, 0.0), asdict(house))
        return location if exactly_one else [location]

    def _readings(self, query: str) -> Iterator[tuple[str, str]]:
        """(street, house number) as the query may mean them, the most exact first; none if it means another town."""
        words = self._passed_over.sub(" ", _plain(query)).split()
        postcodes = [word for word in words if POSTCODE.fullmatch(word)]
        if any(postcode[:2] not in self._areas for postcode in postcodes):
            return
        words = [word for word in words if word not in postcodes]
        for place, word in enumerate(words):
            if found := HOUSE_NUMBER.fullmatch(word):
                before, after = words[:place], words[place + 1 :]
                # "52 Aleksanterinkatu" is the order of other countries.
                street, flat = (before, after) if before else (after, [])
                if all(FLAT.fullmatch(each) for each in flat):
                    yield from ((" ".join(street), number) for number in _numbers(found, flat))
                return


def _numbers(found: re.Match[str], flat: Sequence[str]) -> Iterator[str]:
    """The house number with the letter behind it, as written, and without any letter."""
    number, until = found["number"], found["until"] or ""
    if flat and len(flat[0]) == 1 and flat[0].isalpha():
        yield f"{number}{flat[0]}{until}"
    yield found[0]
    yield f"{number}{until}"


def _plain(text: str) -> str:
    """Lower case, one spelling per letter, one space between words; all punctuation but the hyphen is a space."""
    return " ".join(re.sub(r"[^\w-]+", " ", unicodedata.normalize("NFKC", text).casefold()).split())
