"""Two crews at one door: who goes there beside the crew that rides a route, and who of all of them leads.

Each crew has a stop of its own for the visit, which names the other crew. Of a visit that one crew makes nothing is
asked of the database.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from fieldvisit.models import CrewMember, Route
from fieldvisit.told_stops import ToldStop

type Partners = Mapping[tuple[uuid.UUID, str], Sequence[CrewMember]]
"""Plan and crew → who rides in it, the lead first."""


def partners_of(session: Session, stops: Collection[ToldStop]) -> Partners:
    """The other crews of those stops at which two meet, with the people's names; one query, none where no two meet."""
    asked = {(stop.route.plan_id, stop.with_crew) for stop in stops if stop.with_crew is not None}
    found: dict[tuple[uuid.UUID, str], list[CrewMember]] = defaultdict(list)
    if asked:
        rows = session.execute(
            sa.select(CrewMember, Route.plan_id, Route.crew_code)
            .join(Route, Route.id == CrewMember.route_id)
            .where(sa.tuple_(Route.plan_id, Route.crew_code).in_(asked))
            .options(joinedload(CrewMember.visitor))
            .order_by(CrewMember.lead.desc(), CrewMember.visitor_id)
        )
        for member, plan_id, crew in rows:
            found[plan_id, crew].append(member)
    return found


def beside(partners: Partners, stop: ToldStop) -> Sequence[CrewMember]:
    """Who goes to the visit besides those who ride the route."""
    return () if stop.with_crew is None else partners.get((stop.route.plan_id, stop.with_crew), ())


def people_at(session: Session, stop: ToldStop) -> frozenset[uuid.UUID]:
    """Everybody who goes to the visit of this stop by its plan."""
    others = beside(partners_of(session, [stop]), stop)
    return frozenset(member.visitor_id for member in (*stop.route.members, *others))


def reporter_of(partners: Partners, stop: ToldStop) -> uuid.UUID:
    """Whose report is that of the visit: the lead's, and of two crews that of the crew that comes first by its code."""
    members: Sequence[CrewMember] = stop.route.members
    if stop.with_crew is not None and stop.with_crew < stop.route.crew_code:
        members = beside(partners, stop) or members
    return next((member for member in members if member.lead), members[0]).visitor_id


def leads(session: Session, stop: ToldStop, visitor_id: uuid.UUID) -> bool:
    """Whether theirs is the report of the visit."""
    return reporter_of(partners_of(session, [stop]), stop) == visitor_id
