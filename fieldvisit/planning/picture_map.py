"""The map of a plan as SVG: the town faintly, the routes over it, a numbered pin for every visit."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.etree.ElementTree import Element

from fieldvisit.maps import Street, StreetKind
from fieldvisit.planning.picture_layout import WIDTH, Point, Sheet, rings_clockwise, spread
from fieldvisit.planning.picture_markup import element
from fieldvisit.planning.picture_views import EndView, PlanView, RouteView, StopView

COLOURS = 8
PIN_RADIUS = 14
# Routes that share a street run side by side, this far apart.
LANE = 3.0
LETTER_WIDTH = 7.6
GROUND = (StreetKind.WATER, StreetKind.PARK, StreetKind.BUILDING)
LINES = (StreetKind.PATH, StreetKind.RAIL, StreetKind.TRAM, StreetKind.MINOR, StreetKind.MAJOR)


def drawing(view: PlanView, streets: Sequence[Street], title: str) -> Element:
    """The whole map; `title` is what a screen reader says of it. Without any place there is an empty sheet."""
    sheet = Sheet.around(_places(view) or [point for street in streets for point in street.points] or [(0.0, 0.0)])
    shown = [(street, line) for street in streets if (line := _visible(street, sheet))]
    return element(
        "svg",
        element("title", title),
        element("rect", class_="land", x=-WIDTH, y=-WIDTH, width=3 * WIDTH, height=_short(sheet.height + 2 * WIDTH)),
        _town(shown),
        element("g", *_street_names(shown), class_="street-names"),
        *(_way(route, sheet, place, len(view.routes)) for place, route in enumerate(view.routes)),
        *_pins(view.routes, sheet),
        id="map",
        viewBox=f"0 0 {WIDTH:.0f} {sheet.height:.0f}",
        role="img",
    )


def _places(view: PlanView) -> list[Point]:
    """Every (lon, lat) that the map must hold."""
    places: list[Point] = []
    for route in view.routes:
        places += [*route.path, *((stop.lon, stop.lat) for stop in route.stops)]
        places += [(end.lon, end.lat) for end in (route.start, route.end) if end]
    return places


def _visible(street: Street, sheet: Sheet) -> list[Point]:
    line = sheet.line(street.points)
    return line if sheet.meets(line) else []


def _town(shown: Sequence[tuple[Street, list[Point]]]) -> Element:
    """One path for all shapes of a kind: ten elements instead of thousands."""
    by_kind = {kind: [line for street, line in shown if street.kind is kind] for kind in StreetKind}
    # The sea lies to the right of its coast; a coast whose ends close around land bounds no bay.
    bays = [line for line in by_kind[StreetKind.COAST] if rings_clockwise(line)]
    return element(
        "g",
        element("path", class_="water", d=_path(bays)),
        *(element("path", class_=kind.value, d=_path(by_kind[kind], closed=True)) for kind in GROUND),
        element("path", class_="casing", d=_path(by_kind[StreetKind.MAJOR])),
        *(element("path", class_=kind.value, d=_path(by_kind[kind])) for kind in LINES),
        class_="town",
    )


def _path(lines: Iterable[Sequence[Point]], *, closed: bool = False) -> str:
    return "".join(_drawn(line) + ("z" if closed else "") for line in lines)


def _drawn(line: Sequence[Point]) -> str:
    """Absolute for the first point, steps from there: half the size of absolute points. Whole tenths, so no drift."""
    tenths = [(round(10 * x), round(10 * y)) for x, y in line]
    steps = [(bx - ax, by - ay) for (ax, ay), (bx, by) in pairwise(tenths)]
    first = f"M{tenths[0][0] / 10:g} {tenths[0][1] / 10:g}"
    return first + "l" + " ".join(f"{x / 10:g} {y / 10:g}" for x, y in steps) if steps else first


def _street_names(shown: Sequence[tuple[Street, list[Point]]]) -> Iterator[Element]:
    """The name of each street along its longest piece that is straight, where that is long enough to bear it."""
    longest: dict[str, list[Point]] = {}
    for street, line in shown:
        if street.name and street.kind in {StreetKind.MAJOR, StreetKind.MINOR} and _is_straight(line):
            longest[street.name] = max(longest.get(street.name, []), line, key=_length)
    for number, (name, line) in enumerate(sorted(longest.items())):
        if _length(line) >= LETTER_WIDTH * len(name):
            readable = line if line[0][0] <= line[-1][0] else line[::-1]
            yield element("path", id=f"n{number}", d=_drawn(readable), fill="none")
            along = element("textPath", name, href=f"#n{number}", startOffset="50%")
            yield element("text", along, dy="4")


def _is_straight(line: Sequence[Point]) -> bool:
    return math.dist(line[0], line[-1]) > 0.97 * _length(line)


def _length(line: Sequence[Point]) -> float:
    return sum(math.dist(a, b) for a, b in pairwise(line))


def _way(route: RouteView, sheet: Sheet, place: int, count: int) -> Element:
    lane = (place - (count - 1) / 2) * LANE
    line = _drawn(sheet.line(route.path)) if route.path else ""
    return element(
        "g",
        element("path", class_="halo", d=line),
        element("path", class_="way", d=line),
        class_=f"route {colour_class(route)}",
        data_crew=place,
        transform=f"translate({lane:.1f} {lane:.1f})",
    )


def colour_class(route: RouteView) -> str:
    """The class that gives a route its colour; from the ninth route on, colours come again with broken lines."""
    again = " again" if route.colour >= COLOURS else ""
    return f"c{route.colour % COLOURS}{again}"


@dataclass(frozen=True)
class _Pin:
    """Something to point at: a stop, or an end of the route."""

    crew: int
    route: RouteView
    target: StopView | EndView
    place: Point


def _pins(routes: Sequence[RouteView], sheet: Sheet) -> Iterator[Element]:
    """Thin leaders first, then all pins: nothing may cover a number."""
    pins = [
        _Pin(crew, route, target, sheet.at(target.lon, target.lat))
        for crew, route in enumerate(routes)
        for target in _targets(route)
    ]
    moved = spread([pin.place for pin in pins], 2 * PIN_RADIUS + 3)
    for pin, place in zip(pins, moved, strict=True):
        if math.dist(pin.place, place) > PIN_RADIUS / 2:
            yield _leader(pin, place)
    for pin, place in zip(pins, moved, strict=True):
        yield _pin(pin, place)


def _targets(route: RouteView) -> Iterator[StopView | EndView]:
    """Ends before stops. Where a crew ends where it began, one mark says both."""
    yield route.start
    if route.end and (route.end.lat, route.end.lon) != (route.start.lat, route.start.lon):
        yield route.end
    yield from route.stops


def _leader(pin: _Pin, place: Point) -> Element:
    (ax, ay), (bx, by) = pin.place, place
    return element(
        "g",
        element("line", x1=_short(ax), y1=_short(ay), x2=_short(bx), y2=_short(by)),
        element("circle", cx=_short(ax), cy=_short(ay), r=2),
        class_=f"leader {colour_class(pin.route)}",
        data_crew=pin.crew,
    )


def _pin(pin: _Pin, place: Point) -> Element:
    stop = pin.target if isinstance(pin.target, StopView) else None
    shape = element("circle", r=PIN_RADIUS) if stop else element("rect", x=-15, y=-15, width=30, height=30, rx=8)
    label = str(stop.number) if stop else pin.route.crew[:3]
    crews = f"{pin.route.crew} + {stop.with_crew}" if stop and stop.with_crew else pin.route.crew
    said = f"{crews} · {stop.number} · {stop.reference} · {stop.address}" if stop else pin.route.crew
    return element(
        "g",
        element("g", element("title", said), shape, element("text", label, dy="5.4"), class_="pin"),
        id=pin_id(pin.crew, stop) if stop else None,
        class_=f"{'stop' if stop else 'end'} {colour_class(pin.route)}",
        data_crew=pin.crew,
        transform=f"translate({_short(place[0])} {_short(place[1])})",
    )


def pin_id(crew: int, stop: StopView) -> str:
    """The anchor of a stop's pin, for links from the tables; `crew` is the place of the route in the plan."""
    return f"pin-{crew}-{stop.number}"


def _short(number: float) -> str:
    return f"{number:.1f}"
