"""What is known of a visit when a question about it is asked: rows in, `fieldvisit.compliance` values out.

Asked for many visits at once: one query a table, whatever their number. The rows carry the session's organisation
scope, with one exception: contacts and live visits (`fieldvisit.contact_facts`).
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.facts import (
    AgencyReviewFact,
    AttemptFact,
    BlockFact,
    ConsentAbout,
    ConsentFact,
    ConsentForm,
    DebtorTime,
    Facts,
    KnownPlaceFact,
    LocalTimes,
    OverrideFact,
    PlaceFacts,
    PlannedVisitFact,
    Scope,
    WishKind,
)
from fieldvisit.compliance.parameters import CollectorRole, ConsentContent, Party
from fieldvisit.compliance.wallclock import WEEK, Day
from fieldvisit.contact_facts import LOOKS_BACK, attempts_of, planned_visits_of
from fieldvisit.models import (
    Case,
    Consent,
    ContactBlock,
    ContactPoint,
    Notice,
    Override,
    Place,
    Visit,
    Wish,
)
from fieldvisit.notice_facts import notice_facts, notices_of
from fieldvisit.review_facts import Pair, review_facts
from fieldvisit.vocabulary import ContactPointKind, PlaceKind


@dataclass(frozen=True)
class Subject:
    """One case at one place: what a question is about. The visit may not exist yet; `org_id` goes, None: who asks."""

    case: Case
    place: Place
    visit_id: uuid.UUID | None = None
    org_id: uuid.UUID | None = None


def subject_of(visit: Visit) -> Subject:
    return Subject(visit.case, visit.place, visit.id, visit.org_id)


@dataclass(frozen=True)
class _Read:
    """What was read of all subjects together, by the id of the debtor unless it says otherwise."""

    attempts: Mapping[uuid.UUID, Sequence[AttemptFact]]
    blocks: Mapping[uuid.UUID, Sequence[BlockFact]]
    consents: Mapping[uuid.UUID, Sequence[ConsentFact]]
    wishes: Mapping[uuid.UUID, Sequence[DebtorTime]]
    numbers: Mapping[uuid.UUID, Sequence[str]]
    planned: Mapping[uuid.UUID, Sequence[PlannedVisitFact]]
    places: Mapping[uuid.UUID, Sequence[Place]]
    notices: Mapping[uuid.UUID, Sequence[Notice]]
    """By case."""
    overrides: Mapping[str, Sequence[OverrideFact]]
    """By visit."""
    reviews: Mapping[Pair, tuple[AgencyReviewFact, ...]]
    """By lender and agency."""


def facts_of(session: Session, subjects: Sequence[Subject], now: dt.datetime) -> list[Facts]:
    """The facts of each subject, in the order given. `now` bounds how far back attempts are read."""
    whose = [replace(subject, org_id=subject.org_id or session.info.get("org")) for subject in subjects]
    read = _read(session, whose, now)
    return [_facts(read, subject, now) for subject in whose]


def _read(session: Session, subjects: Sequence[Subject], now: dt.datetime) -> _Read:
    debtor_ids = {subject.case.debtor_id for subject in subjects}
    return _Read(
        attempts=attempts_of(session, debtor_ids, since=now - LOOKS_BACK),
        blocks=_blocks(session, debtor_ids),
        consents=_consents(session, debtor_ids),
        wishes=_wishes(session, debtor_ids),
        numbers=_numbers(session, debtor_ids),
        planned=planned_visits_of(session, debtor_ids),
        places=_known_places(session, debtor_ids),
        notices=notices_of(session, {subject.case.id for subject in subjects}),
        overrides=_overrides(session, {subject.visit_id for subject in subjects if subject.visit_id is not None}),
        reviews=review_facts(session, {(each.case.org_id, each.org_id) for each in subjects if each.org_id}),
    )


def _facts(read: _Read, subject: Subject, now: dt.datetime) -> Facts:
    case, debtor_id, goes = subject.case, subject.case.debtor_id, subject.org_id
    own = str(subject.visit_id)
    places = read.places.get(debtor_id, ())
    planned = read.planned.get(debtor_id, ())
    return Facts(
        place=place_facts(subject.place),
        case_id=str(case.id),
        creditor_id=str(case.org_id),
        scope=_scope(subject, places),
        candidate_zones=tuple(sorted({place.zone for place in places})),
        known_places=tuple(known_place(place) for place in places),
        days_past_due=case.days_past_due,
        past_due_as_of=case.as_of_on,
        number_ids=tuple(read.numbers.get(debtor_id, ())),
        attempts=tuple(fact for fact in read.attempts.get(debtor_id, ()) if fact.id != own),
        blocks=tuple(read.blocks.get(debtor_id, ())),
        consents=tuple(read.consents.get(debtor_id, ())),
        debtor_times=tuple(read.wishes.get(debtor_id, ())),
        planned_visits=tuple(fact for fact in planned if fact.visit_id != own),
        overrides=tuple(read.overrides.get(own, ())),
        notices=notice_facts(read.notices.get(case.id, ()), subject.visit_id, goes, now),
        agency_reviews=read.reviews.get((case.org_id, goes), ()) if goes else (),
    )


def known_by(facts: Facts, now: dt.datetime) -> Facts:
    """The same facts for a question that is asked at `now`: attempts are read no further back than that."""
    return replace(facts, attempts=tuple(fact for fact in facts.attempts if fact.at >= now - LOOKS_BACK))


def place_facts(place: Place) -> PlaceFacts:
    return PlaceFacts(id=str(place.id), kind=place.kind, zone=place.zone, country=place.country, region=place.region)


def known_place(place: Place) -> KnownPlaceFact:
    return KnownPlaceFact(id=str(place.id), kind=place.kind)


def _scope(subject: Subject, places: Sequence[Place]) -> Scope:
    case = subject.case
    return Scope(
        role=_role(subject.org_id, case),
        product=case.product,
        party=Party(case.debtor.party),
        home=_home(places, subject.place),
    )


def scope_of(visit: Visit) -> Scope:
    """The same for a visit, as far as the visit alone says it: not where else the debtor lives."""
    case = visit.case
    return Scope(role=_role(visit.org_id, case), product=case.product, party=Party(visit.debtor.party))


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
