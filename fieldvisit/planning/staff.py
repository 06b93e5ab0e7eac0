"""The people of a day and the work it holds, as the question of who rides with whom.

Whoever's crew the shift file or the dispatcher has named rides so; all others are to be placed.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.facts import StaffFact
from fieldvisit.compliance.parameters import HeldBy
from fieldvisit.compliance.staffing import credential_clauses
from fieldvisit.models import Area, Shift
from fieldvisit.planning.crews import AT_MOST, Papers, Roster, known, read_roster
from fieldvisit.planning.day import Day, VisitToPlan, read_day
from fieldvisit.planning.shares import Behind, read_behind
from fieldvisit.vocabulary import CrewSource, Verdict

DRIVE_S = 900
"""What the way to a visit is taken for, before any route is known."""
WEEK_S = 48 * 3_600
"""The most that anybody rides in a calendar week."""
TRAINEE = "trainee"
"""The skill of those who neither lead nor ride alone."""
LARGEST, LEAST_S = 3, 3_600


@dataclass(frozen=True, kw_only=True)
class StaffQuestion:
    """`document` is what the child is asked; `kinds`: demand → what to say of it when it is left."""

    on: dt.date
    document: Mapping[str, Any]
    kinds: Mapping[str, Mapping[str, Any]]
    without_papers: tuple[Shift, ...]
    placed: tuple[Shift, ...] = field(default=())
    """The shifts whose crew is to be found."""


def staff_question(session: Session, org_id: uuid.UUID, on: dt.date, now: dt.datetime) -> StaffQuestion | None:
    """The question for this day; None where every crew is named already."""
    areas = session.scalars(sa.select(Area).where(Area.org_id == org_id).order_by(Area.code)).all()
    if not areas:
        return None
    days = [read_day(session, area, on, now, unplaced=True) for area in areas]
    roster = read_roster(session, areas[0], on, unplaced=True)
    free = [shift for shift in roster.shifts if shift.crew_by in (None, CrewSource.PROPOSED)]
    if not free:
        return None
    origin, papers = days[0].origin.astimezone(dt.UTC), sorted(set().union(*(day.papers for day in days)), key=_tag)
    kept = _kept(roster)
    barred = [shift for shift in free if papers and not _holds(roster, shift, papers)]
    riding = [*(shift for crew in kept for shift in crew), *(shift for shift in free if shift not in barred)]
    demands, kinds = _demands(days, papers)
    fixed = {shift.visitor_id for crew in kept for shift in crew}
    behind = read_behind(session, org_id, on)
    document = {
        "people": [
            _person(roster, shift, papers, origin=origin, behind=None if shift.visitor_id in fixed else behind)
            for shift in riding
        ],
        "starts": [None if shift.from_office else _home(shift) for shift in riding],
        "demands": demands,
        "kept": [[str(shift.visitor_id) for shift in crew] for crew in kept],
        "seed": 1,
    }
    return StaffQuestion(on=on, document=document, kinds=kinds, without_papers=tuple(barred), placed=tuple(free))


def _kept(roster: Roster) -> list[list[Shift]]:
    """The crews that others have named, the lead first. What no crew could be is left to whoever named it."""
    crews: dict[str, list[Shift]] = defaultdict(list)
    for shift in roster.shifts:
        if shift.crew_code is not None and shift.crew_by is not CrewSource.PROPOSED:
            crews[shift.crew_code].append(shift)
    return [crew for _, crew in sorted(crews.items()) if len(crew) <= LARGEST and _together_s(crew) >= LEAST_S]


def _together_s(crew: Sequence[Shift]) -> float:
    return (min(shift.ends_at for shift in crew) - max(shift.starts_at for shift in crew)).total_seconds()


def _person(
    roster: Roster, shift: Shift, papers: Sequence[Papers], *, origin: dt.datetime, behind: Behind | None
) -> dict[str, Any]:
    who, fact = shift.visitor_id, roster.staff[shift.visitor_id]
    until = behind.until.get(who) if behind else None
    trainee = TRAINEE in shift.visitor.skills
    return {
        "id": str(who),
        "shift": [_second(shift.starts_at, origin), _second(shift.ends_at, origin)],
        "knows": sorted(known([shift]) | {word for one in papers for word in _one_words(one, fact, roster.on)}),
        "holds": sorted(_holds(roster, shift, papers)),
        "worked_until_s": _second(until, origin) if until else None,
        "most_work_s": max(0, WEEK_S - behind.week_s.get(who, 0)) if behind else None,
        "work_before_s": behind.work_s.get(who, 0) if behind else 0,
        "may_lead": not trainee,
        "may_ride_alone": not trainee,
    }


def _holds(roster: Roster, shift: Shift, papers: Iterable[Papers]) -> set[str]:
    """The demands of which this person holds all that everybody has to hold."""
    fact = roster.staff[shift.visitor_id]
    return {one.tag for one in papers if not one.lacking([fact], roster.on, each=True)}


def _one_words(papers: Papers, fact: StaffFact, on: dt.date) -> set[str]:
    """A word for each paper that one member of a crew has to hold, and this one does."""
    return {
        word
        for word, rule in _one_rules(papers).items()
        if all(
            clause.verdict is Verdict.ALLOWED
            for clause in credential_clauses(rule, [fact], papers.facts, first=on, last=on)
        )
    }


def _one_rules(papers: Papers) -> dict[str, Any]:
    rules = [rule for rule in papers.rules if rule.held_by is HeldBy.ONE]
    return {f"{papers.tag}#{number}": rule for number, rule in enumerate(rules)}


def _demands(
    days: Iterable[Day], papers: Iterable[Papers]
) -> tuple[list[dict[str, Any]], dict[str, Mapping[str, Any]]]:
    """The visits of all areas by what they need. A visit without a crew's reach in two areas counts once."""
    held_by_one = {one.tag: set(_one_rules(one)) for one in papers}
    visits = {one.visit.id: one for day in days for one in day.visits}
    together: dict[tuple[frozenset[str], int], list[VisitToPlan]] = defaultdict(list)
    for one in visits.values():
        together[one.requires, one.visitors].append(one)
    demands: list[dict[str, Any]] = []
    kinds: dict[str, Mapping[str, Any]] = {}
    ordered = sorted(together.items(), key=lambda item: (sorted(item[0][0]), item[0][1]))
    for number, ((requires, visitors), asked) in enumerate(ordered):
        most = [int(word.removeprefix(AT_MOST)) for word in requires if word.startswith(AT_MOST)]
        words = {word for word in requires if not word.startswith(AT_MOST)}
        words |= {word for tag in words for word in held_by_one.get(tag, ())}
        name = f"kind-{number}"
        value_s = sum(one.visit.value_s for one in asked)
        work_s = sum(one.visit.service_s + DRIVE_S for one in asked)
        demands.append(
            {
                "id": name,
                "work_s": work_s,
                "requires": sorted(words),
                "visitors": visitors,
                "most_visitors": min(most, default=None),
                "price": min(1_000, max(1, round(value_s / max(1, work_s)))),
            }
        )
        kinds[name] = {"needs": sorted(requires), "visitors": visitors, "visits": len(asked)}
    return demands, kinds


def _home(shift: Shift) -> list[float] | None:
    lat, lon = shift.visitor.home_lat, shift.visitor.home_lon
    return None if lat is None or lon is None else [lat, lon]


def _second(at: dt.datetime, origin: dt.datetime) -> int:
    return round((at - origin).total_seconds())


def _tag(papers: Papers) -> str:
    return papers.tag
