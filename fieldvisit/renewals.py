"""Papers run out: what follows on one, from when it has to, and who is reminded of it, each time once.

A paper is due on the last day on which it holds: the last of its dates, or for a training the last day before a policy
wants it repeated, whichever is earlier. Which kinds repeat, and after how many months, is said by the policies
(`repeat_months` of their training rules), not here.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from fieldvisit.compliance.durations import Duration
from fieldvisit.compliance.parameters import PolicyStatus
from fieldvisit.compliance.policy import Policy, on_date
from fieldvisit.compliance.wallclock import ONE_DAY
from fieldvisit.decisions import organisations_by_id
from fieldvisit.drafts import LONGEST_ID, acting_organisation, check_text
from fieldvisit.errors import FieldVisitError, InvalidValue, Kind, NotFound
from fieldvisit.finding import get_by_id
from fieldvisit.models import Credential, CredentialReminder, Placement, Visitor
from fieldvisit.placements import in_force
from fieldvisit.policies import policies_of
from fieldvisit.vocabulary import CredentialKind, ReminderRecipient

DAYS_BEFORE = (1, 7, 14, 30)
"""Before a paper is due; the nearest that has come is told, once."""


class AlreadyRenewed(FieldVisitError):
    code, kind = "already_renewed", Kind.CONFLICT
    says = "Another paper follows on this one already: {external_id}."


class RevokedPaper(FieldVisitError):
    code, kind = "revoked_paper", Kind.CONFLICT
    says = "This paper was taken back: nothing follows on it. Add a new one."


@dataclass(frozen=True, kw_only=True)
class RenewalDraft:
    """The next term of a paper. What is None stays as it was; without a first day it begins where the earlier ends."""

    external_id: str
    valid_until: dt.date
    valid_from: dt.date | None = None
    number: str | None = None
    issuer: str | None = None

    def __post_init__(self) -> None:
        check_text("external_id", self.external_id, longest=LONGEST_ID)
        if self.number is not None:
            check_text("number", self.number, longest=LONGEST_ID)
        if self.issuer is not None:
            check_text("issuer", self.issuer)


def renew_credential(session: Session, credential_id: uuid.UUID, draft: RenewalDraft) -> Credential:
    """The paper that follows on this one; the earlier stays as it was. The same renewal again changes nothing.

    Raises NotFound, AlreadyRenewed, RevokedPaper, and InvalidValue for days that do not follow on.
    """
    query = sa.select(Credential).where(Credential.id == credential_id).with_for_update()
    earlier = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if earlier is None:
        raise NotFound(what="credential", id=credential_id)
    terms = _following(earlier, draft)
    there = session.scalar(sa.select(Credential).where(Credential.renews_id == earlier.id))
    if there is not None:
        if all(getattr(there, name) == value for name, value in terms.items()):
            return there
        raise AlreadyRenewed(external_id=there.external_id)
    if earlier.revoked_at is not None:
        raise RevokedPaper()
    renewed = Credential(org_id=earlier.org_id, renews_id=earlier.id, **terms)
    session.add(renewed)
    session.flush()
    return renewed


def _following(earlier: Credential, draft: RenewalDraft) -> dict[str, object]:
    valid_from = draft.valid_from or earlier.valid_until + ONE_DAY
    if valid_from <= earlier.valid_from:
        raise InvalidValue(path="valid_from", reason="must be later than the first day of the paper it follows on")
    if draft.valid_until < valid_from:
        raise InvalidValue(path="valid_until", reason="must not be earlier than the first day")
    if draft.valid_until <= earlier.valid_until:
        raise InvalidValue(path="valid_until", reason="must be later than the last day of the paper it follows on")
    return {
        "external_id": draft.external_id,
        "visitor_id": earlier.visitor_id,
        "kind": earlier.kind,
        "number": draft.number or earlier.number,
        "issuer": draft.issuer or earlier.issuer,
        "valid_from": valid_from,
        "valid_until": draft.valid_until,
        "for_org_id": earlier.for_org_id,
        "for_case_id": earlier.for_case_id,
    }


def repeats_of(session: Session, today: dt.date) -> dict[CredentialKind, int]:
    """For each kind of paper that has to be repeated, after how many months at the latest: by the policies of the
    acting organisation and of the lenders whose cases are placed with it."""
    us = acting_organisation(session)
    lenders = sa.select(Placement.org_id).where(Placement.agency_id == us.id, in_force(today)).distinct()
    policies = policies_of(organisations_by_id(session, [us.id, *session.scalars(lenders)]).values())
    found: dict[CredentialKind, int] = {}
    for policy in _in_force(policies, today):
        for rule in on_date(policy, today).training:
            if rule.repeat_months is not None and rule.binds:
                found[rule.certificate] = min(rule.repeat_months, found.get(rule.certificate, rule.repeat_months))
    return found


def _in_force(policies: Iterable[Policy], today: dt.date) -> Iterable[Policy]:
    """Those in force on the day, wherever they apply; of several versions of one, the latest."""
    found: dict[str, Policy] = {}
    for policy in sorted(policies, key=lambda policy: (policy.id, policy.version)):
        over = policy.effective_to is not None and policy.effective_to < today
        if policy.status is PolicyStatus.IN_FORCE and policy.effective_from <= today and not over:
            found[policy.id] = policy
    return found.values()


def due_on(paper: Credential, repeats: Mapping[CredentialKind, int]) -> dt.date:
    """The last day on which the paper holds."""
    months = repeats.get(paper.kind)
    if months is None:
        return paper.valid_until
    return min(paper.valid_until, Duration(months=months).after(paper.valid_from) - ONE_DAY)


def step_of(days_left: int) -> int | None:
    """Which reminder it is time for, so many days before a paper is due; None: none yet, or too late for any."""
    return next((step for step in DAYS_BEFORE if 0 <= days_left <= step), None)


def raise_reminders(session: Session, now: dt.datetime, today: dt.date) -> int:
    """Remind the holder and the office of every paper that is due soon and has no successor; how many were raised.

    A day on which nobody looked leaves out no reminder but the one that is overtaken by a nearer.
    """
    repeats = repeats_of(session, today)
    rows = [
        {
            "org_id": paper.org_id,
            "credential_id": paper.id,
            "visitor_id": paper.visitor_id,
            "due_on": due,
            "days_before": step,
            "recipient": recipient,
            "raised_at": now,
        }
        for paper, due in _running_out(session, repeats, today)
        if (step := step_of((due - today).days)) is not None
        for recipient in ReminderRecipient
    ]
    if not rows:
        return 0
    made = insert(CredentialReminder).on_conflict_do_nothing().returning(CredentialReminder.id)
    return len(session.scalars(made, rows).all())


def _running_out(
    session: Session, repeats: Mapping[CredentialKind, int], today: dt.date
) -> Iterator[tuple[Credential, dt.date]]:
    """The papers of those who go out, with when each is due; neither those taken back nor those with a successor."""
    soon = today + dt.timedelta(days=max(DAYS_BEFORE))
    later = aliased(Credential)
    successor = (
        sa.select(later.id)
        .where(
            later.visitor_id == Credential.visitor_id,
            later.kind == Credential.kind,
            later.for_org_id.is_not_distinct_from(Credential.for_org_id),
            later.for_case_id.is_not_distinct_from(Credential.for_case_id),
            later.revoked_at.is_(None),
            later.valid_from > Credential.valid_from,
            later.valid_until > Credential.valid_until,
        )
        .exists()
    )
    papers = session.scalars(
        sa.select(Credential)
        .join(Visitor, Visitor.id == Credential.visitor_id)
        .where(
            Visitor.active,
            Credential.revoked_at.is_(None),
            Credential.valid_until >= today,
            sa.or_(Credential.valid_until <= soon, Credential.kind.in_(repeats)),
            sa.not_(successor),
        )
        .order_by(Credential.valid_until, Credential.id)
    )
    for paper in papers:
        yield paper, due_on(paper, repeats)


def reminders() -> sa.Select[CredentialReminder]:
    """Every reminder that one may see; the caller states the order."""
    return sa.select(CredentialReminder)


def standing_reminders(session: Session, visitor_id: uuid.UUID, today: dt.date) -> Sequence[CredentialReminder]:
    """What the holder is still to be told: of papers that hold, and that nothing follows on; the nearest first."""
    repeats = repeats_of(session, today)
    due = {paper.id: on for paper, on in _running_out(session, repeats, today) if paper.visitor_id == visitor_id}
    rows = session.scalars(
        sa.select(CredentialReminder)
        .where(
            CredentialReminder.visitor_id == visitor_id,
            CredentialReminder.recipient == ReminderRecipient.HOLDER,
            CredentialReminder.credential_id.in_(due),
        )
        .order_by(CredentialReminder.due_on, CredentialReminder.days_before)
    ).all()
    # The nearest of a paper says it all, and one of dates that were changed since says nothing.
    nearest = {row.credential_id: row for row in reversed(rows) if row.due_on == due[row.credential_id]}
    return [row for row in rows if nearest.get(row.credential_id) is row]


def note_seen(
    session: Session, reminder_id: uuid.UUID, *, account_id: uuid.UUID, now: dt.datetime
) -> CredentialReminder:
    """Somebody takes care of it. Doing it again changes nothing. Raises NotFound."""
    row = get_by_id(session, CredentialReminder, reminder_id)
    if row.seen_at is None:
        row.seen_at, row.seen_by_id = now, account_id
        session.flush()
    return row
