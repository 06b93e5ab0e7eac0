"""A problem as a JSON document, both ways."""

from datetime import datetime

from routing.demands import Matrix, demand
from routing.errors import InvalidProblem
from routing.format.reading import Node, flag, given, made, optional, text, text_set, whole, wholes
from routing.problem import Band, Break, Crew, Overtime, Pin, Prices, Problem, Quota, Task, Travel, Window

FORMAT = "fieldvisit-problem/1"


def problem_from_document(document: object) -> Problem:
    """The problem in a parsed JSON value, or `InvalidProblem` with the path of what is wrong."""
    node = Node(document).keys("format travel tasks crews", "origin prices quotas")
    demand(node.at("format").text() == FORMAT, "format", f"must be {FORMAT!r}")
    return made(
        node,
        Problem,
        travel=_travel(node.at("travel")),
        tasks=tuple(_task(item) for item in node.at("tasks").items()),
        crews=tuple(_crew(item) for item in node.at("crews").items()),
        **given(node, origin=_origin, prices=_prices, quotas=_quotas),
    )


def _origin(node: Node) -> datetime:
    try:
        return datetime.fromisoformat(node.text())
    except ValueError:
        raise InvalidProblem(node.path, "must be an instant such as 2026-03-02T00:00:00+08:00") from None


def _prices(node: Node) -> Prices:
    names = ("travel", "wait", "crew_used", "change", "balance", "balance_risk", "balance_earning")
    node.keys("", " ".join(names))
    return made(node, Prices, **given(node, **dict.fromkeys(names, whole)))


def _quotas(node: Node) -> tuple[Quota, ...]:
    quotas = [item.keys("id most") for item in node.items()]
    return tuple(made(q, Quota, id=q.at("id").text(), most=q.at("most").whole()) for q in quotas)


def _travel(node: Node) -> Travel:
    node.keys("", "seconds bands metres")
    return made(node, Travel, **given(node, seconds=_matrix, bands=_bands, metres=_matrix))


def _bands(node: Node) -> tuple[Band, ...]:
    bands = [item.keys("from_s seconds") for item in node.items()]
    demand(bool(bands), node.path, "must hold a band")
    return tuple(made(b, Band, from_s=b.at("from_s").whole(), seconds=_matrix(b.at("seconds"))) for b in bands)


def _matrix(node: Node) -> Matrix:
    # The cells are looked at by `Travel`, row by row: a node for each of a million cells would take seconds.
    rows = list(node.items())
    for row in rows:
        demand(isinstance(row.value, list), row.path, "must be a list")
    return tuple(tuple(row.value) for row in rows)  # type: ignore[arg-type]


def _task(node: Node) -> Task:
    node.keys(
        "id location service_s",
        "windows value_s mandatory requires visitors crews load group pin published_crew quotas risk earning",
    )
    return made(
        node,
        Task,
        id=node.at("id").text(),
        location=node.at("location").whole(),
        service_s=node.at("service_s").whole(),
        **given(node, windows=_windows, value_s=whole, mandatory=flag, requires=text_set, visitors=whole, crews=whole),
        **given(node, load=wholes, group=optional(text), pin=optional(_pin), published_crew=optional(text)),
        **given(node, quotas=text_set, risk=whole, earning=whole),
    )


def _windows(node: Node) -> tuple[Window, ...]:
    windows = tuple(_window(item) for item in node.items())
    demand(bool(windows), node.path, "must hold a window; leave the key out for any time")
    return windows


def _window(node: Node) -> Window:
    opens, closes = node.pair()
    return made(node, Window, opens_s=opens, closes_s=closes)


def _pin(node: Node) -> Pin:
    node.keys("", "crew begin")
    return made(node, Pin, **given(node, crew=optional(text), begin=optional(Node.pair)))


