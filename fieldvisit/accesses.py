"""Who looked at a debtor's data, when and why: written with every answer that shows some, in one statement."""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.parameters import PolicyStatus
from fieldvisit.compliance.policy import Policy
from fieldvisit.decisions import organisations_by_id
from fieldvisit.drafts import check_text
from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.ids import new_id
from fieldvisit.models import Case, Debtor, DebtorAccess, Visit
from fieldvisit.policies import policies_of

LONGEST_REASON = 200


class ReasonNeeded(FieldVisitError):
    """A policy of one's own, or of the lender's, wants to know why."""

    code, kind = "reason_needed", Kind.INVALID
    says = "Say why you look at this: send a reason in the header Access-Reason."


@dataclass(frozen=True)
class Shown:
    """Whose data an answer shows: debtors with their lenders, or people, visits and cases, of which the database knows
    the rest."""

    debtors: frozenset[tuple[uuid.UUID, uuid.UUID]] = frozenset()
    """(lender_id, debtor_id)."""
    visits: frozenset[uuid.UUID] = frozenset()
    cases: frozenset[uuid.UUID] = frozenset()
    people: frozenset[uuid.UUID] = frozenset()
    """Debtors whose lender is not at hand."""

    def __or__(self, other: "Shown") -> "Shown":
        return Shown(
            self.debtors | other.debtors,
            self.visits | other.visits,
            self.cases | other.cases,
            self.people | other.people,
        )

    def __bool__(self) -> bool:
        return bool(self.debtors or self.visits or self.cases or self.people)


@dataclass(frozen=True, kw_only=True)
class Look:
    """Who looks, by which operation, in which request, and why."""

    org_id: uuid.UUID
    account_id: uuid.UUID
    action: str
    request_id: str | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        if self.reason is not None:
            check_text("Access-Reason", self.reason, longest=LONGEST_REASON)


def demand_reason(session: Session, look: Look, shown: Shown, *, at: dt.datetime) -> None:
    """Raise ReasonNeeded where a policy that applies to these debtors' files demands one and none is given."""
    if look.reason is None:
        ids = {look.org_id, *(lender_id for lender_id, _ in shown.debtors)}
        ids.update(session.scalars(sa.select(Visit.lender_id).where(Visit.id.in_(shown.visits))))
        policies = policies_of(organisations_by_id(session, ids).values())
        if any(policy.access and policy.access.reason and _in_force(policy, at) for policy in policies):
            raise ReasonNeeded()


def _in_force(policy: Policy, at: dt.datetime) -> bool:
    day = at.astimezone(dt.UTC).date()
    begun = policy.effective_from <= day and (policy.effective_to is None or day <= policy.effective_to)
    return policy.status is PolicyStatus.IN_FORCE and begun


def record_access(session: Session, look: Look, shown: Shown, *, at: dt.datetime) -> None:
    """Write down that somebody looked: one statement, whatever the number of debtors, visits or cases."""
    if shown.debtors:
        rows = [
            _values(look, at) | {"id": new_id(), "lender_id": lender_id, "debtor_id": debtor_id}
            for lender_id, debtor_id in sorted(shown.debtors)
        ]
        session.execute(sa.insert(DebtorAccess).values(rows))
    # The debtors are looked up where the rows are written: a phone that asks costs one statement more, not two.
    if shown.visits:
        found = sa.select(Visit.lender_id, Visit.debtor_id).where(Visit.id.in_(shown.visits))
        _insert_found(session, _values(look, at), found)
    if shown.cases:
        found = sa.select(Case.org_id, Case.debtor_id).where(Case.id.in_(shown.cases))
        _insert_found(session, _values(look, at), found)
    if shown.people:
        found = sa.select(Debtor.org_id, Debtor.id).where(Debtor.id.in_(shown.people))
        _insert_found(session, _values(look, at), found)


def accesses(
    *,
    debtor_id: uuid.UUID | None = None,
    account_id: uuid.UUID | None = None,
    since: dt.datetime | None = None,
) -> sa.Select[DebtorAccess]:
    """Every look that one may know of: one's own people's, and anybody's at one's own debtors. The caller orders."""
    asked: Iterable[sa.ColumnElement[bool]] = (
        *((DebtorAccess.debtor_id == debtor_id,) if debtor_id else ()),
        *((DebtorAccess.account_id == account_id,) if account_id else ()),
        *((DebtorAccess.at >= since,) if since else ()),
    )
    return sa.select(DebtorAccess).where(*asked)


def _values(look: Look, at: dt.datetime) -> dict[str, object]:
    return {
        "at": at,
        "org_id": look.org_id,
        "account_id": look.account_id,
        "action": look.action,
        "reason": look.reason,
        "request_id": look.request_id,
    }


def _insert_found(session: Session, values: dict[str, object], found: sa.Select[uuid.UUID, uuid.UUID]) -> None:
    """`found`: the lenders and the debtors, which the database looks up where it writes."""
    columns = sa.inspect(DebtorAccess).columns
    told = (sa.cast(value, columns[name].type).label(name) for name, value in values.items())
    source = found.distinct().add_columns(*told)
    session.execute(sa.insert(DebtorAccess).from_select(["lender_id", "debtor_id", *values], source))
