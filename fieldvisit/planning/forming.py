"""The crews of a day: proposed where the shift file names none, kept or overridden by the dispatcher.

What stands on the shifts counts; a proposal writes only on those whose crew nobody else has named.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from fieldvisit.errors import InvalidValue
from fieldvisit.models import CrewForming, Shift, Visitor
from fieldvisit.planning.failures import PlanFailure
from fieldvisit.planning.staff import LARGEST, StaffQuestion, staff_question
from fieldvisit.vocabulary import CrewSource, FormingState

NO_PAPERS = "no_papers"


@dataclass(frozen=True, kw_only=True)
class CrewDraft:
    """A crew as a dispatcher names it, the lead first."""

    code: str
    visitor_ids: tuple[uuid.UUID, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.visitor_ids) <= LARGEST:
            raise InvalidValue(path="visitor_ids", reason="must name one to three visitors")


@dataclass(frozen=True, kw_only=True)
class NamedCrews:
    """The crews that a dispatcher names for one day."""

    works_on: dt.date
    crews: tuple[CrewDraft, ...]

    def __post_init__(self) -> None:
        people = [who for crew in self.crews for who in crew.visitor_ids]
        if len(set(people)) < len(people):
            raise InvalidValue(path="crews", reason="must name nobody twice")
        if len({crew.code for crew in self.crews}) < len(self.crews):
            raise InvalidValue(path="crews", reason="must give each crew a code of its own")


@dataclass(frozen=True, kw_only=True)
class ClaimedForming:
    org_id: uuid.UUID
    forming_id: uuid.UUID
    claimed_at: dt.datetime
    question: StaffQuestion


def request_forming(session: Session, org_id: uuid.UUID, on: dt.date, *, now: dt.datetime) -> CrewForming:
    """Ask for a proposal; the caller enqueues the job in the same transaction. Asking again makes it anew."""
    row = find_forming(session, org_id, on, lock=True)
    if row is None:
        row = CrewForming(org_id=org_id, works_on=on, state=FormingState.REQUESTED)
        session.add(row)
    row.state, row.requested_at = FormingState.REQUESTED, now
    row.claimed_at = row.finished_at = None
    session.flush()
    return row


def find_forming(session: Session, org_id: uuid.UUID, on: dt.date, *, lock: bool = False) -> CrewForming | None:
    query = sa.select(CrewForming).where(CrewForming.org_id == org_id, CrewForming.works_on == on)
    query = query.with_for_update() if lock else query
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def is_forming_due(session: Session, org_id: uuid.UUID, on: dt.date) -> bool:
    """Whether somebody works on the day whose crew nobody has named and no proposal has looked at."""
    row = find_forming(session, org_id, on)
    since = row.requested_at if row is not None and row.state is FormingState.FORMED else None
    unnamed = sa.select(Shift.id).where(Shift.org_id == org_id, Shift.works_on == on, Shift.crew_code.is_(None))
    if since is not None:
        unnamed = unnamed.where(Shift.created_at > since)
    return session.scalars(unnamed.limit(1)).first() is not None


def claim_forming(session: Session, org_id: uuid.UUID, on: dt.date, now: dt.datetime) -> ClaimedForming | None:
    """Read the question. None where there is nothing to ask; then the day is formed as it stands."""
    row = find_forming(session, org_id, on, lock=True)
    if row is None or row.state not in (FormingState.REQUESTED, FormingState.FORMING):
        return None
    question = staff_question(session, org_id, on, now)
    row.claimed_at = now
    if question is None:
        row.state, row.finished_at, row.best = FormingState.FORMED, now, True
        row.home, row.undone, row.failure = {}, [], {}
        session.flush()
        return None
    row.state = FormingState.FORMING
    session.flush()
    return ClaimedForming(org_id=org_id, forming_id=row.id, claimed_at=now, question=question)


def accept_forming(session: Session, claimed: ClaimedForming, answer: Mapping[str, Any], *, now: dt.datetime) -> bool:
    """Write the proposal on the shifts; False where it was asked for anew meanwhile.

    A shift whose crew somebody has named since the question was read stays as it is named.
    """
    row = find_forming(session, claimed.org_id, claimed.question.on, lock=True)
    if row is None or row.state is not FormingState.FORMING or row.claimed_at != claimed.claimed_at:
        return False
    shifts = _shifts(session, claimed.org_id, row.works_on)
    open_ = {who: shift for who, shift in shifts.items() if shift.crew_by in (None, CrewSource.PROPOSED)}
    for shift in open_.values():
        shift.crew_code = shift.crew_by = None
    session.flush()
    codes = _codes({shift.crew_code for shift in shifts.values()})
    for members in answer["crews"]:
        found = [open_[who] for name in members if (who := uuid.UUID(name)) in open_]
        if len(found) == len(members):
            _name(found, next(codes), CrewSource.PROPOSED)
    home = {who: reason for who, reason in answer["home"].items() if uuid.UUID(who) in open_}
    home |= {str(shift.visitor_id): NO_PAPERS for shift in claimed.question.without_papers}
    numbers = {str(who): shift.visitor.staff_number for who, shift in shifts.items()}
    row.home = {who: {"staff_number": numbers.get(who, who), "reason": reason} for who, reason in home.items()}
    row.undone = [{**claimed.question.kinds[left["demand"]], **left} for left in answer["left"]]
    row.state, row.best, row.failure, row.finished_at = FormingState.FORMED, answer["best"], {}, now
    session.flush()
    return True


def fail_forming(
    session: Session, claimed: ClaimedForming, failure: PlanFailure, *, says: str, now: dt.datetime
) -> None:
    """Record why there is no proposal. The crews stay as they were."""
    row = find_forming(session, claimed.org_id, claimed.question.on, lock=True)
    if row is not None and row.claimed_at == claimed.claimed_at:
        row.state, row.finished_at = FormingState.FAILED, now
        row.failure = {"code": failure.value, "says": says}
        session.flush()


def name_crews(session: Session, org_id: uuid.UUID, named: NamedCrews) -> None:
    """Let these crews ride as the dispatcher says; whoever else was in one of these codes rides in no crew yet.

    Raises InvalidValue where somebody does not work on the day.
    """
    find_forming(session, org_id, named.works_on, lock=True)
    shifts = _shifts(session, org_id, named.works_on)
    people = {who for crew in named.crews for who in crew.visitor_ids}
    for index, crew in enumerate(named.crews):
        for place, who in enumerate(crew.visitor_ids):
            if who not in shifts:
                raise InvalidValue(path=f"crews[{index}].visitor_ids[{place}]", reason="does not work on this day")
    codes = {crew.code for crew in named.crews}
    for who, shift in shifts.items():
        if who not in people and shift.crew_code in codes:
            shift.crew_code = shift.crew_by = None
    for crew in named.crews:
        _name([shifts[who] for who in crew.visitor_ids], crew.code, CrewSource.DISPATCHER)
    session.flush()


def keep_proposal(session: Session, org_id: uuid.UUID, on: dt.date) -> None:
    """Make the proposal the dispatcher's own word: no later one changes it."""
    find_forming(session, org_id, on, lock=True)
    for shift in _shifts(session, org_id, on).values():
        if shift.crew_by is CrewSource.PROPOSED:
            shift.crew_by = CrewSource.DISPATCHER
    session.flush()


def shifts_of(session: Session, org_id: uuid.UUID, on: dt.date) -> Sequence[Shift]:
    """Everybody who works on the day with their visitor: by crew, the lead first; last those who are in none."""
    return session.scalars(
        sa.select(Shift)
        .join(Shift.visitor)
        .where(Shift.org_id == org_id, Shift.works_on == on, Visitor.active)
        .options(joinedload(Shift.visitor))
        .order_by(Shift.crew_code.asc().nulls_last(), Shift.lead.desc(), Visitor.staff_number)
        .execution_options(populate_existing=True)
    ).all()


def _shifts(session: Session, org_id: uuid.UUID, on: dt.date) -> dict[uuid.UUID, Shift]:
    return {shift.visitor_id: shift for shift in shifts_of(session, org_id, on)}


def _name(members: Sequence[Shift], code: str, by: CrewSource) -> None:
    for place, shift in enumerate(members):
        shift.crew_code, shift.crew_by, shift.lead = code, by, place == 0


def _codes(taken: set[str | None]) -> Any:
    """P01, P02, ... without those that are taken."""
    return (code for number in range(1, 10_000) if (code := f"P{number:02}") not in taken)
