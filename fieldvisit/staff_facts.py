"""Who would stand at a door, as the engine is to know them: rows in, `fieldvisit.compliance` values out."""

import uuid
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.facts import CredentialFact, StaffFact
from fieldvisit.models import Credential, Visitor


def staff_facts(session: Session, visitor_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, StaffFact]:
    """Each visitor with every credential on file, valid or not, and whether they still go out: whether a paper holds is
    the engine's to say."""
    ids = list(visitor_ids)
    rows = session.scalars(sa.select(Credential).where(Credential.visitor_id.in_(ids)).order_by(Credential.id))
    people = {
        row.id: row
        for row in session.execute(sa.select(Visitor.id, Visitor.skills, Visitor.active).where(Visitor.id.in_(ids)))
    }
    papers: dict[uuid.UUID, list[CredentialFact]] = {visitor_id: [] for visitor_id in ids}
    for row in rows:
        papers[row.visitor_id].append(
            CredentialFact(
                id=str(row.id),
                kind=row.kind,
                valid_from=row.valid_from,
                valid_until=row.valid_until,
                for_organisation_id=str(row.for_org_id) if row.for_org_id else None,
                for_case_id=str(row.for_case_id) if row.for_case_id else None,
                issuer=row.issuer,
                revoked=row.revoked_at is not None,
            )
        )
    return {
        visitor_id: StaffFact(
            visitor_id=str(visitor_id),
            credentials=tuple(papers[visitor_id]),
            skills=frozenset(people[visitor_id].skills if visitor_id in people else ()),
            active=visitor_id not in people or people[visitor_id].active,
        )
        for visitor_id in ids
    }
