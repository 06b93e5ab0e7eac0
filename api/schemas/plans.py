"""Day plans on the wire."""

from typing import Any

from marshmallow import fields, pre_dump

from api.context import language
from api.schemas.base import Drafted, Out, PageIn, PointOut
from api.schemas.fields import Choice, Day, Id, Part, Whole
from fieldvisit.compliance.decision import message_from
from fieldvisit.languages import say
from fieldvisit.models import DayPlan, UnservedVisit
from fieldvisit.planning.failures import PlanFailure, failure_words
from fieldvisit.planning.plans import PlanRequest
from fieldvisit.planning.telling import Told, help_words, reason_words, shown_routes, travel_words
from fieldvisit.vocabulary import DayPlanState, UnservedReason, VisitState


class PlanRequestIn(Drafted):
    """Which day to plan, and for how long to search. `iterations` bounds the search by count as well."""

    makes = PlanRequest
    area_id = Id(required=True)
    planned_on = Day(required=True)
    seconds = Whole(min=1, max=3_600, load_default=10)
    iterations = Whole(min=1, max=10**9, load_default=None, allow_none=True)
    seed = Whole(min=0, max=2**31 - 1, load_default=1)


class PlansQueryIn(PageIn):
    planned_on = Day(load_default=None)
    state = Choice(DayPlanState, load_default=None)


class StopOut(Out):
    """One visit of a route. Address and point are null once the lender has taken the case back. `with_crew`: the other
    crew of the same plan that begins it in the same second."""

    visit_id = fields.UUID(required=True)
    reference = fields.String(required=True, attribute="visit.reference")
    state = Choice(VisitState, required=True, attribute="visit.state")
    address = fields.String(required=True, allow_none=True, attribute="visit.place.address", dump_default=None)
    point = Part(PointOut, required=True, allow_none=True, attribute="visit.place")
    arrive_at = fields.AwareDateTime(required=True)
    begin_at = fields.AwareDateTime(required=True)
    end_at = fields.AwareDateTime(required=True)
    travel_s = fields.Integer(required=True)
    with_crew = fields.String(required=True, allow_none=True)


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


class PutInOut(Out):
    more_s = fields.Integer(required=True)
    displaces = fields.List(Id(), required=True)
    words = fields.String(required=True)


class RemedyOut(PutInOut):
    """`change`: as the planning format writes it."""

    change = fields.String(required=True)


class UnservedOut(Out):
    """A visit left out: the reason as a code, and in words; which visits hold its place, and what would help.

    `put_in`: what serving it as the day is would cost and push out. `remedy`: a change that was planned and judged.
    `more_s`: how much dearer the plan would be, in seconds of travel; less than nothing where it would be cheaper.
    """

    visit_id = fields.UUID(required=True)
    reference = fields.String(required=True)
    reason = Choice(UnservedReason, required=True)
    words = fields.String(required=True)
    remarks = fields.List(fields.String(), required=True)
    crews = fields.Dict(keys=fields.String(), values=Choice(UnservedReason), required=True)
    held_by = fields.List(Id(), required=True)
    put_in = Part(PutInOut, required=True, allow_none=True)
    remedy = Part(RemedyOut, required=True, allow_none=True)


class FailureOut(Out):
    """Why there is no plan."""

    code = Choice(PlanFailure, required=True)
    words = fields.String(required=True)


class PlanOut(Out):
    """One plan, without its routes. `progress` tells of its search: seconds, iterations, cost, served, unserved.

    `based_on_id`: the plan that was changed by hand into this one. `repairs_id`: the published plan that it repairs.
    `relieves`: the crews whose visits ahead it gives to others, since one of them is in alarm.
    """

    id = fields.UUID(required=True)
    area_id = fields.UUID(required=True)
    planned_on = fields.Date(required=True)
    state = Choice(DayPlanState, required=True)
    version = fields.Integer(required=True, allow_none=True)
    seconds = fields.Integer(required=True)
    progress = fields.Dict(required=True)
    failure = Part(FailureOut, required=True, allow_none=True)
    travel_source = fields.String(required=True, allow_none=True)
    cost = fields.Integer(required=True, allow_none=True)
    requested_at = fields.AwareDateTime(required=True)
    finished_at = fields.AwareDateTime(required=True, allow_none=True)
    published_at = fields.AwareDateTime(required=True, allow_none=True)
    based_on_id = fields.UUID(required=True, allow_none=True)
    repairs_id = fields.UUID(required=True, allow_none=True)
    relieves = fields.List(fields.String(), required=True)

    @pre_dump
    def tell(self, plan: DayPlan, **_: Any) -> dict[str, Any]:
        told = {name: getattr(plan, name) for name in PlanOut._declared_fields if name != "failure"}
        words = failure_words(plan.failure)
        failure = None if words is None else {"code": plan.failure["code"], "words": say(words, language())}
        return told | {"failure": failure} | self.more(plan)

    def more(self, plan: DayPlan) -> dict[str, Any]:
        """What a schema with more fields has to tell beside these."""
        return {}


class StayedHomeOut(Out):
    """A visitor who was not planned, because of papers that do not hold."""

    visitor_id = fields.UUID(required=True)
    staff_number = fields.String(required=True)
    clauses = fields.List(fields.String(), required=True)


class PlanDetailOut(PlanOut):
    """One plan with its routes and the visits it leaves out."""

    travel_words = fields.String(required=True, allow_none=True)
    routes = fields.List(Part(RouteOut), required=True)
    unserved = fields.List(Part(UnservedOut), required=True)
    stayed_home = fields.List(Part(StayedHomeOut), required=True)

    def more(self, plan: DayPlan) -> dict[str, Any]:
        told, travel = Told(plan), travel_words(plan)
        return {
            "travel_words": None if travel is None else say(travel, language()),
            "routes": shown_routes(plan),
            "unserved": [_left(left, told) for left in told.unserved],
            "stayed_home": [_home(who, record) for who, record in sorted(plan.stayed_home.items())],
        }


class DocumentsOut(Out):
    """The planning problem and its plan in the open planning format, for any judge."""

    problem = fields.Dict(required=True, allow_none=True)
    plan = fields.Dict(required=True, allow_none=True)


class FaultsOut(Out):
    """What the independent judge finds, in words with the code at the end; empty for every plan that is shown."""

    faults = fields.List(fields.String(), required=True)


def _left(left: UnservedVisit, told: Told) -> dict[str, Any]:
    words, remarks = reason_words(left, told)
    put_in, remedy = help_words(left, told)
    return {
        "visit_id": left.visit_id,
        "reference": left.visit.reference,
        "reason": left.reason,
        "words": say(words, language()),
        "remarks": [say(remark, language()) for remark in remarks],
        "crews": left.detail.get("crews", {}),
        "held_by": left.detail.get("held_by", []),
        "put_in": None if put_in is None else left.detail["put_in"] | {"words": say(put_in, language())},
        "remedy": None if remedy is None else left.detail["remedy"] | {"words": say(remedy, language())},
    }


def _home(visitor_id: str, record: dict[str, Any]) -> dict[str, Any]:
    clauses = [say(message_from(clause["message"]), language()) for clause in record["clauses"]]
    return {"visitor_id": visitor_id, "staff_number": record["staff_number"], "clauses": clauses}
