"""Where the made-up people live: real houses of the extract, a few of them without a point, a few unknown."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from fieldvisit.maps import Address

# Streets that no town has, in the spelling of the others ("Nonexistent Lane", "Tale Street", "Imagined Road").
UNKNOWN = ("Olematonkuja 7, 00100 Helsinki", "Tarukatu 13, 00120 Helsinki", "Kuvitteellisentie 99, 00530 Helsinki")
SHARE_WITHOUT_POINT = 0.1
POSTCODE = re.compile(r"\d{5}")


@dataclass(frozen=True)
class Home:
    """An address as a lender writes it; `lat` and `lon` (WGS-84) are both there or both missing."""

    address: str
    lat: float | None
    lon: float | None

    def __post_init__(self) -> None:
        if (self.lat is None) != (self.lon is None):
            raise ValueError("a point has a latitude and a longitude, or is missing")

    @property
    def written(self) -> tuple[str, str, str]:
        """Latitude, longitude and datum as the columns of a file; empty where there is no point."""
        if self.lat is None or self.lon is None:
            return "", "", ""
        return f"{self.lat:.6f}", f"{self.lon:.6f}", "wgs84"


class Houses:
    """Gives out houses, none of them twice."""

    def __init__(self, chance: Random, houses: Sequence[Address]) -> None:
        usable = [house for house in houses if POSTCODE.fullmatch(house.postcode)]
        chance.shuffle(usable)
        self._waiting: Iterator[Address] = iter(usable)

    def home(self, *, with_point: bool = True) -> Home:
        house = next(self._waiting)
        address = f"{house.street} {house.house_number}, {house.postcode} {house.city}"
        return Home(address, house.lat, house.lon) if with_point else Home(address, None, None)


def unknown_home(number: int) -> Home:
    """One of the addresses that no gazetteer knows."""
    return Home(UNKNOWN[number], None, None)
