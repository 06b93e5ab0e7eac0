"""What is read from a map extract: a small town written by hand, and the one the demo carries."""

from collections.abc import Callable
from pathlib import Path

import osmium
import pytest
from osmium.osm import mutable

import fieldvisit.demo
from fieldvisit.maps import Address, MapMissing, MapUnreadable, Street, StreetKind, addresses, streets

HELSINKI = Path(fieldvisit.demo.__file__).with_name("helsinki-centre.osm.pbf")


@pytest.fixture
def town(tmp_path: Path) -> "Town":
    return Town(tmp_path / "town.osm.pbf")


class Town:
    """A map file in the making: nodes and ways get their numbers in the order they are drawn."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._nodes: list[mutable.Node] = []
        self._ways: list[mutable.Way] = []

    def node(self, lon: float, lat: float, **tags: str) -> int:
        self._nodes.append(mutable.Node(id=len(self._nodes) + 1, location=(lon, lat), tags=_colons(tags)))
        return len(self._nodes)

    def way(self, *points: tuple[float, float], **tags: str) -> None:
        nodes = [self.node(*point) for point in points]
        self._ways.append(mutable.Way(id=len(self._ways) + 1, nodes=nodes, tags=_colons(tags)))

    def drawn(self) -> Path:
        with osmium.SimpleWriter(str(self.path)) as writer:
            for node in self._nodes:
                writer.add_node(node)
            for way in self._ways:
                writer.add_way(way)
        return self.path


def _colons(tags: dict[str, str]) -> dict[str, str]:
    return {key.replace("addr_", "addr:"): value for key, value in tags.items()}


def house(number: str, **others: str) -> dict[str, str]:
    return {"addr_street": "Long Lane", "addr_housenumber": number, **others}


def test_an_address_of_a_node_is_where_the_node_is(town: Town) -> None:
    town.node(24.5, 60.5, **house("7", addr_postcode="00100", addr_city="Helsinki"))
    assert addresses(town.drawn()) == [Address("Long Lane", "7", "00100", "Helsinki", 60.5, 24.5)]


def test_an_address_of_a_building_is_in_its_middle(town: Town) -> None:
    town.way((24.0, 60.0), (24.2, 60.0), (24.2, 60.2), (24.0, 60.2), building="yes", **house("9"))
    assert addresses(town.drawn()) == [Address("Long Lane", "9", "", "", 60.1, 24.1)]


def test_objects_in_one_house_are_one_address(town: Town) -> None:
    town.node(24.0, 60.0, **house("7a", addr_postcode="00100"))
    town.node(24.2, 60.0, **house("7a", addr_postcode="00101"))
    town.node(24.1, 60.3, **house("7A", addr_postcode="00101"))
    assert addresses(town.drawn()) == [Address("Long Lane", "7a", "00101", "", 60.1, 24.1)]


def test_a_space_before_the_letter_makes_no_other_house(town: Town) -> None:
    town.node(24.0, 60.0, **house("7 A"))
    town.node(24.2, 60.2, **house("7a"))
    assert addresses(town.drawn()) == [Address("Long Lane", "7 A", "", "", 60.1, 24.1)]


def test_a_house_without_a_postcode_takes_that_of_its_street(town: Town) -> None:
    town.node(24.0, 60.0, **house("1"))
    town.node(24.1, 60.0, **house("2", addr_postcode="00100", addr_city="Helsinki"))
    assert [(each.postcode, each.city) for each in addresses(town.drawn())] == [("00100", "Helsinki")] * 2


@pytest.mark.parametrize("number", ["8, Floor 6", "26, 14. krs.", "yard", "Keskuskatu 5"])
def test_a_floor_or_a_yard_is_not_a_house_number(town: Town, number: str) -> None:
    town.node(24.0, 60.0, **house(number))
    assert addresses(town.drawn()) == []


def test_a_city_with_digits_is_a_slip_of_the_mapper(town: Town) -> None:
    town.node(24.0, 60.0, **house("1", addr_city="7"))
    town.node(24.1, 60.0, **house("2", addr_city="Helsinki"))
    assert {each.city for each in addresses(town.drawn())} == {"Helsinki"}


def test_shapes_keep_their_name_kind_and_points_and_nothing_else_is_drawn(town: Town) -> None:
    line = ((24.0, 60.0), (24.1, 60.1))
    town.way(*line, highway="primary_link", name="Long Lane")
    town.way(*line, highway="residential")
    town.way(*line, highway="steps")
    town.way(*line, railway="tram")
    town.way(*line, railway="rail", tunnel="yes")
    town.way(*line, natural="coastline")
    town.way(*line, landuse="basin")
    town.way(*line, leisure="park", name="Esplanadi")
    town.way(*line, building="yes")
    town.way(*line, building="no")
    town.way(*line, barrier="fence")
    kinds = [("Long Lane", "major"), ("", "minor"), ("", "path"), ("", "tram"), ("", "coast"), ("", "water")]
    kinds += [("Esplanadi", "park"), ("", "building")]
    assert streets(town.drawn()) == [Street(name, StreetKind(kind), line) for name, kind in kinds]


def test_a_way_with_one_point_in_the_extract_is_no_line(town: Town) -> None:
    town.way((24.0, 60.0), highway="primary")
    assert streets(town.drawn()) == []


@pytest.mark.parametrize("read", [addresses, streets])
def test_a_missing_map_is_told_with_its_path(tmp_path: Path, read: Callable[[Path], object]) -> None:
    with pytest.raises(MapMissing) as told:
        read(tmp_path / "none.osm.pbf")
    assert (told.value.code, str(tmp_path) in str(told.value)) == ("map_missing", True)


@pytest.mark.parametrize("size", [0, 3, 300_000])
def test_a_broken_map_is_told_and_not_half_read(tmp_path: Path, size: int) -> None:
    broken = tmp_path / "broken.osm.pbf"
    broken.write_bytes(HELSINKI.read_bytes()[:size])
    with pytest.raises(MapUnreadable):
        addresses(broken)


def test_a_file_of_another_kind_is_not_a_map(tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear reader")
    with pytest.raises(MapUnreadable):
        streets(letter)


def test_the_extract_of_the_demo_holds_central_helsinki() -> None:
    houses = addresses(HELSINKI)
    assert len(houses) == len({(each.street, each.house_number) for each in houses}) > 500
    assert houses == sorted(houses) == addresses(HELSINKI)
    assert all(60.164 < each.lat < 60.180 and 24.935 < each.lon < 24.954 for each in houses)
    assert set(StreetKind) == {street.kind for street in streets(HELSINKI)}
