"""Who rides on a day, and what each crew offers: skills, languages, and the papers that its people hold together.

What a crew offers and a visit requires are words of one kind: ``fi speaker`` needs no other rule than ``papers of
Aurora``. A skill stands as it is; the others carry their kind before a colon.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from fieldvisit.compliance.decision import ClauseResult
from fieldvisit.compliance.facts import Facts, StaffFact
from fieldvisit.compliance.intervals import Interval
from fieldvisit.compliance.parameters import HeldBy
from fieldvisit.compliance.people_rules import CredentialRule, StaffMixRule, TrainingRule
from fieldvisit.compliance.staffing import credential_clauses, mix_clause, training_clauses
from fieldvisit.compliance.terms import Terms
from fieldvisit.models import Area, Shift, Visit
from fieldvisit.planning.elsewhere import elsewhere_clause, riding_elsewhere
from fieldvisit.staff_facts import staff_facts
from fieldvisit.vocabulary import Verdict

PAPERS, LANGUAGE, AT_MOST = "papers:", "language:", "at_most:"
SHORTEST = dt.timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class CrewToPlan:
    """Who rides together. `offers`: the skills and languages of any member, and the papers that hold for them all."""

    code: str
    members: tuple[Shift, ...]
    """The lead first."""
    lat: float
    lon: float
    hours: Interval
    offers: frozenset[str]

    @property
    def lead(self) -> Shift:
        return self.members[0]

    @property
    def starts_from_home(self) -> bool:
        return _starts_from_home(self.lead)


@dataclass(frozen=True, kw_only=True)
class StayedHome:
    """A visitor whose papers hold for no visit of the day, with what is wrong with them; or who rides elsewhere."""

    visitor_id: uuid.UUID
    staff_number: str
    clauses: tuple[ClauseResult, ...]


@dataclass(frozen=True)
class Roster:
    """The shifts of one day, and every paper of those who work them."""

    on: dt.date
    shifts: tuple[Shift, ...]
    staff: Mapping[uuid.UUID, StaffFact]
    elsewhere: Mapping[uuid.UUID, str]
    """Those whom the day's plan of another area holds, and which."""

    @property
    def cases(self) -> frozenset[str]:
        """The cases for which somebody holds a paper that is good for no other."""
        papers = (paper for person in self.staff.values() for paper in person.credentials)
        return frozenset(paper.for_case_id for paper in papers if paper.for_case_id is not None)


@dataclass(frozen=True)
class Papers:
    """One demand for papers: in this lender's name, under these rules, and for this case where somebody holds papers
    made out for it alone. `facts` and `rules` are those of any visit with this demand."""

    tag: str
    facts: Facts = field(compare=False)
    rules: tuple[CredentialRule, ...] = field(compare=False)
    training: tuple[TrainingRule, ...] = field(compare=False)
    mix: tuple[StaffMixRule, ...] = field(compare=False)

    def lacking(self, people: Sequence[StaffFact], on: dt.date, *, each: bool) -> list[ClauseResult]:
        """What these people lack on the date; with `each`, only of what everybody needs for themselves."""
        found = [
            clause
            for rule in self.rules
            if not each or rule.held_by is HeldBy.EACH
            for clause in credential_clauses(rule, people, self.facts, first=on, last=on)
        ]
        found += [clause for rule in self.training for clause in training_clauses(rule, people, on)]
        found += [] if each else [mix_clause(rule, people) for rule in self.mix]
        return [clause for clause in found if clause.verdict is not Verdict.ALLOWED]


def language(tag: str) -> str:
    return f"{LANGUAGE}{tag}"


def at_most(people: int) -> str:
    """What a crew offers that is no larger than this."""
    return f"{AT_MOST}{people}"


def read_roster(session: Session, area: Area, on: dt.date, *, unplaced: bool = False) -> Roster:
    """The shifts of the active visitors of the area's organisation on this date; with `unplaced` also of those who are
    in no crew."""
    shifts = session.scalars(
        sa.select(Shift)
        .where(Shift.org_id == area.org_id, Shift.works_on == on)
        .options(joinedload(Shift.visitor))
        .order_by(Shift.crew_code, Shift.lead.desc(), Shift.visitor_id)
    ).all()
    placed = (shift for shift in shifts if unplaced or shift.crew_code is not None)
    working = tuple(shift for shift in placed if shift.visitor.active)
    taken = riding_elsewhere(session, area.org_id, area.id, on)
    return Roster(on, working, staff_facts(session, [shift.visitor_id for shift in working]), taken)


