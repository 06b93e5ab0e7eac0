"""A visit that joins a day after its plan was made.

The plan's travel times know nothing of its place. Where another visit has the same point they are that one's; else they
are estimated from straight lines, at the pace of the drives that the plan does know, and that is said.
"""

import datetime as dt
import statistics
import uuid
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from fieldvisit.compliance.decision import message_from
from fieldvisit.compliance.inquiry import joined
from fieldvisit.distances import great_circle_m
from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.languages import Message, label_id
from fieldvisit.models import Area, Place, Visit
from fieldvisit.planning.crews import offered
from fieldvisit.planning.day import Joining, LeftOut, read_joining
from fieldvisit.planning.meeting import crews_needed
from fieldvisit.planning.problem import task_of
from fieldvisit.planning.rest import Standing
from fieldvisit.vocabulary import VisitState
from routing.problem import Band, Crew, Matrix, Task, Travel, Window

USUAL_S_PER_M = 1.35 / 7
"""Seconds for each metre of a straight line, where the plan knows no drive to learn from."""
LEAST_M = 200
"""Drives shorter than this say little about the pace of longer ones."""
ESTIMATED = "; estimated "
"""In a plan's travel source, before the references of the visits that joined it later."""
type Point = tuple[float, float]


class NotToBePlanned(FieldVisitError):
    """A visit that no plan of the day may hold."""

    code, kind = "not_to_be_planned", Kind.CONFLICT
    says = "Visit {visit_id} may not be planned for {planned_on}: {why}"


def joined_by(session: Session, standing: Standing, visit_id: uuid.UUID, now: dt.datetime) -> Standing:
    """The plan with one more visit to place, if it is not among its own. Raises NotFound and NotToBePlanned.

    One that the plan once held or left out, and that waits, is read anew: since the plan was made its debtor may have
    been told other hours, and the policies may have changed.
    """
    if str(visit_id) in standing.problem.task_by_id and not _waits(standing, visit_id):
        return standing
    row = standing.row
    joining = read_joining(session, session.get_one(Area, row.area_id), row.planned_on, visit_id, now=now)
    if isinstance(joining, LeftOut):
        raise NotToBePlanned(visit_id=visit_id, planned_on=row.planned_on, why=_why(joining))
    place = joining.visit.visit.place
    travel, location, estimated = _with_place(standing, place)
    crews = tuple(_with_offers(standing, crew, joining) for crew in standing.problem.crews)
    problem = replace(standing.problem, travel=travel, crews=crews)
    visit = joining.visit
    offers = [(crew.offers, crew.size) for crew in crews]
    visit = replace(visit, crews=crews_needed(visit.visitors, visit.requires, offers))
    joining = replace(joining, visit=visit)
    others = (task for task in problem.tasks if task.id != str(visit_id))
    problem = replace(problem, tasks=(*others, _task(standing, joining, location)))
    named = (*standing.estimated, joining.visit.visit.reference) if estimated else standing.estimated
    return replace(standing, problem=problem, joined=standing.joined | {str(visit_id)}, estimated=named)


def _waits(standing: Standing, visit_id: uuid.UUID) -> bool:
    return any(left.visit_id == visit_id and left.visit.state is VisitState.ELIGIBLE for left in standing.row.unserved)


def _why(left: LeftOut) -> Message:
    clauses = [message_from(clause["message"]) for clause in left.detail.get("clauses", [])]
    return joined(clauses, "; ") if clauses else Message(label_id(left.reason))


def _task(standing: Standing, joining: Joining, location: int) -> Task:
    fields = task_of(standing.origin, joining.visit, location)
    debtor = joining.visit.visit.debtor_id
    mates = {str(visit.id) for visit in _visits(standing) if visit.debtor_id == debtor} & set(
        standing.problem.task_by_id
    )
    return Task(
        id=fields["id"],
        location=location,
        service_s=fields["service_s"],
        windows=tuple(Window(opens_s=opens, closes_s=closes) for opens, closes in fields["windows"]),
        value_s=fields["value_s"],
        requires=frozenset(fields["requires"]),
        visitors=fields["visitors"],
        crews=fields.get("crews", 1),
        quotas=frozenset(standing.problem.most_of),
        risk=fields["risk"],
        earning=fields["earning"],
        group=str(debtor) if any(standing.problem.task_by_id[mate].group for mate in mates) else None,
    )


def _with_offers(standing: Standing, crew: Crew, joining: Joining) -> Crew:
    """The crew with what it offers to this visit: the lender may be new to the day, and so are its papers."""
    record = standing.row.crews.get(crew.id)
    people = {uuid.UUID(member) for member in record["members"]} if record else set()
    return replace(crew, offers=crew.offers | offered(joining.roster, people, joining.papers, joining.most))


def _with_place(standing: Standing, place: Place) -> tuple[Travel, int, bool]:
    """Travel with this place in it, its number, and whether its drives are estimated."""
    points = points_of(standing)
    here = (place.lat or 0.0, place.lon or 0.0)
    known = next((index for index, point in points.items() if point == here), None)
    if known is not None:
        return standing.problem.travel, known, False
    travel = standing.problem.travel
    lines = [great_circle_m(here, points[index]) if index in points else None for index in range(travel.size)]
    bands = [_longer(matrix, points, lines) for matrix in travel.matrices]
    metres = (
        None if travel.metres is None else _row_added(travel.metres, [None if m is None else round(m) for m in lines])
    )
    if travel.seconds is not None:
        return Travel(seconds=bands[0], metres=metres), travel.size, True
    hours = tuple(Band(from_s=start, seconds=band) for start, band in zip(travel.starts_s, bands, strict=True))
    return Travel(bands=hours, metres=metres), travel.size, True


def _longer(matrix: Matrix, points: dict[int, Point], lines: Sequence[float | None]) -> Matrix:
    pace = _pace(matrix, points)
    return _row_added(matrix, [None if line is None else max(1, round(line * pace)) for line in lines])


def _row_added(matrix: Matrix, lengths: Sequence[int | None]) -> Matrix:
    """The same both ways: a line knows no one-way streets."""
    return (*((*row, length) for row, length in zip(matrix, lengths, strict=True)), (*lengths, 0))


def _pace(matrix: Matrix, points: dict[int, Point]) -> float:
    """Seconds for each metre of a straight line, at the median over the drives from a few places."""
    found = []
    for origin in sorted(points)[:: max(1, len(points) // 12)]:
        for target, point in points.items():
            seconds, line = matrix[origin][target], great_circle_m(points[origin], point)
            if seconds is not None and line >= LEAST_M:
                found.append(seconds / line)
    return statistics.median(found) if found else USUAL_S_PER_M


def points_of(standing: Standing) -> dict[int, Point]:
    """Location → its point, of those that are known."""
    found: dict[int, Point] = {}
    for crew in standing.problem.crews:
        record = standing.row.crews.get(crew.id)
        if record and crew.end is not None:
            found[crew.end] = (record["lat"], record["lon"])
    for visit in _visits(standing):
        task = standing.problem.task_by_id.get(str(visit.id))
        if task is not None and visit.place is not None and visit.place.lat is not None and visit.place.lon is not None:
            found[task.location] = (visit.place.lat, visit.place.lon)
    return found


def _visits(standing: Standing) -> list[Visit]:
    """Every visit of the plan, served or not."""
    on_routes = [stop.visit for route in standing.row.routes for stop in route.stops]
    return on_routes + [left.visit for left in standing.row.unserved]
