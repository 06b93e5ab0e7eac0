"""Overrides: somebody lets one visit go beyond one clause on one day, and answers for it by name.

Only where the policy itself says that the clause may be overridden, only by the role that it names, with a reason, and
with a second person where it asks for one. What a policy blocks nobody can open.
"""

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.decision import ClauseResult, Decision
from fieldvisit.compliance.wallclock import local_day
from fieldvisit.decisions import stored_decision
from fieldvisit.drafts import check_text
from fieldvisit.errors import FieldVisitError, InvalidValue, Kind, NotFound, NotPermitted
from fieldvisit.explaining import explain_visit, span_of
from fieldvisit.models import Account, Override
from fieldvisit.rejudging import rejudge
from fieldvisit.visits import get_own_visit, note_event
from fieldvisit.vocabulary import CheckMoment, Role, Verdict

LONGEST_REASON = 2_000


class NotOverridable(FieldVisitError):
    """Either nothing stands in the way under this clause, or what does is blocked for everybody."""

    code, kind = "not_overridable", Kind.CONFLICT
    says = "Clause {clause_id} cannot be overridden for this visit: {verdict}."


class OverriddenBefore(FieldVisitError):
    code, kind = "overridden_before", Kind.CONFLICT
    says = "Clause {clause_id} was overridden before for this visit on {day}."


class SecondPersonNeeded(FieldVisitError):
    code, kind = "second_person_needed", Kind.CONFLICT
    says = "Somebody else than the person who asked has to confirm this override."


class OverrideSettled(FieldVisitError):
    code, kind = "override_settled", Kind.CONFLICT
    says = "This override was confirmed or revoked before."


@dataclass(frozen=True, kw_only=True)
class OverrideDraft:
    """Which clause, for a visit that begins when, and why."""

    clause_id: str
    begins_at: dt.datetime
    reason: str

    def __post_init__(self) -> None:
        if self.begins_at.tzinfo is None:
            raise InvalidValue(path="begins_at", reason="must name its UTC offset")
        check_text("reason", self.reason, longest=LONGEST_REASON)


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who grants or confirms, with the roles they have."""

    account_id: uuid.UUID
    roles: Collection[Role]


def override_clause(
    session: Session, visit_id: uuid.UUID, draft: OverrideDraft, *, by: Person, now: dt.datetime
) -> Override:
    """Let the visit go beyond the clause on the local date on which it begins.

    It counts at once, or, where the policy asks for a second person, once somebody else has confirmed it. Raises
    NotOverridable, OverriddenBefore and NotPermitted.
    """
    visit = get_own_visit(session, visit_id)
    decision = explain_visit(session, visit, begins_at=draft.begins_at, now=now)
    clause = _overridable(decision, draft.clause_id)
    _demand_role(clause.override_role, by)
    day = local_day(draft.begins_at, visit.place.zone)
    if session.scalar(_of(visit_id, draft.clause_id, day)) is not None:
        raise OverriddenBefore(clause_id=draft.clause_id, day=day.isoformat())
    span = span_of(visit, draft.begins_at)
    stored = stored_decision(visit, decision, moment=CheckMoment.PLANNING, span=span, now=now)
    session.add(stored)
    session.flush()
    row = Override(
        org_id=visit.org_id,
        lender_id=visit.lender_id,
        visit_id=visit.id,
        clause_id=draft.clause_id,
        policy_version=dict(decision.policies)[draft.clause_id.partition("/")[0]],
        decision_id=stored.id,
        role=clause.override_role,
        on_day=day,
        reason=draft.reason,
        asked_by_id=by.account_id,
        asked_at=now,
        needs_second=clause.second_person,
    )
    session.add(row)
    session.flush()
    session.add(note_event(visit, "overridden", now=now, override_id=str(row.id), clause_id=row.clause_id))
    return row


def confirm_override(session: Session, override_id: uuid.UUID, *, by: Person, now: dt.datetime) -> Override:
    """The second person agrees. Raises SecondPersonNeeded for the first one, OverrideSettled and NotPermitted."""
    row = _lock(session, override_id)
    _demand_role(row.role, by)
    if row.asked_by_id == by.account_id:
        raise SecondPersonNeeded()
    if row.confirmed_at is not None or row.revoked_at is not None or not row.needs_second:
        raise OverrideSettled()
    row.confirmed_by_id, row.confirmed_at = by.account_id, now
    session.flush()
    return row


def revoke_override(session: Session, override_id: uuid.UUID, *, now: dt.datetime) -> Override:
    """Take an override back: the clause stands again, and the visit is judged anew. Raises OverrideSettled where it was
    revoked before."""
    row = _lock(session, override_id)
    if row.revoked_at is not None:
        raise OverrideSettled()
    row.revoked_at = now
    session.flush()
    rejudge(session, [row.visit_id], now=now, code="override_revoked")
    return row


def overrides_where(
    *, clause_id: str | None = None, asked_by_id: uuid.UUID | None = None, visit_id: uuid.UUID | None = None
) -> sa.Select[Override]:
    """All overrides, or those of one clause, person or visit; the caller states the order."""
    asked = {Override.clause_id: clause_id, Override.asked_by_id: asked_by_id, Override.visit_id: visit_id}
    return sa.select(Override).where(*(column == value for column, value in asked.items() if value is not None))


@dataclass(frozen=True)
class OverrideCount:
    """How often one person asked for one clause to be overridden, and when last; how many of these a second person
    confirmed, and how many were taken back. `asked_by` None: the account is another organisation's."""

    asked_by_id: uuid.UUID
    asked_by: str | None
    clause_id: str
    count: int
    confirmed: int
    revoked: int
    last_at: dt.datetime


def override_report(session: Session) -> list[OverrideCount]:
    """By person and clause, the most frequent first."""
    count = sa.func.count()
    of_one = (Override.asked_by_id, Account.username, Override.clause_id)
    said = (count, sa.func.count(Override.confirmed_at), sa.func.count(Override.revoked_at))
    rows = session.execute(
        sa.select(*of_one, *said, sa.func.max(Override.asked_at))
        .outerjoin(Account, Account.id == Override.asked_by_id)
        .group_by(*of_one)
        .order_by(count.desc(), Override.clause_id, Override.asked_by_id)
    )
    return [OverrideCount(*row) for row in rows]


def _overridable(decision: Decision, clause_id: str) -> ClauseResult:
    found = [clause for clause in decision.clauses if clause.clause_id == clause_id]
    if not found:
        raise NotFound(what="clause", id=clause_id)
    open_to_override = [clause for clause in found if clause.verdict is Verdict.NEEDS_OVERRIDE]
    if not open_to_override or any(clause.verdict is Verdict.BLOCKED for clause in found):
        raise NotOverridable(clause_id=clause_id, verdict=found[0].verdict)
    return open_to_override[0]


def _demand_role(role: Role | None, by: Person) -> None:
    if role is None or role not in by.roles:
        raise NotPermitted(roles=role.value if role else "")


def _of(visit_id: uuid.UUID, clause_id: str, day: dt.date) -> sa.Select[Override]:
    return sa.select(Override).where(
        Override.visit_id == visit_id, Override.clause_id == clause_id, Override.on_day == day
    )


def _lock(session: Session, override_id: uuid.UUID) -> Override:
    row = session.scalars(sa.select(Override).where(Override.id == override_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFound(what="override", id=override_id)
    return row