def papers_of(roster: Roster, visit: Visit, facts: Facts, terms: Terms) -> Papers:
    """The demand for papers of this visit."""
    policies = "+".join(f"{policy.id}.{policy.version}" for policy in terms.policies)
    case = f":{facts.case_id}" if facts.case_id in roster.cases else ""
    return Papers(
        f"{PAPERS}{visit.lender_id}:{policies}{case}", facts, terms.credentials, terms.training, terms.staff_mix
    )


def crews_of(
    roster: Roster, area: Area, papers: Set[Papers], most: Iterable[int], *, now: dt.datetime
) -> tuple[tuple[CrewToPlan, ...], tuple[StayedHome, ...]]:
    """The crews of the day, and those who do not ride: their papers hold for none of its visits, or another area has
    them.

    A crew goes on without whoever stays at home. `most`: the largest numbers of people that visits allow at a door.
    """
    stayed_home = tuple(one for shift in roster.shifts if (one := _stays_home(roster, shift, papers)) is not None)
    home = {one.visitor_id for one in stayed_home}
    together: dict[str, list[Shift]] = defaultdict(list)
    for shift in roster.shifts:
        if shift.visitor_id not in home:
            together[shift.crew_code or ""].append(shift)
    crews = []
    for code, members in sorted(together.items()):
        hours = _shared_hours(members, now)
        if hours is not None:
            offers = {*known(members), *_held(roster, members, papers), *_small_enough(members, most)}
            crews.append(_crew(area, code, members, hours=hours, offers=offers))
    return tuple(crews), stayed_home


def offered(roster: Roster, people: Collection[uuid.UUID], papers: Papers, most: Iterable[int]) -> frozenset[str]:
    """What these people, riding together, offer to visits with this demand for papers."""
    members = [shift for shift in roster.shifts if shift.visitor_id in people]
    return frozenset({*known(members), *_held(roster, members, {papers}), *_small_enough(members, most)})


def _stays_home(roster: Roster, shift: Shift, papers: Set[Papers]) -> StayedHome | None:
    if shift.visitor_id in roster.elsewhere:
        found = (elsewhere_clause(roster.elsewhere[shift.visitor_id]),)
        return StayedHome(visitor_id=shift.visitor_id, staff_number=shift.visitor.staff_number, clauses=found)
    person = roster.staff[shift.visitor_id]
    lacking = [one.lacking([person], roster.on, each=True) for one in sorted(papers, key=lambda one: one.tag)]
    if not lacking or not all(lacking):
        return None
    clauses = {clause.clause_id: clause for found in lacking for clause in found}
    return StayedHome(
        visitor_id=shift.visitor_id, staff_number=shift.visitor.staff_number, clauses=tuple(clauses.values())
    )


def _shared_hours(members: Sequence[Shift], now: dt.datetime) -> Interval | None:
    """When all of them work, from now on; None where that is never."""
    begins_at = max(now, *(shift.starts_at for shift in members))
    ends_at = min(shift.ends_at for shift in members)
    return Interval(begins_at, ends_at) if begins_at + SHORTEST <= ends_at else None


def known(members: Iterable[Shift]) -> set[str]:
    """What one member knows the whole crew can do."""
    return {
        *(skill for shift in members for skill in shift.visitor.skills),
        *(language(tag) for shift in members for tag in shift.visitor.languages),
    }


def _held(roster: Roster, members: Sequence[Shift], papers: Set[Papers]) -> set[str]:
    people = [roster.staff[shift.visitor_id] for shift in members]
    return {one.tag for one in papers if not one.lacking(people, roster.on, each=False)}


def _small_enough(members: Sequence[Shift], most: Iterable[int]) -> set[str]:
    return {at_most(people) for people in most if len(members) <= people}


def _crew(area: Area, code: str, members: Sequence[Shift], *, hours: Interval, offers: Iterable[str]) -> CrewToPlan:
    lead = next((shift for shift in members if shift.lead), members[0])
    home = (lead.visitor.home_lat, lead.visitor.home_lon)
    lat, lon = home if _starts_from_home(lead) else (area.lat, area.lon)
    return CrewToPlan(
        code=code,
        members=(lead, *(shift for shift in members if shift is not lead)),
        lat=area.lat if lat is None else lat,
        lon=area.lon if lon is None else lon,
        hours=hours,
        offers=frozenset(offers),
    )


def _starts_from_home(lead: Shift) -> bool:
    """A lead whose home has no point starts from the office, whatever the shift says."""
    return not lead.from_office and lead.visitor.home_lat is not None and lead.visitor.home_lon is not None
