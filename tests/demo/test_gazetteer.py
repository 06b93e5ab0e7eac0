"""The demo's own geocoder: what it finds however it is written, and what it must not find."""

from pathlib import Path

import pytest
from geopy.geocoders.base import Geocoder

import fieldvisit.demo
from fieldvisit.demo.gazetteer import Gazetteer
from fieldvisit.maps import Address, MapMissing, addresses

HELSINKI = Path(fieldvisit.demo.__file__).with_name("helsinki-centre.osm.pbf")
LANE = Address("Aleksanterinkatu", "52", "00100", "Helsinki", 60.1688, 24.9412)
DOOR = Address("Aleksanterinkatu", "52 B", "00100", "Helsinki", 60.1689, 24.9411)
RANGE = Address("Pieni Roobertinkatu", "1-3", "00130", "Helsinki", 60.1650, 24.9460)
BARE = Address("Narinkka", "2", "", "", 60.1696, 24.9330)


@pytest.fixture
def gazetteer() -> Gazetteer:
    return Gazetteer([LANE, DOOR, RANGE, BARE])


def found(gazetteer: Gazetteer, query: str) -> tuple[float, float] | None:
    location = gazetteer.geocode(query)
    return location and (location.latitude, location.longitude)


@pytest.mark.parametrize(
    "query",
    [
        "Aleksanterinkatu 52, Helsinki",
        "Aleksanterinkatu 52, 00100 Helsinki",
        "00100 Helsinki, Aleksanterinkatu 52",
        "  aleksanterinkatu   52 ,HELSINKI, 00100,Finland",
        "52 Aleksanterinkatu",
        "Aleksanterinkatu 52 as 14, Helsinki",
        "Aleksanterinkatu 52 C 7, 00100 Helsinki",
        "Aleksanterinkatu 52c",
    ],
)
def test_a_house_is_found_however_it_is_written(gazetteer: Gazetteer, query: str) -> None:
    assert found(gazetteer, query) == (LANE.lat, LANE.lon)


@pytest.mark.parametrize(
    "query", ["Aleksanterinkatu 52 B", "Aleksanterinkatu 52b, Helsinki", "ALEKSANTERINKATU 52 B 9"]
)
def test_a_door_of_its_own_comes_before_the_house(gazetteer: Gazetteer, query: str) -> None:
    assert found(gazetteer, query) == (DOOR.lat, DOOR.lon)


def test_streets_of_two_words_and_ranges_of_numbers_are_found(gazetteer: Gazetteer) -> None:
    assert found(gazetteer, "pieni roobertinkatu 1-3 A, Helsinki") == (RANGE.lat, RANGE.lon)


@pytest.mark.parametrize(
    "query",
    [
        "Aleksanterinkatu 52, Tampere",
        "Aleksanterinkatu 52, 33100",
        "Aleksanterinkatu 5",
        "Aleksanterinkatu",
        "Tuntematonkuja 52, Helsinki",
        "Helsinki",
        "52",
        "",
    ],
)
def test_what_is_not_in_the_map_is_not_guessed(gazetteer: Gazetteer, query: str) -> None:
    assert gazetteer.geocode(query) is None


def test_the_answer_is_what_geopy_promises(gazetteer: Gazetteer) -> None:
    assert isinstance(gazetteer, Geocoder)
    location = gazetteer.geocode("Aleksanterinkatu 52", timeout=3)
    assert (location.address, location.raw["postcode"]) == ("Aleksanterinkatu 52, 00100 Helsinki", "00100")
    assert gazetteer.geocode("Aleksanterinkatu 52", exactly_one=False) == [location]
    assert gazetteer.geocode("narinkka 2").address == "Narinkka 2"


def test_every_house_of_the_extract_is_found_by_its_own_name() -> None:
    gazetteer = Gazetteer.of(HELSINKI)
    lost = [
        house
        for house in addresses(HELSINKI)
        if found(gazetteer, f"{house.street} {house.house_number}, {house.city}") != (house.lat, house.lon)
    ]
    assert lost == []


def test_without_its_map_there_is_no_gazetteer(tmp_path: Path) -> None:
    with pytest.raises(MapMissing):
        Gazetteer.of(tmp_path / "none.osm.pbf")
