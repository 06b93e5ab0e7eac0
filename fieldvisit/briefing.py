"""What a visitor must know of a visit before the door, and what may be known only behind it.

The amounts and the product are told once somebody is at the door and has confirmed there that this is the debtor. Of a
visit that was cancelled, or whose case was taken back, nothing is told but that.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.wallclock import local_day
from fieldvisit.credentials import paper_fault, wanted_kinds
from fieldvisit.datums import Point
from fieldvisit.decisions import organisations_by_id
from fieldvisit.guide import GuideSection, guide_for
from fieldvisit.languages import Message
from fieldvisit.models import Case, Credential, IdentityCheck, Organisation, Visit
from fieldvisit.visits import CancelReason, why_cancelled
from fieldvisit.vocabulary import BlockTrigger, CaseStage, CredentialKind, IdentityResult, PlaceKind, VisitState


@dataclass(frozen=True, kw_only=True)
class Amounts:
    """Minor units of `currency`, as of `as_of_on`."""

    product: str
    currency: str
    principal_minor: int
    interest_minor: int
    fees_minor: int
    total_minor: int
    as_of_on: dt.date
    due_on: dt.date
    days_past_due: int


@dataclass(frozen=True, kw_only=True)
class ToShow:
    """One paper that the policy wants shown: any of the kinds will do. `credential_id` is one that holds today."""

    kinds: tuple[CredentialKind, ...]
    credential_id: uuid.UUID | None

    @property
    def words(self) -> Message:
        """The kinds side by side."""
        names = [f"kind_{place}" for place in range(len(self.kinds))]
        text = " / ".join(f"{{{name}}}" for name in names)
        return Message(text, dict(zip(names, self.kinds, strict=True)))


@dataclass(frozen=True, kw_only=True)
class Briefing:
    """`languages` are the debtor's, as tags; `skills` what the visit asks of the crew. `amounts` None: not yet."""

    debtor_name: str
    address: str
    place_kind: PlaceKind
    point: Point | None
    stage: CaseStage
    skills: tuple[str, ...]
    languages: tuple[str, ...]
    to_show: tuple[ToShow, ...]
    guide: tuple[GuideSection, ...]
    emergency_number: str
    debtor_phone: str | None
    """The number that the debtor may call about this visit."""
    amounts: Amounts | None


@dataclass(frozen=True, kw_only=True)
class VisitCard:
    """A visit as its crew sees it. `briefing` None: it was cancelled, for the reason that is given."""

    visit_id: uuid.UUID
    reference: str
    state: VisitState
    service_s: int
    cancelled: BlockTrigger | CancelReason | None
    briefing: Briefing | None


def cards_of(
    session: Session, visits: Sequence[Visit], visitor_id: uuid.UUID, *, now: dt.datetime
) -> dict[uuid.UUID, VisitCard]:
    """The card of each visit, for this visitor. Three queries, whatever the number of visits."""
    told = [visit for visit in visits if gone(visit) is None]
    confirmed = _confirmed(session, told)
    organisations = organisations_by_id(session, {id_ for visit in told for id_ in (visit.org_id, visit.lender_id)})
    papers = session.scalars(
        sa.select(Credential).where(Credential.visitor_id == visitor_id).order_by(Credential.valid_until.desc())
    ).all()
    briefings = {
        visit.id: _briefing(visit, organisations, papers, confirmed=visit.id in confirmed, now=now) for visit in told
    }
    return {
        visit.id: VisitCard(
            visit_id=visit.id,
            reference=visit.reference,
            state=visit.state,
            service_s=visit.service_s,
            cancelled=gone(visit),
            briefing=briefings.get(visit.id),
        )
        for visit in visits
    }


def gone(visit: Visit) -> BlockTrigger | CancelReason | None:
    """Why nobody is to go there any more; None where the visit stands."""
    if visit.state is VisitState.CANCELLED:
        return why_cancelled(visit)
    # The rows of a case that was called back are no longer there for us.
    known: Case | None = visit.case
    return CancelReason.PLACEMENT_ENDED if known is None else None


def _briefing(
    visit: Visit,
    organisations: Mapping[uuid.UUID, Organisation],
    papers: Sequence[Credential],
    *,
    confirmed: bool,
    now: dt.datetime,
) -> Briefing:
    case, debtor, place = visit.case, visit.debtor, visit.place
    organisation = organisations[visit.org_id]
    day = visit.planned_on or local_day(now, place.zone)
    return Briefing(
        debtor_name=debtor.name,
        address=place.address,
        place_kind=place.kind,
        point=None if place.lat is None or place.lon is None else Point(place.lat, place.lon),
        stage=case.stage,
        skills=tuple(visit.requires),
        languages=(debtor.language,) if debtor.language else (),
        to_show=tuple(_to_show(kinds, papers, visit, day) for kinds in wanted_kinds(organisations, visit, day)),
        guide=guide_for(case.stage, reason_known=case.reason_for_arrears is not None),
        emergency_number=organisation.emergency_number,
        debtor_phone=organisation.debtor_phone,
        amounts=_amounts(case) if confirmed and visit.arrived_at is not None else None,
    )


def _to_show(kinds: frozenset[CredentialKind], papers: Sequence[Credential], visit: Visit, day: dt.date) -> ToShow:
    held = (paper.id for paper in papers if paper.kind in kinds and paper_fault(paper, visit, day) is None)
    return ToShow(kinds=tuple(sorted(kinds)), credential_id=next(held, None))


def _amounts(case: Case) -> Amounts:
    return Amounts(
        product=case.product,
        currency=case.currency,
        principal_minor=case.principal_minor,
        interest_minor=case.interest_minor,
        fees_minor=case.fees_minor,
        total_minor=case.total_minor,
        as_of_on=case.as_of_on,
        due_on=case.due_on,
        days_past_due=case.days_past_due,
    )


def _confirmed(session: Session, visits: Sequence[Visit]) -> set[uuid.UUID]:
    return set(
        session.scalars(
            sa.select(IdentityCheck.visit_id).where(
                IdentityCheck.visit_id.in_([visit.id for visit in visits]),
                IdentityCheck.result == IdentityResult.CONFIRMED,
            )
        )
    )
