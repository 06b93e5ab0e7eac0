"""What is known of a visit when a question about it is asked: rows in, `fieldvisit.compliance` values out.

Asked for many visits at once: one query a table, whatever their number. The rows carry the session's organisation
scope, with one exception: the contacts and live visits of a debtor who may be seen count whoever made them, so those
are told across organisations, as ids, times and codes (migration `0004_across_organisations`).
"""

import dataclasses
import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.facts import (
    AttemptFact,
    BlockFact,
    ConsentAbout,
    ConsentFact,
    ConsentForm,
    CredentialFact,
    DebtorTime,
    Facts,
    KnownPlaceFact,
    LocalTimes,
    OverrideFact,
    PlaceFacts,
    PlannedVisitFact,
    Scope,
    StaffFact,
    WishKind,
)
from fieldvisit.compliance.parameters import CollectorRole, ConsentContent, Party
from fieldvisit.compliance.wallclock import WEEK, Day
from fieldvisit.models import (
    Case,
    Consent,
    ContactAttempt,
    ContactBlock,
    ContactPoint,
    Credential,
    Override,
    Place,
    Visit,
    Visitor,
    Wish,
)
from fieldvisit.notice_facts import notice_facts, notices_of
from fieldvisit.vocabulary import ContactPointKind, PlaceKind, VisitState

LOOKS_BACK = dt.timedelta(days=400)
"""How far back attempts are read. No rule of a preset looks further than a year."""

RESERVING = (VisitState.PLANNED, VisitState.PUBLISHED, VisitState.UNDER_WAY, VisitState.ARRIVED)
"""States in which a visit holds the cap slot of its day."""


@dataclass(frozen=True)
class Subject:
    """One case at one place: what a question is about. The visit may not exist yet; `org_id` goes, None: who asks."""

    case: Case
    place: Place
    visit_id: uuid.UUID | None = None
    org_id: uuid.UUID | None = None


def subject_of(visit: Visit) -> Subject:
    return Subject(visit.case, visit.place, visit.id, visit.org_id)


def facts_of(session: Session, subjects: Sequence[Subject], now: dt.datetime) -> list[Facts]:
    """The facts of each subject, in the order given. `now` bounds how far back attempts are read."""
    debtor_ids = {subject.case.debtor_id for subject in subjects}
    attempts = attempts_of(session, debtor_ids, since=now - LOOKS_BACK)
    blocks = _blocks(session, debtor_ids)
    consents = _consents(session, debtor_ids)
    wishes = _wishes(session, debtor_ids)
    numbers = _numbers(session, debtor_ids)
    planned = _planned(session, debtor_ids)
    places = _known_places(session, debtor_ids)
    notices = notices_of(session, {subject.case.id for subject in subjects})
    overrides = _overrides(session, {subject.visit_id for subject in subjects if subject.visit_id is not None})
    found = []
    for subject in subjects:
        debtor_id = subject.case.debtor_id
        goes = subject.org_id or session.info.get("org")
        others = [fact for fact in planned[debtor_id] if fact.visit_id != str(subject.visit_id)]
        found.append(
            Facts(
                place=place_facts(subject.place),
                case_id=str(subject.case.id),
                creditor_id=str(subject.case.org_id),
                scope=Scope(
                    role=_role(goes, subject.case),
                    product=subject.case.product,
                    party=Party(subject.case.debtor.party),
                    home=_home(places[debtor_id], subject.place),
                ),
                candidate_zones=tuple(sorted({place.zone for place in places[debtor_id]})),
                known_places=tuple(known_place(place) for place in places[debtor_id]),
                days_past_due=subject.case.days_past_due,
                past_due_as_of=subject.case.as_of_on,
                number_ids=tuple(numbers[debtor_id]),
                attempts=tuple(attempts.get(debtor_id, ())),
                blocks=tuple(blocks[debtor_id]),
                consents=tuple(consents[debtor_id]),
                debtor_times=tuple(wishes[debtor_id]),
                planned_visits=tuple(others),
                overrides=tuple(overrides[str(subject.visit_id)]),
                notices=notice_facts(notices[subject.case.id], subject.visit_id, goes, now),
            )
        )
    return found


def known_by(facts: Facts, now: dt.datetime) -> Facts:
    """The same facts for a question that is asked at `now`: attempts are read no further back than that."""
    return dataclasses.replace(facts, attempts=tuple(fact for fact in facts.attempts if fact.at >= now - LOOKS_BACK))


