"""What the product reads from an OpenStreetMap extract: the addresses in it, and the shapes a picture is drawn from.

Points are WGS-84 degrees. Results depend on the file alone: the same extract gives the same lists in the same order.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from statistics import fmean
from typing import Any

import osmium
from osmium.filter import KeyFilter

from fieldvisit.errors import FieldVisitError, Kind

# A floor, a shop unit or a yard ("8, Floor 6") is somebody's door, not an address a letter or a map knows.
HOUSE_NUMBER = re.compile(r"\d+[A-Za-z]?(?:-\d+)?(?: [A-Z])?")
NAME = re.compile(r"[^\d,;]+")


class MapMissing(FieldVisitError):
    code, kind = "map_missing", Kind.UNAVAILABLE
    says = "There is no map file {path}. Put the extract there, or name another one in the settings."


class MapUnreadable(FieldVisitError):
    code, kind = "map_unreadable", Kind.INVALID
    says = "The map file {path} is not a readable OpenStreetMap extract: {reason}"


class StreetKind(StrEnum):
    """What a shape on the map is, as far as a drawing cares. `WATER`, `PARK` and `BUILDING` are closed rings."""

    MAJOR = "major"
    MINOR = "minor"
    PATH = "path"
    RAIL = "rail"
    TRAM = "tram"
    COAST = "coast"
    WATER = "water"
    PARK = "park"
    BUILDING = "building"


@dataclass(frozen=True, order=True)
class Address:
    """One house. `postcode` and `city` are empty where neither the house nor its neighbours in the street tell."""

    street: str
    house_number: str
    postcode: str
    city: str
    lat: float
    lon: float


@dataclass(frozen=True)
class Street:
    """One line or ring to draw; `points` are (lon, lat), at least two. A coast has its water on the right."""

    name: str
    kind: StreetKind
    points: tuple[tuple[float, float], ...]


def addresses(pbf: Path) -> list[Address]:
    """Every distinct street and house number, sorted; its point is the middle of all objects that bear it."""
    sightings = list(_sightings(pbf))
    by_street: dict[str, list[Address]] = defaultdict(list)
    by_house: dict[tuple[str, str], list[Address]] = defaultdict(list)
    for seen in sightings:
        by_street[seen.street.casefold()].append(seen)
        by_house[seen.street.casefold(), seen.house_number.casefold().replace(" ", "")].append(seen)
    return sorted(
        Address(
            street=_commonest(each.street for each in by_street[street]),
            house_number=_commonest(each.house_number for each in house),
            postcode=_commonest(each.postcode for each in house)
            or _commonest(each.postcode for each in by_street[street]),
            city=_commonest(each.city for each in house) or _commonest(each.city for each in sightings),
            lat=round(fmean(each.lat for each in house), 6),
            lon=round(fmean(each.lon for each in house), 6),
        )
        for (street, _), house in by_house.items()
    )


def streets(pbf: Path) -> list[Street]:
    """Streets, rails, shores, waters, parks and buildings, in the order of the file."""
    found = []
    for way in _objects(pbf, "highway", "railway", "natural", "leisure", "landuse", "waterway", "building"):
        if way.is_way() and (kind := _kind(way.tags)) is not None:
            points = _points(way)
            if len(points) > 1:
                found.append(Street(way.tags.get("name", ""), kind, points))
    return found


def _objects(pbf: Path, *keys: str) -> Iterator[Any]:
    """The objects with any of the tags, nodes of ways located; every fault of the file is told as ours."""
    if not pbf.is_file():
        raise MapMissing(path=pbf)
    try:
        yield from osmium.FileProcessor(str(pbf)).with_locations().with_filter(KeyFilter(*keys))
    except RuntimeError as error:
        raise MapUnreadable(path=pbf, reason=str(error)) from error


def _sightings(pbf: Path) -> Iterator[Address]:
    """The address of every single object that bears one; many objects share a house."""
    for seen in _objects(pbf, "addr:housenumber"):
        street, number = seen.tags.get("addr:street", ""), seen.tags["addr:housenumber"]
        points = _points(seen)
        if points and NAME.fullmatch(street) and HOUSE_NUMBER.fullmatch(number):
            city = seen.tags.get("addr:city", "")
            yield Address(
                street=street,
                house_number=number,
                postcode=seen.tags.get("addr:postcode", ""),
                city=city if NAME.fullmatch(city) else "",
                lat=fmean(lat for _, lat in points),
                lon=fmean(lon for lon, _ in points),
            )


def _points(seen: Any) -> tuple[tuple[float, float], ...]:
    """(lon, lat) of a node or of a way's nodes that lie in the extract; a relation has none of its own."""
    if seen.is_node():
        return ((seen.lon, seen.lat),)
    if seen.is_way():
        return tuple((node.lon, node.lat) for node in seen.nodes if node.location.valid())
    return ()


def _commonest(values: Iterable[str]) -> str:
    """The most frequent value that is not empty, the first in order among equals; empty if there is none."""
    counted = Counter(value for value in values if value)
    return min(counted, key=lambda value: (-counted[value], value), default="")


_MAJOR = {"motorway", "trunk", "primary", "secondary", "tertiary"}
_MINOR = {"unclassified", "residential", "living_street", "pedestrian", "service"}
_PATHS = {"footway", "cycleway", "path", "steps", "bridleway"}
_PARKS = {"park", "garden", "playground", "grass", "recreation_ground", "forest", "cemetery"}


def _kind(tags: Any) -> StreetKind | None:
    road = tags.get("highway", "").removesuffix("_link")
    for kind, roads in ((StreetKind.MAJOR, _MAJOR), (StreetKind.MINOR, _MINOR), (StreetKind.PATH, _PATHS)):
        if road in roads:
            return kind
    return _surroundings(tags)


def _surroundings(tags: Any) -> StreetKind | None:
    if tags.get("railway") in {"rail", "tram"} and tags.get("tunnel") != "yes":
        return StreetKind(tags["railway"])
    if tags.get("natural") == "coastline":
        return StreetKind.COAST
    if tags.get("natural") == "water" or tags.get("landuse") == "basin" or tags.get("waterway") == "riverbank":
        return StreetKind.WATER
    if tags.get("leisure") in _PARKS or tags.get("landuse") in _PARKS:
        return StreetKind.PARK
    return StreetKind.BUILDING if tags.get("building", "no") != "no" else None
