"""Day plans on the wire."""

from typing import Any

from marshmallow import fields

from api.context import language
from api.schemas.base import Drafted, In, Out, PointOut
from api.schemas.fields import Choice, Day, Id, Part, Whole
from fieldvisit.compliance.decision import message_from
from fieldvisit.languages import say
from fieldvisit.models import DayPlan, Route, Stop, UnservedVisit
from fieldvisit.planning.plans import PlanRequest
from fieldvisit.planning.telling import reason_words, references_in, travel_words
from fieldvisit.vocabulary import DayPlanState


class PlanRequestIn(Drafted):
    """Which day to plan. `iterations` bounds the search instead of the clock: a seed then always gives one plan."""

    makes = PlanRequest
    area_id = Id(required=True)
    planned_on = Day(required=True)
    seconds = Whole(min=1, max=3_600, load_default=10)
    iterations = Whole(min=1, max=10**9, load_default=None, allow_none=True)
    seed = Whole(min=0, max=2**31 - 1, load_default=1)


class PlansQueryIn(In):
    planned_on = Day(load_default=None)
    state = Choice(DayPlanState, load_default=None)


class StopOut(Out):
    visit_id = fields.UUID(required=True)
    reference = fields.String(required=True, attribute="visit.reference")
    state = fields.String(required=True, attribute="visit.state")
    address = fields.String(required=True, attribute="visit.place.address")
    point = fields.Method("place_of", required=True)
    arrive_at = fields.AwareDateTime(required=True)
    begin_at = fields.AwareDateTime(required=True)
    end_at = fields.AwareDateTime(required=True)
    travel_s = fields.Integer(required=True)

    def place_of(self, stop: Stop) -> dict[str, Any]:
        return dict(PointOut().dump({"lat": stop.visit.place.lat, "lon": stop.visit.place.lon}))


class CrewMemberOut(Out):
    visitor_id = fields.UUID(required=True)
    name = fields.String(required=True, attribute="visitor.name")
    lead = fields.Boolean(required=True)


class RouteOut(Out):
    crew = fields.String(required=True, attribute="crew_code")
    members = fields.List(Part(CrewMemberOut), required=True)
    depart_at = fields.AwareDateTime(required=True)
    return_at = fields.AwareDateTime(required=True)
    travel_s = fields.Integer(required=True)
    travel_m = fields.Integer(required=True, allow_none=True)
    wait_s = fields.Integer(required=True)
    break_at = fields.AwareDateTime(required=True, allow_none=True)
    break_s = fields.Integer(required=True, allow_none=True)
    stops = fields.List(Part(StopOut), required=True)


class UnservedOut(Out):
    """A visit left out: the reason as a code, and in words."""

    visit_id = fields.UUID(required=True)
    reference = fields.String(required=True, attribute="visit.reference")
    reason = fields.String(required=True)
    words = fields.String(required=True)
    remarks = fields.List(fields.String(), required=True)


class PlanOut(Out):
    """One plan, without its routes."""

    id = fields.UUID(required=True)
    area_id = fields.UUID(required=True)
    planned_on = fields.Date(required=True)
    state = fields.String(required=True)
    version = fields.Integer(required=True, allow_none=True)
    progress = fields.Dict(required=True)
    failure = fields.Dict(required=True, metadata={"description": "why there is no plan: code and says, or empty"})
    travel_source = fields.String(required=True, allow_none=True)
    cost = fields.Integer(required=True, allow_none=True)
    requested_at = fields.AwareDateTime(required=True)
    finished_at = fields.AwareDateTime(required=True, allow_none=True)
    published_at = fields.AwareDateTime(required=True, allow_none=True)


class StayedHomeOut(Out):
    """A visitor who was not planned, because of papers that do not hold."""

    visitor_id = fields.UUID(required=True)
    clauses = fields.List(fields.String(), required=True)


class PlanDetailOut(PlanOut):
    """One plan with its routes and the visits it leaves out."""

    travel_words = fields.Method("said_travel", required=True)
    routes = fields.Method("said_routes", required=True)
    unserved = fields.Method("said_unserved", required=True)
    stayed_home = fields.Method("said_home", required=True)

    def said_travel(self, plan: DayPlan) -> str:
        return say(travel_words(plan), language())

    def said_routes(self, plan: DayPlan) -> list[dict[str, Any]]:
        routes: list[Route] = [route for route in plan.routes if route.stops]
        return list(RouteOut(many=True).dump(routes))

    def said_unserved(self, plan: DayPlan) -> list[dict[str, Any]]:
        references = references_in(plan)
        return [_left(left, references) for left in sorted(plan.unserved, key=lambda left: left.visit.reference)]

    def said_home(self, plan: DayPlan) -> list[dict[str, Any]]:
        return [{"visitor_id": who, "clauses": _clauses(clauses)} for who, clauses in sorted(plan.stayed_home.items())]


class DocumentsOut(Out):
    """The planning problem and its plan in the open planning format, for any judge."""

    problem = fields.Dict(required=True, allow_none=True)
    plan = fields.Dict(required=True, allow_none=True)


class FaultsOut(Out):
    """What the independent judge finds; empty for every plan that is shown."""

    faults = fields.List(fields.String(), required=True)


def _left(left: UnservedVisit, references: dict[str, str]) -> dict[str, Any]:
    words, remarks = reason_words(left, references)
    return {
        "visit_id": str(left.visit_id),
        "reference": left.visit.reference,
        "reason": left.reason.value,
        "words": say(words, language()),
        "remarks": [say(remark, language()) for remark in remarks],
    }


def _clauses(clauses: list[dict[str, Any]]) -> list[str]:
    return [say(message_from(clause["message"]), language()) for clause in clauses]