def _crew(node: Node) -> Crew:
    node.keys(
        "id start shift",
        "end offers size capacity break max_tasks max_travel_s max_work_s overtime "
        "work_before_s risk_before earning_before",
    )
    fields = given(node, end=optional(whole), offers=text_set, size=whole, capacity=optional(wholes))
    fields |= given(node, max_tasks=optional(whole), max_travel_s=optional(whole), max_work_s=optional(whole))
    fields |= given(node, overtime=optional(_overtime), work_before_s=whole)
    fields |= given(node, risk_before=whole, earning_before=whole)
    # `break` is a word of the language, so the field has an underscore.
    for rest in given(node, **{"break": optional(_break)}).values():
        fields["break_"] = rest
    shift = node.at("shift").pair()
    return made(node, Crew, id=node.at("id").text(), start=node.at("start").whole(), shift=shift, **fields)


def _break(node: Node) -> Break:
    node.keys("window duration_s")
    return made(node, Break, window=_window(node.at("window")), duration_s=node.at("duration_s").whole())


def _overtime(node: Node) -> Overtime:
    node.keys("until_s price")
    return made(node, Overtime, until_s=node.at("until_s").whole(), price=node.at("price").whole())


def problem_to_document(problem: Problem) -> dict[str, object]:
    """The problem as a JSON value, every key written out."""
    document: dict[str, object] = {"format": FORMAT}
    if problem.origin is not None:
        document["origin"] = problem.origin.isoformat()
    document["travel"] = _travel_out(problem.travel)
    document["tasks"] = [_task_out(task) for task in problem.tasks]
    document["crews"] = [_crew_out(crew) for crew in problem.crews]
    document["prices"] = dict(vars(problem.prices))
    if problem.quotas:
        document["quotas"] = [{"id": quota.id, "most": quota.most} for quota in problem.quotas]
    return document


def _travel_out(travel: Travel) -> dict[str, object]:
    out: dict[str, object] = {}
    if travel.seconds is not None:
        out["seconds"] = _lists(travel.seconds)
    else:
        out["bands"] = [{"from_s": band.from_s, "seconds": _lists(band.seconds)} for band in travel.bands]
    if travel.metres is not None:
        out["metres"] = _lists(travel.metres)
    return out


def _lists(matrix: Matrix) -> list[list[int | None]]:
    return [list(row) for row in matrix]


def _task_out(task: Task) -> dict[str, object]:
    out: dict[str, object] = {"id": task.id, "location": task.location, "service_s": task.service_s}
    if task.windows:
        out["windows"] = [_window_out(window) for window in task.windows]
    return out | {
        "value_s": task.value_s,
        "mandatory": task.mandatory,
        "requires": sorted(task.requires),
        "visitors": task.visitors,
        "crews": task.crews,
        "load": list(task.load),
        "group": task.group,
        "pin": None if task.pin is None else _pin_out(task.pin),
        "published_crew": task.published_crew,
        "quotas": sorted(task.quotas),
        "risk": task.risk,
        "earning": task.earning,
    }


def _window_out(window: Window) -> list[int]:
    return [window.opens_s, window.closes_s]


def _pin_out(pin: Pin) -> dict[str, object]:
    crew: dict[str, object] = {} if pin.crew is None else {"crew": pin.crew}
    return crew if pin.begin is None else crew | {"begin": list(pin.begin)}


def _crew_out(crew: Crew) -> dict[str, object]:
    rest, overtime = crew.break_, crew.overtime
    return {
        "id": crew.id,
        "start": crew.start,
        "end": crew.end,
        "shift": list(crew.shift),
        "offers": sorted(crew.offers),
        "size": crew.size,
        "capacity": None if crew.capacity is None else list(crew.capacity),
        "break": None if rest is None else {"window": _window_out(rest.window), "duration_s": rest.duration_s},
        "max_tasks": crew.max_tasks,
        "max_travel_s": crew.max_travel_s,
        "max_work_s": crew.max_work_s,
        "overtime": None if overtime is None else {"until_s": overtime.until_s, "price": overtime.price},
        "work_before_s": crew.work_before_s,
        "risk_before": crew.risk_before,
        "earning_before": crew.earning_before,
    }
