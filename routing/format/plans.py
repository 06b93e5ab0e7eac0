"""A plan as a JSON document, both ways. Costs are sums, so only their kind is checked, not their size."""

from routing.demands import demand
from routing.errors import InvalidPlan, InvalidProblem
from routing.format.reading import Node, given, made, optional, texts, whole
from routing.plan import Plan, Reason, Remedy, Route, Stop, Unserved

FORMAT = "fieldvisit-plan/1"
ANY_SIZE = 10**30


def plan_from_document(document: object) -> Plan:
    """The plan in a parsed JSON value, or `InvalidPlan` with the path of what is wrong."""
    try:
        return _plan(Node(document))
    except InvalidProblem as fault:
        raise InvalidPlan(fault.path, fault.reason) from None


def _plan(node: Node) -> Plan:
    node.keys(
        "format cost mandatory_left routes unserved",
        "bound pool_bound engine seed iterations seconds",
    )
    demand(node.at("format").text() == FORMAT, "format", f"must be {FORMAT!r}")
    return made(
        node,
        Plan,
        cost=_sum(node.at("cost")),
        mandatory_left=node.at("mandatory_left").whole(least=0),
        routes=tuple(_route(item) for item in node.at("routes").items()),
        unserved=tuple(_unserved(item) for item in node.at("unserved").items()),
        **given(node, bound=optional(_sum), pool_bound=optional(_sum), engine=_name, seed=_sum, iterations=_sum),
        **given(node, seconds=_seconds),
    )


def _sum(node: Node) -> int:
    return node.whole(least=-ANY_SIZE, most=ANY_SIZE)


def _name(node: Node) -> str:
    demand(isinstance(node.value, str), node.path, "must be a text")
    return str(node.value)


def _seconds(node: Node) -> float:
    good = type(node.value) in (int, float) and node.value >= 0  # type: ignore[operator]
    demand(good, node.path, "must be a number from 0")
    return float(node.value)  # type: ignore[arg-type]


def _route(node: Node) -> Route:
    node.keys("crew depart_s return_s travel_s wait_s stops", "break_begin_s")
    return Route(
        crew=node.at("crew").text(),
        depart_s=node.at("depart_s").whole(),
        return_s=node.at("return_s").whole(),
        travel_s=_sum(node.at("travel_s")),
        wait_s=_sum(node.at("wait_s")),
        stops=tuple(_stop(item) for item in node.at("stops").items()),
        **given(node, break_begin_s=optional(whole)),
    )


def _stop(node: Node) -> Stop:
    node.keys("task arrive_s begin_s end_s")
    arrive, begin, end = (node.at(key).whole() for key in ("arrive_s", "begin_s", "end_s"))
    return Stop(task=node.at("task").text(), arrive_s=arrive, begin_s=begin, end_s=end)


def _unserved(node: Node) -> Unserved:
    node.keys("task reason", "detail remedy")
    fields = given(node, detail=optional(_detail), remedy=optional(_remedy))
    return Unserved(task=node.at("task").text(), reason=_reason(node.at("reason")), **fields)


def _reason(node: Node) -> Reason:
    known = {reason.value: reason for reason in Reason}
    demand(node.text() in known, node.path, f"must be one of {', '.join(known)}")
    return known[node.text()]


def _detail(node: Node) -> dict[str, str] | tuple[str, ...]:
    if isinstance(node.value, dict):
        return {key: node.at(key).text() for key in node.value}
    demand(isinstance(node.value, list), node.path, "must be an object (per crew), a list of task ids, or null")
    return texts(node)


def _remedy(node: Node) -> Remedy:
    node.keys("change cost", "displaces")
    return Remedy(change=node.at("change").text(), cost=_sum(node.at("cost")), **given(node, displaces=texts))


def plan_to_document(plan: Plan) -> dict[str, object]:
    """The plan as a JSON value, every key written out."""
    return {
        "format": FORMAT,
        "cost": plan.cost,
        "mandatory_left": plan.mandatory_left,
        "bound": plan.bound,
        "pool_bound": plan.pool_bound,
        "routes": [_route_out(route) for route in plan.routes],
        "unserved": [_unserved_out(left) for left in plan.unserved],
        "engine": plan.engine,
        "seed": plan.seed,
        "iterations": plan.iterations,
        "seconds": round(plan.seconds, 3),
    }


def _route_out(route: Route) -> dict[str, object]:
    return {
        "crew": route.crew,
        "depart_s": route.depart_s,
        "return_s": route.return_s,
        "travel_s": route.travel_s,
        "wait_s": route.wait_s,
        "break_begin_s": route.break_begin_s,
        "stops": [dict(vars(stop)) for stop in route.stops],
    }


def _unserved_out(left: Unserved) -> dict[str, object]:
    remedy = left.remedy
    detail = list(left.detail) if isinstance(left.detail, tuple) else left.detail
    return {
        "task": left.task,
        "reason": left.reason.value,
        "detail": detail,
        "remedy": None
        if remedy is None
        else {"change": remedy.change, "cost": remedy.cost, "displaces": list(remedy.displaces)},
    }