def attempts_of(
    session: Session, debtor_ids: Collection[uuid.UUID], since: dt.datetime
) -> dict[uuid.UUID, list[AttemptFact]]:
    """The attempts on each debtor who may be seen since then, whoever made them, on whichever case, and the notices
    that were sent to them, the oldest first."""
    attempt = ContactAttempt
    told = (
        attempt.debtor_id,
        attempt.id,
        attempt.at,
        attempt.channel,
        attempt.result,
        attempt.detail,
        attempt.contact_point_id,
        attempt.case_id,
        sa.column("notice", sa.Boolean()),
    )
    contacts = sa.func.debtor_contacts(_ids(debtor_ids), since).table_valued(
        *(sa.column(column.key, column.type) for column in told)
    )
    rows = session.execute(sa.select(contacts).order_by(contacts.c.at, contacts.c.id))
    found: dict[uuid.UUID, list[AttemptFact]] = defaultdict(list)
    for row in rows:
        fact = AttemptFact(
            id=str(row.id),
            at=row.at,
            channel=row.channel,
            result=row.result,
            detail=row.detail,
            contact_point_id=str(row.contact_point_id) if row.contact_point_id else None,
            case_id=str(row.case_id),
            notice=row.notice,
        )
        found[row.debtor_id].append(fact)
    return found


def staff_facts(session: Session, visitor_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, StaffFact]:
    """Each visitor with every credential on file, valid or not: whether one holds is the engine's to say."""
    ids = list(visitor_ids)
    rows = session.scalars(sa.select(Credential).where(Credential.visitor_id.in_(ids)).order_by(Credential.id))
    skills = {
        row.id: row.skills for row in session.execute(sa.select(Visitor.id, Visitor.skills).where(Visitor.id.in_(ids)))
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
            skills=frozenset(skills.get(visitor_id, ())),
        )
        for visitor_id in ids
    }


def place_facts(place: Place) -> PlaceFacts:
    return PlaceFacts(id=str(place.id), kind=place.kind, zone=place.zone, country=place.country, region=place.region)


def known_place(place: Place) -> KnownPlaceFact:
    return KnownPlaceFact(id=str(place.id), kind=place.kind)


def _role(org_id: uuid.UUID | None, case: Case) -> CollectorRole | None:
    if org_id is None:
        return None
    return CollectorRole.FIRST_PARTY if case.org_id == org_id else CollectorRole.THIRD_PARTY


def _home(places: Sequence[Place], visited: Place) -> PlaceFacts | None:
    """Where the debtor lives, if that is another place than the one visited."""
    homes = [place for place in places if place.kind is PlaceKind.HOME]
    if visited.kind is PlaceKind.HOME or not homes:
        return None
    return place_facts(homes[0])


def _known_places(session: Session, debtor_ids: set[uuid.UUID]) -> dict[uuid.UUID, list[Place]]:
    found: dict[uuid.UUID, list[Place]] = defaultdict(list)
    for place in session.scalars(sa.select(Place).where(Place.debtor_id.in_(debtor_ids)).order_by(Place.id)):
        found[place.debtor_id].append(place)
    return found


def _blocks(session: Session, debtor_ids: set[uuid.UUID]) -> dict[uuid.UUID, list[BlockFact]]:
    rows = session.scalars(
        sa.select(ContactBlock).where(ContactBlock.debtor_id.in_(debtor_ids)).order_by(ContactBlock.id)
    )
    found: dict[uuid.UUID, list[BlockFact]] = defaultdict(list)
    for row in rows:
        ends = [at for at in (row.until_at, row.lifted_at) if at is not None]
        found[row.debtor_id].append(
            BlockFact(
                id=str(row.id),
                trigger=row.trigger,
                scope=row.scope,
                since=row.since_at,
                until=min(ends, default=None),
                channel=row.channel,
                place_id=str(row.place_id) if row.place_id else None,
                case_id=str(row.case_id) if row.case_id else None,
                form=ConsentForm(row.form),
                renewals=row.renewals,
                lifted=row.lifted_at is not None,
            )
        )
    return found


