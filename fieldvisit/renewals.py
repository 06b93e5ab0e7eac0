"""Papers run out: what follows on one, and from when it has to.

A paper is due on the last day on which it holds: the last of its dates, or for a training the last day before a policy
wants it repeated, whichever is earlier. Which kinds repeat, and after how many months, is said by the policies
(`repeat_months` of their training rules), not here.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.durations import Duration
from fieldvisit.compliance.parameters import PolicyStatus
from fieldvisit.compliance.policy import Policy, on_date
from fieldvisit.compliance.wallclock import ONE_DAY
from fieldvisit.decisions import organisations_by_id
from fieldvisit.drafts import LONGEST_ID, acting_organisation, check_text
from fieldvisit.errors import FieldVisitError, InvalidValue, Kind, NotFound
from fieldvisit.models import Credential, Placement
from fieldvisit.placements import in_force
from fieldvisit.policies import policies_of
from fieldvisit.vocabulary import CredentialKind


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
    return repeats_for(session, acting_organisation(session).id, today)


def repeats_for(session: Session, org_id: uuid.UUID, today: dt.date) -> dict[CredentialKind, int]:
    """The same for that organisation, whoever asks."""
    lenders = sa.select(Placement.org_id).where(Placement.agency_id == org_id, in_force(today)).distinct()
    policies = policies_of(organisations_by_id(session, [org_id, *session.scalars(lenders)]).values())
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
