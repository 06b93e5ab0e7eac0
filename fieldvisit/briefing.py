"""What a visitor must know of a visit before the door, and what may be known only behind it.

The amounts and the product are told once somebody is at the door and has confirmed there that this is the debtor. Of a
visit that was cancelled, or whose case was taken back, nothing is told but that; of one that another crew makes now, or
that is over or not of today, nothing but where it stands.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.wallclock import local_day
from fieldvisit.conduct import ConductLine, conduct_of
from fieldvisit.credentials import paper_fault, wanted_kinds
from fieldvisit.datums import Point
from fieldvisit.decisions import organisations_by_id
from fieldvisit.door_notes import DoorNote, door_note, terms_at
from fieldvisit.field_rules import field_rules
from fieldvisit.guide import GuideSection, guide_for
from fieldvisit.identity import amounts_open
from fieldvisit.languages import Message
from fieldvisit.models import Case, ContactAttempt, Credential, Organisation, Stop, Visit
from fieldvisit.notices.standing import Announced, announcements
from fieldvisit.receipts import forbids_money
from fieldvisit.record_duties import RecordDuty, record_duties
from fieldvisit.stays import longest_stay_s
from fieldvisit.visits import CalledOff, Cancellation, why_cancelled
from fieldvisit.vocabulary import (
    AttemptResult,
    CaseStage,
    Channel,
    CredentialKind,
    PlaceKind,
    ReachedDetail,
    VisitState,
)

MOST_CONTACTS = 5
CONTACTS_SINCE = dt.timedelta(days=180)
"""How far back a briefing looks; older attempts say little, and lie in months that need not be opened."""


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
class LastContact:
    """One try to reach the debtor on this case: on which local day, how, and what came of it. It names nobody."""

    on: dt.date
    channel: Channel
    result: AttemptResult
    detail: ReachedDetail | None


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
    last_contacts: tuple[LastContact, ...]
    """The latest first, `MOST_CONTACTS` of them."""
    emergency_number: str
    debtor_phone: str | None
    """The number that the debtor may call about this visit."""
    announced: Announced | None
    """What the debtor was told of when somebody comes; None: nothing."""
    door_note: DoorNote
    conduct: tuple[ConductLine, ...]
    """What the policies at the place want of whoever stands at the door, in words."""
    record_duties: tuple[RecordDuty, ...]
    """What the report has to say, since the record of the visit has to hold it."""
    longest_stay_s: int | None
    """How long one may stay, in seconds, where a policy gives a number."""
    takes_money: bool
    """Whether money may be taken at this door: by the house, and by every policy at the place."""
    amounts: Amounts | None


@dataclass(frozen=True, kw_only=True)
class VisitCard:
    """A visit as its crew sees it.

    `briefing` None: it was cancelled, for the reason that is given; or another crew makes it now, or it is over, or of
    another day.
    """

    visit_id: uuid.UUID
    reference: str
    state: VisitState
    service_s: int
    cancelled: Cancellation | None
    briefing: Briefing | None


def cards_of(
    session: Session, stops: Sequence[Stop], visitor_id: uuid.UUID, *, now: dt.datetime
) -> dict[uuid.UUID, VisitCard]:
    """The card of each visit at these stops of a visitor's own routes. Six queries, whatever the number of visits."""
    visits = list({stop.visit_id: stop.visit for stop in stops}.values())
    told = list({stop.visit_id: stop.visit for stop in stops if _is_briefed(stop, now)}.values())
    opened = amounts_open(session, told, now=now)
    contacts = _last_contacts(session, told, now)
    organisations = organisations_by_id(session, {id_ for visit in told for id_ in (visit.org_id, visit.lender_id)})
    takes_money = field_rules(session).may_take_money
    announced = announcements(session, {visit.id for visit in told})
    papers = session.scalars(
        sa.select(Credential).where(Credential.visitor_id == visitor_id).order_by(Credential.valid_until.desc())
    ).all()
    briefings = {
        visit.id: _briefing(
            visit,
            organisations,
            papers,
            last_contacts=contacts[visit.case_id],
            announced=announced.get(visit.id),
            amounts=_amounts(visit.case) if visit.id in opened else None,
            takes_money=takes_money,
            now=now,
        )
        for visit in told
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


def gone(visit: Visit) -> Cancellation | None:
    """Why nobody is to go there any more; None where the visit stands."""
    if visit.state is VisitState.CANCELLED:
        return why_cancelled(visit)
    # The rows of a case that was called back are no longer there for us.
    known: Case | None = visit.case
    return CalledOff.PLACEMENT_ENDED if known is None else None


def _is_briefed(stop: Stop, now: dt.datetime) -> bool:
    """Whether those who ride this route are to know the debtor: on the day of the visit, at its place, while it stands
    and is theirs."""
    visit = stop.visit
    if gone(visit) is not None or visit.plan_id != stop.route.plan_id:
        return False
    return visit.state is not VisitState.CLOSED and visit.planned_on == local_day(now, visit.place.zone)


def _briefing(
    visit: Visit,
    organisations: Mapping[uuid.UUID, Organisation],
    papers: Sequence[Credential],
    *,
    last_contacts: Sequence[LastContact],
    announced: Announced | None,
    amounts: Amounts | None,
    takes_money: bool,
    now: dt.datetime,
) -> Briefing:
    case, debtor, place = visit.case, visit.debtor, visit.place
    organisation = organisations[visit.org_id]
    day = visit.planned_on or local_day(now, place.zone)
    terms = terms_at(organisations, visit, day)
    return Briefing(
        debtor_name=debtor.name,
        address=place.address,
        place_kind=place.kind,
        point=None if place.lat is None or place.lon is None else Point(place.lat, place.lon),
        stage=case.stage,
        skills=tuple(visit.requires),
        languages=(debtor.language,) if debtor.language else (),
        to_show=tuple(_to_show(kinds, papers, visit, day) for kinds in wanted_kinds(organisations, visit, day)),
        guide=guide_for(case.stage, reason_known=case.reason_for_arrears is not None, confirmed=amounts is not None),
        emergency_number=organisation.emergency_number,
        debtor_phone=organisation.debtor_phone,
        last_contacts=tuple(last_contacts),
        announced=announced,
        door_note=door_note(terms),
        conduct=conduct_of(terms),
        record_duties=record_duties(terms),
        longest_stay_s=longest_stay_s(terms),
        takes_money=takes_money and not forbids_money(terms),
        amounts=amounts,
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


def _last_contacts(
    session: Session, visits: Collection[Visit], now: dt.datetime
) -> Mapping[uuid.UUID, Sequence[LastContact]]:
    """For each case of these visits the last attempts on it that one may see."""
    attempt = ContactAttempt
    zones = {visit.case_id: visit.place.zone for visit in visits}
    rank = sa.func.row_number().over(partition_by=attempt.case_id, order_by=(attempt.at.desc(), attempt.id.desc()))
    recent = (
        sa.select(attempt.case_id, attempt.at, attempt.channel, attempt.result, attempt.detail, rank.label("rank"))
        .where(
            # The lender and the debtor are not needed to be right: they are what the index begins with.
            attempt.org_id.in_({visit.lender_id for visit in visits}),
            attempt.debtor_id.in_({visit.debtor_id for visit in visits}),
            attempt.case_id.in_(zones),
            attempt.at.between(now - CONTACTS_SINCE, now),
            sa.not_(attempt.withdrawn.expression),
        )
        .subquery()
    )
    rows = session.execute(
        sa.select(recent).where(recent.c.rank <= MOST_CONTACTS).order_by(recent.c.case_id, recent.c.rank)
    )
    found = defaultdict(list)
    for row in rows:
        on = local_day(row.at, zones[row.case_id])
        found[row.case_id].append(LastContact(on=on, channel=row.channel, result=row.result, detail=row.detail))
    return found
