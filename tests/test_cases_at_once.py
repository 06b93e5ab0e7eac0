"""Two who tell of the same case at once take turns, and the second is judged by what the first has stored."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.cases import CaseDraft, upsert_case
from fieldvisit.database import acting_for
from fieldvisit.debtors import upsert_debtor
from fieldvisit.drafts import Change
from fieldvisit.errors import InvalidValue
from fieldvisit.models import Case, Placement
from fieldvisit.placements import PlacementDraft, place_case
from tests.conftest import NOW
from tests.locks import until_somebody_waits
from tests.test_cases import CASE, MERI
from tests.worlds import TODAY, World, make_world

DAY = dt.timedelta(days=1)
STORED = replace(CASE, as_of_on=TODAY - 3 * DAY)


@pytest.fixture
def world(sessions: sessionmaker[Session]) -> World:
    world = make_world(sessions)
    with acting_for(sessions, world.lender) as session:
        upsert_debtor(session, MERI)
        upsert_case(session, STORED, now=NOW)
    return world


def told(sessions: sessionmaker[Session], world: World, draft: CaseDraft) -> Change:
    with acting_for(sessions, world.lender) as session:
        return upsert_case(session, draft, now=NOW)[1]


def test_an_older_file_does_not_overwrite_a_newer_one_that_is_not_through_yet(
    sessions: sessionmaker[Session], world: World
) -> None:
    paid = replace(CASE, principal_minor=0, interest_minor=0, fees_minor=0, total_minor=0)
    with ThreadPoolExecutor(1) as second:
        with acting_for(sessions, world.lender) as session:
            upsert_case(session, paid, now=NOW)
            late = second.submit(told, sessions, world, replace(CASE, as_of_on=TODAY - DAY))
            until_somebody_waits(sessions)
        with pytest.raises(InvalidValue, match="earlier"):
            late.result()
    with acting_for(sessions, world.lender) as session:
        assert session.execute(sa.select(Case.as_of_on, Case.total_minor)).all() == [(TODAY, 0)]


@pytest.mark.parametrize("alone", [False, True])
def test_a_case_is_not_placed_with_two_agencies_at_once(
    sessions: sessionmaker[Session], world: World, alone: bool
) -> None:
    def place(agency: str) -> Change:
        draft = PlacementDraft(agency=agency, from_on=TODAY)
        if not alone:
            return told(sessions, world, replace(STORED, placement=draft))
        with acting_for(sessions, world.lender) as session:
            return place_case(session, session.scalars(sa.select(Case)).one(), draft, now=NOW)

    with ThreadPoolExecutor(1) as second:
        with acting_for(sessions, world.lender) as session:
            first = PlacementDraft(agency="pohjola-field", from_on=TODAY)
            place_case(session, session.scalars(sa.select(Case)).one(), first, now=NOW)
            late = second.submit(place, "lansi-field")
            until_somebody_waits(sessions)
        with pytest.raises(InvalidValue, match="another agency"):
            late.result()
    with acting_for(sessions, world.lender) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Placement)) == 1
