"""Papers: what a visitor carries, and what was shown at a door."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.merging import terms_for
from fieldvisit.compliance.parameters import HeldBy
from fieldvisit.compliance.wallclock import local_day
from fieldvisit.decisions import organisations_by_id
from fieldvisit.errors import NotFound
from fieldvisit.facts import place_facts
from fieldvisit.ids import new_id
from fieldvisit.models import Credential, CredentialCheck, Organisation, Visit
from fieldvisit.policies import policies_of
from fieldvisit.together import together, write
from fieldvisit.vocabulary import CheckMoment, CredentialKind


class PaperFault(StrEnum):
    """What is wrong with one paper, for one visit, on one day."""

    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    FOR_ANOTHER = "for_another"


def papers_of(session: Session, visitor_id: uuid.UUID) -> Sequence[Credential]:
    """Every paper on file, valid or not, the one that runs out first at the top."""
    return session.scalars(
        sa.select(Credential).where(Credential.visitor_id == visitor_id).order_by(Credential.valid_until, Credential.id)
    ).all()


def paper_fault(paper: Credential, visit: Visit, day: dt.date) -> PaperFault | None:
    """What keeps this paper from holding for the visit on the local date; None where it holds."""
    if paper.revoked_at is not None:
        return PaperFault.REVOKED
    if day < paper.valid_from:
        return PaperFault.NOT_YET_VALID
    if day > paper.valid_until:
        return PaperFault.EXPIRED
    for_us = paper.for_org_id in (None, visit.lender_id) and paper.for_case_id in (None, visit.case_id)
    return None if for_us else PaperFault.FOR_ANOTHER


def check_shown(
    session: Session, visit: Visit, visitor_id: uuid.UUID, credential_ids: Sequence[uuid.UUID], *, now: dt.datetime
) -> CredentialCheck:
    """Store which papers a visitor showed at the door, and what was wrong with them.

    `faults` holds a `PaperFault` by credential id, and under ``missing`` each set of kinds of which the policy wants
    one and no good one was shown. Raises NotFound for a paper that is not this visitor's.
    """
    gathered = together(session)
    known = gathered.papers.get(visitor_id) if gathered else None
    papers = {paper.id: paper for paper in (papers_of(session, visitor_id) if known is None else known)}
    for credential_id in credential_ids:
        if credential_id not in papers:
            raise NotFound(what="credential", id=credential_id)
    day = local_day(now, visit.place.zone)
    shown = [papers[credential_id] for credential_id in dict.fromkeys(credential_ids)]
    faults = {str(paper.id): fault.value for paper in shown if (fault := paper_fault(paper, visit, day))}
    good = {paper.kind for paper in shown if str(paper.id) not in faults}
    wanted = wanted_kinds(organisations_by_id(session, (visit.org_id, visit.lender_id)), visit, day)
    missing = [sorted(kind.value for kind in kinds) for kinds in wanted if not kinds & good]
    check = CredentialCheck(
        id=new_id(),
        org_id=visit.org_id,
        visitor_id=visitor_id,
        visit_id=visit.id,
        moment=CheckMoment.DOOR,
        at=now,
        passed=not faults and not missing,
        credential_ids=[paper.id for paper in shown],
        faults=faults | ({"missing": missing} if missing else {}),
    )
    write(session, check)
    return check


def wanted_kinds(
    organisations: Mapping[uuid.UUID, Organisation], visit: Visit, day: dt.date
) -> tuple[frozenset[CredentialKind], ...]:
    """What everybody at the door must show on the local date: of each set of kinds, one paper."""
    policies = policies_of((organisations[visit.org_id], organisations[visit.lender_id]))
    terms = terms_for(policies, place_facts(visit.place), day)
    rules = terms.credentials if terms else ()
    return tuple(rule.any_of for rule in rules if rule.held_by is HeldBy.EACH)
