"""What cannot be read in one house stops neither the rest of its upkeep nor that of the houses after it."""

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker
from structlog.testing import capture_logs

from fieldvisit.apart import LeftUndone
from fieldvisit.clock import Clock
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.files import FileStore, keep_file, terms_for
from fieldvisit.models import Case, StoredFile, Visit
from fieldvisit.planning.tools import Tools
from fieldvisit.planning.upkeep import pass_time
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import CaseStage, FileKind, OrganisationKind, VisitState
from tests.conftest import NOW
from tests.planning.worlds import make_ready_visit
from tests.worlds import TODAY, World, make_organisation

RUBBISH = "update debtors set name = decode('0102', 'hex') where id = :id"
YESTERDAY = TODAY - dt.timedelta(days=1)


def beside(sessions: sessionmaker[Session], world: World) -> World:
    """A house that comes after the first one's: a lender of its own, whose cases the other agency visits."""
    with acting_for_all(sessions) as session:
        lender = make_organisation(session, code="meri-lend", kind=OrganisationKind.LENDER)
        return World(lender=lender.id, agency=world.stranger, area=world.area, stranger=world.agency)


def make_two(session: Session, world: World) -> None:
    """A visit that waited too long, whose case the gate opens another for, and one to a case that was closed."""
    make_ready_visit(session, world, last_on=YESTERDAY)
    make_ready_visit(session, world).case.stage = CaseStage.CLOSED
    session.flush()


def forget_file(sessions: sessionmaker[Session], settings: Settings, world: World) -> None:
    terms = terms_for([FileKind.PDF], most_mb=1)
    with acting_for(sessions, world.agency) as session:
        keep_file(session, FileStore(settings), b"%PDF-1.7 a paper", terms).forgotten_at = NOW


def states_of(sessions: sessionmaker[Session], world: World) -> list[VisitState]:
    with acting_for(sessions, world.agency) as session:
        return list(session.scalars(sa.select(Visit.state).order_by(Visit.created_at, Visit.id)))


def test_a_debtor_that_cannot_be_read_stops_one_duty_of_one_house(
    settings: Settings, sessions: sessionmaker[Session], engine: sa.Engine, world: World
) -> None:
    second = beside(sessions, world)
    with acting_for_all(sessions) as session:
        make_two(session, world)
        make_two(session, second)
        unread = session.scalars(sa.select(Case.debtor_id).where(Case.org_id == world.lender)).all()
        session.execute(sa.text(RUBBISH), [{"id": debtor_id} for debtor_id in unread])
    forget_file(sessions, settings, second)
    with capture_logs() as logs, pytest.raises(LeftUndone, match="1 failed: opened"):
        pass_time(Tools(settings=settings, sessions=sessions, clock=Clock(engine)))
    (line,) = [each for each in logs if each["event"] == "left_undone"]
    assert (line["what"], line["org_id"], line["error"]) == ("opened", str(world.agency), "unsealable")
    # What needs no debtor's name goes on in the same house; in the next one everything does.
    ended = [VisitState.EXPIRED, VisitState.CANCELLED]
    assert states_of(sessions, world) == ended
    assert states_of(sessions, second) == [*ended, VisitState.ELIGIBLE]
    with acting_for(sessions, second.agency) as session:
        assert session.scalars(sa.select(StoredFile.gone_at)).one() is not None
    assert not [each for each in (settings.data_folder / "stored_files").rglob("*") if each.is_file()]


def test_a_house_whose_calendar_nobody_knows_stops_no_other(
    settings: Settings, sessions: sessionmaker[Session], engine: sa.Engine, world: World
) -> None:
    second = beside(sessions, world)
    with acting_for_all(sessions) as session:
        session.execute(sa.text("update organisations set zone = 'Nowhere/Land' where id = :id"), {"id": world.agency})
        make_ready_visit(session, second, last_on=YESTERDAY)
    with pytest.raises(LeftUndone):
        pass_time(Tools(settings=settings, sessions=sessions, clock=Clock(engine)))
    assert states_of(sessions, second) == [VisitState.EXPIRED, VisitState.ELIGIBLE]
