"""Papers: which hold, and which were shown."""

import datetime as dt

import pytest
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.credentials import PaperFault, paper_fault, papers_of, wanted_kinds
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.decisions import organisations_by_id
from fieldvisit.models import Organisation, Visit
from fieldvisit.vocabulary import CredentialKind
from tests.conftest import NOW
from tests.worlds import TODAY, World, make_case, make_credential, make_visit, make_visitor, make_world

K, F = CredentialKind, PaperFault
DAY = dt.timedelta(days=1)


@pytest.fixture
def world(sessions: sessionmaker[Session]) -> World:
    return make_world(sessions)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({}, None),
        ({"valid_until": TODAY}, None),
        ({"valid_until": TODAY - DAY}, F.EXPIRED),
        ({"valid_from": TODAY}, None),
        ({"valid_from": TODAY + DAY}, F.NOT_YET_VALID),
        ({"revoked_at": NOW}, F.REVOKED),
        ({"revoked_at": NOW, "valid_until": TODAY - DAY}, F.REVOKED),
        ({"for_org_id": "lender"}, None),
        ({"for_org_id": "stranger"}, F.FOR_ANOTHER),
        ({"for_case_id": "this"}, None),
        ({"for_case_id": "other"}, F.FOR_ANOTHER),
    ],
)
def test_a_paper_holds_on_both_of_its_dates_and_for_whom_it_names(
    sessions: sessionmaker[Session], world: World, given: dict[str, object], fault: PaperFault | None
) -> None:
    with acting_for_all(sessions) as session:
        case, other = make_case(session, world), make_case(session, world)
        visit = make_visit(session, world, case)
        ids = {"lender": world.lender, "stranger": world.stranger, "this": case.id, "other": other.id}
        terms = {name: ids.get(str(value), value) for name, value in given.items()}
        paper = make_credential(session, make_visitor(session, world, papers=False), kind=K.ID_CARD, **terms)
        assert paper_fault(paper, visit, TODAY) is fault


def test_papers_are_listed_by_when_they_run_out(sessions: sessionmaker[Session], world: World) -> None:
    with acting_for_all(sessions) as session:
        ilta, oona = (make_visitor(session, world, papers=False) for _ in range(2))
        late = make_credential(session, ilta, kind=K.BADGE, valid_until=TODAY + 9 * DAY).id
        soon = make_credential(session, ilta, kind=K.ID_CARD, valid_until=TODAY + DAY).id
        make_credential(session, oona, kind=K.BADGE)
    with acting_for(sessions, world.agency) as session:
        assert [paper.id for paper in papers_of(session, ilta.id)] == [soon, late]
    with acting_for(sessions, world.stranger) as session:
        assert papers_of(session, ilta.id) == []


def test_what_is_to_be_shown_is_what_both_organisations_policies_want(
    sessions: sessionmaker[Session], world: World
) -> None:
    house = (frozenset({K.ID_CARD}), frozenset({K.AUTHORISATION_LETTER}))

    def wanted(session: Session, visit: Visit) -> tuple[frozenset[CredentialKind], ...]:
        return wanted_kinds(organisations_by_id(session, (visit.org_id, visit.lender_id)), visit, TODAY)

    with acting_for_all(sessions) as session:
        visit = make_visit(session, world, make_case(session, world))
        session.get_one(Organisation, world.agency).policies = []
        assert wanted(session, visit) == house
        session.get_one(Organisation, world.lender).policies = []
        assert wanted(session, visit) == ()
