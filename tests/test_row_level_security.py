"""An organisation sees what is its own and what was given to it, whatever a query forgets to say."""

import uuid

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import Case, ContactAttempt, Debtor, Visit
from fieldvisit.vocabulary import AttemptResult
from tests.conftest import NOW
from tests.worlds import make_attempt, make_case, make_visit, make_world


def cases_seen_by(sessions: sessionmaker[Session], org_id: uuid.UUID) -> set[str]:
    with acting_for(sessions, org_id) as session:
        return set(session.scalars(sa.select(Case.external_id)))


def test_an_agency_sees_only_what_was_placed_with_it(sessions: sessionmaker[Session]) -> None:
    world = make_world(sessions)
    with acting_for_all(sessions) as session:
        placed = make_case(session, world).external_id
        kept = make_case(session, world, placed=False).external_id
    assert cases_seen_by(sessions, world.lender) == {placed, kept}
    assert cases_seen_by(sessions, world.agency) == {placed}
    assert cases_seen_by(sessions, world.stranger) == set()


def test_an_agency_records_attempts_on_what_was_placed_and_the_lender_sees_them(
    sessions: sessionmaker[Session],
) -> None:
    world = make_world(sessions)
    with acting_for_all(sessions) as session:
        case_id = make_case(session, world).id
    with acting_for(sessions, world.agency) as session:
        make_attempt(session, session.get_one(Case, case_id), at=NOW, made_by_id=world.agency)
    with acting_for(sessions, world.lender) as session:
        assert session.scalars(sa.select(ContactAttempt.result)).all() == [AttemptResult.NO_ANSWER]


def test_a_visit_is_seen_by_who_goes_and_who_owns_the_case_and_nobody_else(sessions: sessionmaker[Session]) -> None:
    world = make_world(sessions)
    with acting_for_all(sessions) as session:
        visit_id = make_visit(session, world, make_case(session, world)).id
    seen = {}
    for name, org_id in (("agency", world.agency), ("lender", world.lender), ("stranger", world.stranger)):
        with acting_for(sessions, org_id) as session:
            seen[name] = session.scalars(sa.select(Visit.id)).all()
    assert seen == {"agency": [visit_id], "lender": [visit_id], "stranger": []}


def test_a_row_cannot_be_written_for_another_organisation(sessions: sessionmaker[Session]) -> None:
    world = make_world(sessions)
    with pytest.raises(ProgrammingError, match="row-level security"), acting_for(sessions, world.stranger) as session:
        session.add(Debtor(org_id=world.lender, external_id="X", name="Nobody"))


def test_a_session_without_an_organisation_sees_nothing(sessions: sessionmaker[Session]) -> None:
    world = make_world(sessions)
    with acting_for_all(sessions) as session:
        make_case(session, world)
    with sessions() as session:
        assert session.scalars(sa.select(Case)).all() == []


def test_what_is_append_only_cannot_be_changed_by_the_application(sessions: sessionmaker[Session]) -> None:
    world = make_world(sessions)
    with acting_for_all(sessions) as session:
        make_attempt(session, make_case(session, world), at=NOW)
    with pytest.raises(ProgrammingError, match="permission denied"), acting_for_all(sessions) as session:
        session.execute(sa.update(ContactAttempt).values(result=AttemptResult.BUSY))


def test_names_are_not_readable_in_the_database(sessions: sessionmaker[Session]) -> None:
    world = make_world(sessions)
    with acting_for_all(sessions) as session:
        debtor_id = make_case(session, world).debtor_id
        stored = bytes(
            session.execute(sa.text("select name from debtors where id = :id"), {"id": debtor_id}).scalar_one()
        )
        opened = session.get_one(Debtor, debtor_id).name
    assert b"Meri" not in stored
    assert opened.startswith("Meri Example")
