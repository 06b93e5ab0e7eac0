"""Public instances as problems: Solomon's text, and the VRPLIB files of PyVRP's collection.

How a family is read is stated in `CONVENTIONS`; a cost means something inside one convention only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import floor, hypot

from routing.problem import Crew, InvalidProblem, Matrix, Problem, Task, Travel, Window

type Point = tuple[float, float]
type Fields = dict[str, str]
type Sections = dict[str, list[list[int | float]]]


@dataclass(frozen=True)
class Convention:
    """Units of a family: how long an arc is, and by what its times, limits and prizes are multiplied."""

    arc: Callable[[float], int]
    times: int
    prizes: int = 0


def _tenths(length: float) -> int:
    return floor(10 * length)


def _thousandths(length: float) -> int:
    return round(1000 * length)


CONVENTIONS = {
    "solomon": Convention(_tenths, 10),
    "homberger": Convention(_tenths, 10),
    "pcvrptw": Convention(_tenths, 10, prizes=10),
    "sdvrptw": Convention(_thousandths, 1000),
    "mdvrptw": Convention(_thousandths, 1000),
}
"""DIMACS 2021 for the first three: arcs are tenths, cut off; least distance with any number of vehicles. The other two
round to thousandths. A client without a prize is mandatory; times, durations and prizes are scaled like the arcs."""


@dataclass(frozen=True)
class _Client:
    node: int
    load: int
    service: float
    ready: float
    due: float
    prize: int | None = None


def read_instance(text: str, family: str) -> Problem:
    """The problem of an instance file of this family. `InvalidProblem` with the section that cannot be read."""
    if family not in CONVENTIONS:
        raise InvalidProblem("family", f"must be one of {', '.join(CONVENTIONS)}, not {family!r}")
    convention = CONVENTIONS[family]
    return _vrplib(text, convention) if "NODE_COORD_SECTION" in text else _solomon(text, convention)


def _solomon(text: str, convention: Convention) -> Problem:
    """Name, fleet and capacity, then a line for each node: id, x, y, demand, ready, due, service; id 0 is the depot."""
    rows = [line.split() for line in text.splitlines()]
    numbers = [[float(word) for word in row] for row in rows if row and all(map(_is_number, row))]
    fleet = next((row for row in numbers if len(row) == 2), None)
    nodes = [row for row in numbers if len(row) == 7]
    if fleet is None or not nodes:
        raise InvalidProblem("VEHICLE", "the file has no fleet, or no customers")
    depot = nodes[0]
    clients = [_Client(i, int(row[3]), row[6], row[4], row[5]) for i, row in enumerate(nodes) if i > 0]
    shift = (round(depot[4] * convention.times), round(depot[5] * convention.times))
    crews = [
        Crew(id=f"k{number}", start=0, end=0, shift=shift, capacity=(int(fleet[1]),))
        for number in range(1, int(fleet[0]) + 1)
    ]
    return _problem([(row[1], row[2]) for row in nodes], clients, crews, convention)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _vrplib(text: str, convention: Convention) -> Problem:
    fields, sections = _parsed(text)
    points = [(float(row[1]), float(row[2])) for row in sections["NODE_COORD_SECTION"]]
    depots = {int(row[0]) - 1 for row in sections["DEPOT_SECTION"] if row[0] > 0} or {0}
    prizes = _column(sections, "PRIZE_SECTION", len(points))
    loads = _column(sections, "DEMAND_SECTION", len(points)) or [0] * len(points)
    services = _column(sections, "SERVICE_TIME_SECTION", len(points))
    windows = [(float(row[1]), float(row[2])) for row in sections["TIME_WINDOW_SECTION"]]
    flat_service = float(fields.get("SERVICE_TIME", 0))
    clients = [
        _Client(
            node, int(loads[node]), services[node] if services else flat_service, *windows[node],
            prize=None if prizes is None else int(prizes[node]),
        )
        for node in range(len(points))
        if node not in depots
    ]  # fmt: skip
    fleet = _fleet(fields, sections, windows, convention)
    return _problem(points, clients, fleet, convention, allowed=_allowed(sections))


def _parsed(text: str) -> tuple[Fields, Sections]:
    fields: Fields = {}
    sections: Sections = {"DEPOT_SECTION": []}
    current: list[list[int | float]] | None = None
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.endswith("_SECTION"):
            current = sections.setdefault(line, [])
        elif ":" in line:
            name, _, value = line.partition(":")
            fields[name.strip()] = value.strip()
        elif line != "EOF" and current is not None:
            current.append([float(word) if "." in word else int(word) for word in line.split()])
    for needed in ("NODE_COORD_SECTION", "TIME_WINDOW_SECTION"):
        if needed not in sections:
            raise InvalidProblem(needed, "the file has no such section")
    return fields, sections


def _column(sections: Sections, name: str, nodes: int) -> list[float] | None:
    rows = sections.get(name)
    if rows is None:
        return None
    if len(rows) != nodes:
        raise InvalidProblem(name, f"must have {nodes} rows, not {len(rows)}")
    return [float(row[1]) for row in rows]


def _fleet(fields: Fields, sections: Sections, windows: Sequence[Point], convention: Convention) -> list[Crew]:
    vehicles = int(fields["VEHICLES"])
    own = _column(sections, "CAPACITY_SECTION", vehicles)
    bases = _column(sections, "VEHICLES_DEPOT_SECTION", vehicles)
    longest = fields.get("VEHICLES_MAX_DURATION")
    crews = []
    for number in range(vehicles):
        base = int(bases[number]) - 1 if bases else 0
        opens, closes = windows[base]
        capacity = int(own[number]) if own else int(fields["CAPACITY"])
        crews.append(
            Crew(
                id=f"k{number + 1}", start=base, end=base, capacity=(capacity,),
                shift=(round(opens * convention.times), round(closes * convention.times)),
                max_work_s=None if longest is None else round(float(longest) * convention.times),
            )
        )  # fmt: skip
    return crews


def _allowed(sections: Sections) -> dict[int, frozenset[int]]:
    """Which vehicles (by index) may serve each node (by index), for the nodes that not all may serve."""
    rows = sections.get("VEHICLES_ALLOWED_CLIENTS_SECTION", [])
    vehicles: dict[int, set[int]] = {}
    for row in rows:
        for node in row[1:]:
            vehicles.setdefault(int(node) - 1, set()).add(int(row[0]) - 1)
    return {node: frozenset(able) for node, able in vehicles.items() if len(able) < len(rows)}


def _problem(
    points: Sequence[Point],
    clients: Sequence[_Client],
    crews: Sequence[Crew],
    convention: Convention,
    *,
    allowed: dict[int, frozenset[int]] | None = None,
) -> Problem:
    skills = {able: f"fleet-{number}" for number, able in enumerate(dict.fromkeys((allowed or {}).values()))}
    offers = [frozenset(skill for able, skill in skills.items() if index in able) for index in range(len(crews))]
    needs = {node: frozenset({skills[able]}) for node, able in (allowed or {}).items()}
    return Problem(
        travel=Travel(seconds=_arcs(points, convention)),
        tasks=tuple(_task(client, convention, needs.get(client.node, frozenset())) for client in clients),
        crews=tuple(replace(crew, offers=own) for crew, own in zip(crews, offers, strict=True)),
    )


def _task(client: _Client, convention: Convention, requires: frozenset[str]) -> Task:
    service = round(client.service * convention.times)
    opens, last = round(client.ready * convention.times), round(client.due * convention.times)
    # A window of one instant and no service would be empty in our format: it gets its second.
    window = Window(opens_s=opens, closes_s=max(opens + 1, last + service))
    return Task(
        id=f"n{client.node}",
        location=client.node,
        service_s=service,
        windows=(window,),
        value_s=0 if client.prize is None else client.prize * convention.prizes,
        mandatory=client.prize is None,
        requires=requires,
        load=(client.load,),
    )


def _arcs(points: Sequence[Point], convention: Convention) -> Matrix:
    return tuple(tuple(convention.arc(hypot(a - c, b - d)) for c, d in points) for a, b in points)
