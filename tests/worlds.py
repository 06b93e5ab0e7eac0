"""A small named world: Aurora lends, Pohjola visits for it, Meri owes, Ilta goes out.

A maker is told only what matters.
"""

import datetime as dt
import itertools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for_all
from fieldvisit.models import (
    Area,
    Case,
    ContactAttempt,
    ContactPoint,
    Credential,
    Debtor,
    Organisation,
    Place,
    Placement,
    Shift,
    Visit,
    Visitor,
)
from fieldvisit.vocabulary import (
    AttemptResult,
    CaseStage,
    Channel,
    ContactPointKind,
    CredentialKind,
    CrewSource,
    OrganisationKind,
    PlaceKind,
    PointSource,
    VisitState,
)

TODAY = dt.date(2026, 3, 3)
HELSINKI = (60.1699, 24.9384)
OWN_POLICY = """
id = "contract"
version = 1
title = "A contract"
jurisdiction = "*"
status = "in_force"
effective_from = 2020-01-01
legal_force = "house"
[visits]
id = "contract/visits/1"
allowed = "yes"
source = "a contract"
confidence = "house"
"""
_numbers = itertools.count(1)


@dataclass(frozen=True)
class World:
    """Ids only: each test opens its own session, as the organisation it means."""

    lender: uuid.UUID
    agency: uuid.UUID
    area: uuid.UUID
    stranger: uuid.UUID
    """Another agency, to which nothing is placed."""


def make_world(sessions: sessionmaker[Session]) -> World:
    with acting_for_all(sessions) as session:
        lender = make_organisation(session, code="aurora-lend", kind=OrganisationKind.LENDER)
        agency = make_organisation(session, code="pohjola-field", kind=OrganisationKind.AGENCY)
        stranger = make_organisation(session, code="lansi-field", kind=OrganisationKind.AGENCY)
        area = Area(org_id=agency.id, code="centre", name="Centre", lat=HELSINKI[0], lon=HELSINKI[1], radius_m=5_000)
        session.add(area)
        session.flush()
        return World(lender=lender.id, agency=agency.id, area=area.id, stranger=stranger.id)


def make_organisation(session: Session, *, code: str, kind: OrganisationKind, **given: Any) -> Organisation:
    values = {"name": code.title(), "zone": "Europe/Helsinki", "country": "FI", "policies": ["house"]} | given
    organisation = Organisation(code=code, kind=kind, **values)
    session.add(organisation)
    session.flush()
    return organisation


def make_case(session: Session, world: World, *, placed: bool = True, **given: Any) -> Case:
    """A case with its debtor, a number and a home with a point; placed with the agency unless told otherwise."""
    number = next(_numbers)
    debtor = Debtor(org_id=world.lender, external_id=f"D{number}", name=f"Meri Example {number}", language="fi")
    session.add(debtor)
    session.flush()
    session.add_all(
        [
            ContactPoint(
                org_id=world.lender,
                debtor_id=debtor.id,
                kind=ContactPointKind.PHONE,
                value=f"+35845000{number:04}",
                digest=number.to_bytes(32),
            ),
            Place(
                org_id=world.lender,
                debtor_id=debtor.id,
                kind=PlaceKind.HOME,
                address=f"Aleksanterinkatu {number}, Helsinki",
                digest=number.to_bytes(32),
                lat=HELSINKI[0],
                lon=HELSINKI[1],
                found_by=PointSource.GIVEN,
                zone="Europe/Helsinki",
                country="FI",
            ),
        ]
    )
    values = {
        "product": "instalment_loan",
        "currency": "EUR",
        "principal_minor": 100_000,
        "interest_minor": 5_000,
        "fees_minor": 500,
        "total_minor": 105_500,
        "as_of_on": TODAY,
        "due_on": TODAY - dt.timedelta(days=60),
        "days_past_due": 60,
        "stage": CaseStage.PHONE,
    } | given
    case = Case(org_id=world.lender, external_id=f"C{number}", debtor_id=debtor.id, **values)
    session.add(case)
    session.flush()
    if placed:
        session.add(
            Placement(
                org_id=world.lender,
                case_id=case.id,
                debtor_id=debtor.id,
                agency_id=world.agency,
                from_on=TODAY - dt.timedelta(days=30),
            )
        )
        session.flush()
    return case