def _consents(session: Session, debtor_ids: set[uuid.UUID]) -> dict[uuid.UUID, list[ConsentFact]]:
    rows = session.scalars(sa.select(Consent).where(Consent.debtor_id.in_(debtor_ids)).order_by(Consent.id))
    found: dict[uuid.UUID, list[ConsentFact]] = defaultdict(list)
    for row in rows:
        found[row.debtor_id].append(
            ConsentFact(
                id=str(row.id),
                given_at=row.given_at,
                revoked_at=row.revoked_at,
                form=ConsentForm(row.form),
                place_id=str(row.place_id) if row.place_id else None,
                visit_id=str(row.visit_id) if row.visit_id else None,
                times=_agreed_times(row),
                about=ConsentAbout(row.about),
                contents=frozenset(ConsentContent(each) for each in row.contents),
            )
        )
    return found


def _agreed_times(row: Consent) -> LocalTimes | None:
    if row.from_time is None and not row.days and row.starts_on is None and row.ends_on is None:
        return None
    return LocalTimes(
        weekdays=frozenset(Day(name) for name in row.days) or frozenset(WEEK),
        from_time=row.from_time,
        until_time=row.until_time,
        from_on=row.starts_on,
        until_on=row.ends_on,
    )


def _overrides(session: Session, visit_ids: set[uuid.UUID]) -> dict[str, list[OverrideFact]]:
    """The overrides that count, by visit: not revoked, and confirmed where a second person is asked for."""
    rows = session.scalars(
        sa.select(Override)
        .where(
            Override.visit_id.in_(visit_ids),
            Override.revoked_at.is_(None),
            sa.or_(sa.not_(Override.needs_second), Override.confirmed_at.is_not(None)),
        )
        .order_by(Override.id)
    )
    found: dict[str, list[OverrideFact]] = defaultdict(list)
    for row in rows:
        found[str(row.visit_id)].append(OverrideFact(id=str(row.id), clause_id=row.clause_id, on_day=row.on_day))
    return found


def _wishes(session: Session, debtor_ids: set[uuid.UUID]) -> dict[uuid.UUID, list[DebtorTime]]:
    rows = session.scalars(sa.select(Wish).where(Wish.debtor_id.in_(debtor_ids)).order_by(Wish.id))
    found: dict[uuid.UUID, list[DebtorTime]] = defaultdict(list)
    for row in rows:
        found[row.debtor_id].append(
            DebtorTime(
                id=str(row.id),
                kind=WishKind.ONLY if row.only else WishKind.AVOID,
                stated_at=row.stated_at,
                times=LocalTimes(
                    weekdays=frozenset(Day(name) for name in row.days),
                    from_time=row.from_time,
                    until_time=row.until_time,
                    from_on=row.starts_on,
                    until_on=row.ends_on,
                ),
            )
        )
    return found


def _numbers(session: Session, debtor_ids: set[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    rows = session.execute(
        sa.select(ContactPoint.debtor_id, ContactPoint.id)
        .where(ContactPoint.debtor_id.in_(debtor_ids), ContactPoint.kind == ContactPointKind.PHONE)
        .order_by(ContactPoint.id)
    )
    found: dict[uuid.UUID, list[str]] = defaultdict(list)
    for debtor_id, number_id in rows:
        found[debtor_id].append(str(number_id))
    return found


def _planned(session: Session, debtor_ids: set[uuid.UUID]) -> dict[uuid.UUID, list[PlannedVisitFact]]:
    found: dict[uuid.UUID, list[PlannedVisitFact]] = defaultdict(list)
    for row in live_visits_of(session, debtor_ids):
        if row.state in RESERVING and row.planned_on is not None:
            fact = PlannedVisitFact(visit_id=str(row.id), planned_on=row.planned_on, case_id=str(row.case_id))
            found[row.debtor_id].append(fact)
    return found


def live_visits_of(session: Session, debtor_ids: Collection[uuid.UUID]) -> Sequence[sa.Row[Any]]:
    """The live visits to these debtors, whoever makes them: debtor_id, id, case_id, reference, state, planned_on."""
    told = (Visit.debtor_id, Visit.id, Visit.case_id, Visit.reference, Visit.state, Visit.planned_on)
    live = sa.func.debtor_live_visits(_ids(debtor_ids)).table_valued(
        *(sa.column(column.key, column.type) for column in told)
    )
    return session.execute(sa.select(live).order_by(live.c.id)).all()


def _ids(debtor_ids: Collection[uuid.UUID]) -> sa.BindParameter[Any]:
    return sa.bindparam(None, list(debtor_ids), sa.ARRAY(sa.Uuid))
