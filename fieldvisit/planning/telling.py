"""A plan in words: why a visit is left out, where the travel times come from, and the view that the picture draws."""

from zoneinfo import ZoneInfo

from fieldvisit.compliance.decision import message_from
from fieldvisit.languages import Message, label_id
from fieldvisit.models import DayPlan, Route, UnservedVisit
from fieldvisit.planning.picture_views import HOME, OFFICE, EndView, PlanView, RouteView, StopView, UnservedView
from fieldvisit.vocabulary import UnservedReason

SOURCES = {
    "osrm": Message("road travel times from the map"),
    "geodesic": Message("estimated from straight lines, not from roads"),
}
ADDRESS_UNKNOWN = Message("address without a point")
MOST_NAMED = 3
"""How many of the visits that hold a place are named: more would not be read."""


def travel_words(plan: DayPlan) -> Message:
    """Where the travel times come from, always said: an estimate must not look like a road."""
    source = plan.travel_source or ""
    return SOURCES.get(source.split(":")[0], Message(source))


def reason_words(left: UnservedVisit, references: dict[str, str]) -> tuple[Message, tuple[Message, ...]]:
    """Why the visit is left out, and what there is to add. `references`: visit id → what people call it."""
    remarks = [message_from(clause["message"]) for clause in left.detail.get("clauses", [])]
    held_by = [references.get(visit_id, visit_id) for visit_id in left.detail.get("held_by", [])]
    if held_by:
        named = ", ".join(held_by[:MOST_NAMED])
        more = len(held_by) - MOST_NAMED
        remarks.append(
            Message("its place is held by {visits} and {more} more", {"visits": named, "more": more})
            if more > 0
            else Message("its place is held by {visits}", {"visits": named})
        )
    if left.reason is UnservedReason.NO_CREW_OFFERS:
        remarks.append(Message("it needs {needs}", {"needs": ", ".join(_spoken(left.visit.requires)) or "-"}))
    return Message(label_id(left.reason)), tuple(remarks)


def references_in(plan: DayPlan) -> dict[str, str]:
    """Visit id → what people call it, for every visit that the plan speaks of."""
    references = {str(left.visit_id): left.visit.reference for left in plan.unserved}
    return references | {str(stop.visit_id): stop.visit.reference for route in plan.routes for stop in route.stops}


def view_of(plan: DayPlan) -> PlanView:
    """What the picture shows of a plan that `fieldvisit.planning.plans.get_plan` has read. No names, no amounts."""
    references = references_in(plan)
    shown = [route for route in plan.routes if route.stops]
    return PlanView(
        area=plan.area.name,
        planned_on=plan.planned_on,
        zone=ZoneInfo(shown[0].stops[0].visit.place.zone if shown else "UTC"),
        version=plan.version,
        travel_source=travel_words(plan),
        cost=plan.cost,
        routes=tuple(_route(route, colour) for colour, route in enumerate(shown)),
        unserved=tuple(
            _unserved(left, references) for left in sorted(plan.unserved, key=lambda left: left.visit.reference)
        ),
    )


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
        stops=tuple(
            StopView(
                number=number,
                reference=stop.visit.reference,
                address=stop.visit.place.address,
                lat=stop.visit.place.lat or 0.0,
                lon=stop.visit.place.lon or 0.0,
                arrive_at=stop.arrive_at,
                begin_at=stop.begin_at,
                end_at=stop.end_at,
                travel_s=stop.travel_s,
            )
            for number, stop in enumerate(route.stops, start=1)
        ),
    )


def _unserved(left: UnservedVisit, references: dict[str, str]) -> UnservedView:
    reason, remarks = reason_words(left, references)
    return UnservedView(
        reference=left.visit.reference, address=left.visit.place.address, reason=reason, remarks=remarks
    )


def _spoken(requires: list[str]) -> list[str]:
    return [need.replace("_", " ") for need in requires]