def make_attempt(session: Session, case: Case, *, at: dt.datetime, **given: Any) -> ContactAttempt:
    """A call of the lender's that nobody answered, unless told otherwise."""
    (attempt,) = make_attempts(session, case, at=[at], **given)
    return attempt


def make_attempts(session: Session, case: Case, *, at: Sequence[dt.datetime], **given: Any) -> list[ContactAttempt]:
    """The same attempt at each of these instants."""
    for month in {moment.date().replace(day=1) for moment in at}:
        session.execute(sa.select(sa.func.ensure_partition("contact_attempts", month)))
    values = {"channel": Channel.CALL, "made_by_id": case.org_id, "result": AttemptResult.NO_ANSWER} | given
    same = {"org_id": case.org_id, "case_id": case.id, "debtor_id": case.debtor_id}
    attempts = [ContactAttempt(at=moment, **same, **values) for moment in at]
    session.add_all(attempts)
    session.flush()
    return attempts


def make_failed_attempts(session: Session, case: Case, *, before: dt.datetime) -> list[ContactAttempt]:
    """Enough of them, on enough days and day parts, to open a visit under the house policy."""
    hours_ago = (24 * 2, 24 * 3 + 6, 24 * 5, 24 * 8 + 7)
    number = session.scalars(sa.select(ContactPoint.id).where(ContactPoint.debtor_id == case.debtor_id)).one()
    return make_attempts(
        session, case, at=[before - dt.timedelta(hours=hours) for hours in hours_ago], contact_point_id=number
    )


def make_visitor(session: Session, world: World, *, papers: bool = True, **given: Any) -> Visitor:
    """A visitor of the agency, with a valid id card and authorisation letter of the lender unless told otherwise."""
    number = next(_numbers)
    values = {"name": f"Ilta Example {number}", "staff_number": f"{number:05}", "languages": ["fi", "en"]} | given
    visitor = Visitor(org_id=world.agency, external_id=f"V{number}", **values)
    session.add(visitor)
    session.flush()
    if papers:
        for kind in (CredentialKind.ID_CARD, CredentialKind.AUTHORISATION_LETTER):
            session.add(_credential(visitor, kind=kind, for_org_id=world.lender))
        session.flush()
    return visitor


def make_credential(session: Session, visitor: Visitor, *, kind: CredentialKind, **given: Any) -> Credential:
    credential = _credential(visitor, kind=kind, **given)
    session.add(credential)
    session.flush()
    return credential


def _credential(visitor: Visitor, *, kind: CredentialKind, **given: Any) -> Credential:
    number = next(_numbers)
    values = {
        "number": f"N{number}",
        "issuer": "Aurora",
        "valid_from": TODAY - dt.timedelta(days=300),
        "valid_until": TODAY + dt.timedelta(days=60),
    } | given
    return Credential(org_id=visitor.org_id, external_id=f"K{number}", visitor_id=visitor.id, kind=kind, **values)


def make_shift(
    session: Session, visitor: Visitor, *, crew: str | None, lead: bool = True, on: dt.date = TODAY
) -> Shift:
    """Eight hours from 08:30 Helsinki winter time, from the office, without a break."""
    begin = dt.datetime.combine(on, dt.time(6, 30), dt.UTC)
    shift = Shift(
        org_id=visitor.org_id,
        visitor_id=visitor.id,
        works_on=on,
        starts_at=begin,
        ends_at=begin + dt.timedelta(hours=8),
        crew_code=crew,
        crew_by=CrewSource.FILE if crew else None,
        lead=lead,
        from_office=True,
    )
    session.add(shift)
    session.flush()
    return shift


def make_visit(
    session: Session, world: World, case: Case, *, state: VisitState = VisitState.ELIGIBLE, **given: Any
) -> Visit:
    number = next(_numbers)
    place = session.scalars(sa.select(Place).where(Place.debtor_id == case.debtor_id)).one()
    planned_on = None if state in (VisitState.REQUESTED, VisitState.ELIGIBLE) else TODAY
    values = {
        "requested_reason": "failed_contact",
        "evidence": [],
        "service_s": 1_200,
        "value_s": 3_600,
        "last_on": TODAY + dt.timedelta(days=14),
        "planned_on": planned_on,
    } | given
    visit = Visit(
        org_id=world.agency,
        lender_id=case.org_id,
        reference=f"V-{number:05}",
        case_id=case.id,
        debtor_id=case.debtor_id,
        place_id=place.id,
        state=state,
        **values,
    )
    session.add(visit)
    session.flush()
    return visit
