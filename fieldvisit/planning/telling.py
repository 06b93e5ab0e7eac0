"""A plan in words: why a visit is left out, where the travel times come from, and the view that the picture draws."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from fieldvisit.compliance.decision import message_from
from fieldvisit.compliance.inquiry import joined
from fieldvisit.languages import Message, label_id
from fieldvisit.models import DayPlan, Organisation, Route, Stop, UnservedVisit
from fieldvisit.planning.joining import ESTIMATED
from fieldvisit.planning.needs import need_words
from fieldvisit.planning.picture_views import HOME, OFFICE, EndView, PlanView, RouteView, StopView, UnservedView
from fieldvisit.planning.plans import get_plan
from fieldvisit.planning.remedies import crew_words, put_in_words, remedy_words
from fieldvisit.vocabulary import UnservedReason, VisitState

ROADS = Message("road travel times from the map")
LINES = Message("estimated from straight lines, not from roads")
SOURCES = {
    "osrm": ROADS,
    "osrm-http": ROADS,
    "osrm-http+geodesic": Message("road travel times; where the roads did not answer, estimated from straight lines"),
    "geodesic": LINES,
    "geodesic-fallback": Message("estimated from straight lines: the road server did not answer"),
}
POINTS = {
    "off_road": Message("no road is near its point: it may lie outside the map, or in another datum"),
    "cut_off": Message("no road leads from its point to any other"),
    "absurd": Message("its point is hundreds of kilometres away from all others"),
}
"""What is wrong with a point to which nobody is sent."""
TAKEN_OUT = Message("taken out by hand")
TAKEN_BACK = Message("the lender has taken the case back")
MOST_NAMED = 3
TO_COME = (VisitState.ELIGIBLE, VisitState.PLANNED, VisitState.PUBLISHED)
"""How many of the visits that hold a place are named: more would not be read."""


def travel_words(plan: DayPlan) -> Message | None:
    """Where the travel times come from, always said: an estimate must not look like a road. None before the answer."""
    if plan.travel_source is None:
        return None
    source, _, estimated = plan.travel_source.partition(ESTIMATED)
    words = SOURCES.get(source.split(",")[0], Message(source))
    if not estimated:
        return words
    return Message("{source}; those of {visits} estimated from straight lines", {"source": words, "visits": estimated})


@dataclass(frozen=True)
class Told:
    """A plan that `get_plan` has read, with what its sentences speak of."""

    plan: DayPlan

    @cached_property
    def references(self) -> dict[str, str]:
        """Visit id → what people call it, for every visit of the plan."""
        left = {str(one.visit_id): one.visit.reference for one in self.plan.unserved}
        return left | {str(stop.visit_id): stop.visit.reference for route in self.plan.routes for stop in route.stops}

    @cached_property
    def tasks(self) -> dict[str, Mapping[str, Any]]:
        return {task["id"]: task for task in (self.plan.problem or {}).get("tasks", ())}

    @cached_property
    def offers(self) -> list[set[str]]:
        """What each crew of the day offers."""
        return [set(crew.get("offers", ())) for crew in (self.plan.problem or {}).get("crews", ())]

    @property
    def origin(self) -> dt.datetime | None:
        """Second 0 of the planning format, None before there is an answer."""
        return dt.datetime.fromisoformat(self.plan.problem["origin"]) if self.plan.problem else None

    @property
    def unserved(self) -> list[UnservedVisit]:
        return sorted(self.plan.unserved, key=lambda left: left.visit.reference)


def reason_words(left: UnservedVisit, told: Told) -> tuple[Message, tuple[Message, ...]]:
    """Why the visit is left out, and what there is to add."""
    remarks = [message_from(clause["message"]) for clause in left.detail.get("clauses", [])]
    if left.detail.get("point") in POINTS:
        remarks.append(POINTS[left.detail["point"]])
    if left.detail.get("taken_out"):
        remarks.append(TAKEN_OUT)
    held_by = [told.references.get(visit_id, visit_id) for visit_id in left.detail.get("held_by", [])]
    if held_by:
        remarks.append(_held(held_by))
    if left.visit.place is None:
        remarks.append(TAKEN_BACK)
    task = told.tasks.get(str(left.visit_id))
    if task is not None:
        remarks += _needs(left.reason, task, told.offers)
    remarks += crew_words(left)
    return Message(label_id(left.reason)), tuple(remarks)


def help_words(left: UnservedVisit, told: Told) -> tuple[Message | None, Message | None]:
    """What putting the visit in would cost, and what would help; None where that is not known."""
    put_in = put_in_words(left, told.references)
    remedy = None if told.origin is None else remedy_words(left, told.references, told.origin)
    return put_in, remedy


def view_of(session: Session, plan_id: uuid.UUID) -> PlanView:
    """What the picture and the tables show of a plan. No names, no amounts. Raises NotFound."""
    told = Told(get_plan(session, plan_id))
    plan = told.plan
    return PlanView(
        area=plan.area.name,
        planned_on=plan.planned_on,
        zone=ZoneInfo(session.get_one(Organisation, plan.org_id).zone),
        version=plan.version,
        travel_source=travel_words(plan) or "-",
        cost=plan.cost,
        routes=tuple(_route(route, colour) for colour, route in enumerate(shown_routes(plan))),
        unserved=tuple(_unserved(left, told) for left in told.unserved),
    )


def shown_routes(plan: DayPlan) -> list[Route]:
    """The routes on which a visit is left."""
    return [route for route in plan.routes if route.stops]


def _route(route: Route, colour: int) -> RouteView:
    start = EndView(label=OFFICE if route.from_office else HOME, lat=route.start_lat, lon=route.start_lon)
    return RouteView(
        crew=route.crew_code,
        members=len(route.members),
        colour=colour,
        start=start,
        end=start,
        depart_at=route.depart_at,
        return_at=route.return_at,
        travel_s=route.travel_s,
        travel_m=route.travel_m,
        wait_s=route.wait_s,
        break_at=route.break_at,
        break_s=route.break_s or 0,
        path=tuple((lon, lat) for lon, lat in route.path),
        stops=tuple(_stop(number, stop) for number, stop in enumerate(_seen(route), start=1)),
    )


def _seen(route: Route) -> Iterable[Stop]:
    """Row-level security hides the place of a case that the lender has taken back."""
    return (stop for stop in route.stops if stop.visit.place is not None)


def _stop(number: int, stop: Stop) -> StopView:
    place = stop.visit.place
    return StopView(
        number=number,
        reference=stop.visit.reference,
        address=place.address,
        lat=place.lat or 0.0,
        lon=place.lon or 0.0,
        arrive_at=stop.arrive_at,
        begin_at=stop.begin_at,
        end_at=stop.end_at,
        travel_s=stop.travel_s,
        begun=stop.visit.state not in TO_COME,
        with_crew=stop.with_crew,
    )


def _unserved(left: UnservedVisit, told: Told) -> UnservedView:
    reason, remarks = reason_words(left, told)
    remarks += tuple(words for words in help_words(left, told) if words is not None)
    address = left.visit.place.address if left.visit.place is not None else "-"
    return UnservedView(reference=left.visit.reference, address=address, reason=reason, remarks=remarks)


def _held(held_by: list[str]) -> Message:
    named, more = ", ".join(held_by[:MOST_NAMED]), len(held_by) - MOST_NAMED
    if more > 0:
        return Message("its place is held by {visits} and {more} more", {"visits": named, "more": more})
    return Message("its place is held by {visits}", {"visits": named})


def _needs(reason: UnservedReason, task: Mapping[str, Any], offers: list[set[str]]) -> list[Message]:
    """What the crews lack, where that is why."""
    if reason is UnservedReason.NO_CREW_LARGE_ENOUGH:
        return [Message("it needs a crew of at least {people}", {"people": task.get("visitors", 1)})]
    if reason is not UnservedReason.NO_CREW_OFFERS:
        return []
    if not offers:
        return [Message("no crew works on this day")]
    requires = set(task.get("requires", ()))
    # Where each need is met by some crew, and all of them by none, only the whole list tells the reason.
    lacking = requires - set().union(*offers) or requires
    return [Message("it needs {needs}", {"needs": joined([need_words(need) for need in sorted(lacking)], ", ")})]
