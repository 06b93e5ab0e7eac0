"""A case with everything that can hang on it, visited, reported and closed; and policies that say when it has to go."""

import datetime as dt
import uuid
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import Urls, acting_for, acting_for_all, owner_engine, session_factory
from fieldvisit.door_records import DoorDraft
from fieldvisit.models import Case, Purge, Visit
from fieldvisit.own_policies import PolicyDraft, add_version
from fieldvisit.phone.steps import arrive, check_identity
from fieldvisit.report_drafts import AdditionDraft
from fieldvisit.reports import add_to_report, report_visit
from fieldvisit.retention import runs
from fieldvisit.vocabulary import CaseStage, VisitOutcome
from tests.conftest import NOW
from tests.phone.worlds import Morning, arrival, identity, make_morning, report, teller
from tests.test_rejudging import HOUSE
from tests.worlds import TODAY

YEAR = dt.timedelta(days=366)
RULE = """
[[retention]]
id = "house/retention/{number}"
record_type = "{record_type}"
counts_from = "{clock}"
{limit} = "{length}"
source = "ours"
confidence = "house"
"""


def rule(number: int, record_type: str, clock: str, limit: str, length: str) -> str:
    return RULE.format(number=number, record_type=record_type, clock=clock, limit=limit, length=length)


GOES_AFTER_A_YEAR = rule(1, "contact", "created", "max", "P1Y") + rule(2, "case", "closed", "max", "P1Y")


def demand(sessions: sessionmaker[Session], morning: Morning, rules: str) -> None:
    """Put the lender's own house policy with these rules in force."""
    with acting_for(sessions, morning.world.lender) as session:
        draft = PolicyDraft(text=HOUSE.format(opens="08:00") + rules, effective_from=TODAY)
        add_version(session, morning.world.lender, draft, made_by_id=None, now=NOW)


def make_finished(sessions: sessionmaker[Session], *, visits: int = 1) -> Morning:
    """Each visit was made and reported, and each case is closed."""
    morning = make_morning(sessions, visits=visits)
    for visit_id in morning.visits:
        finish(sessions, morning, visit_id)
    return morning


def finish(sessions: sessionmaker[Session], morning: Morning, visit_id: uuid.UUID) -> None:
    by = teller(morning.ilta)
    with acting_for(sessions, morning.world.agency) as session:
        arrive(session, visit_id, arrival(), by=by, now=NOW, geofence_m=150)
        check_identity(session, visit_id, identity(), by=by, now=NOW)
        told = report(VisitOutcome.MET_DEBTOR, disclosed=True, door=DoorDraft(complaint="Too early."))
        report_visit(session, visit_id, told, by=by, now=NOW)
        add_to_report(session, visit_id, AdditionDraft(event_id=uuid.uuid4(), text="More."), by=by, now=NOW)
    close(sessions, visit_id)


def close(sessions: sessionmaker[Session], visit_id: uuid.UUID, stage: CaseStage = CaseStage.CLOSED) -> None:
    with acting_for_all(sessions) as session:
        case_id = session.get_one(Visit, visit_id).case_id
        session.execute(sa.update(Case).where(Case.id == case_id).values(stage=stage))


def purge(urls: Urls, morning: Morning, *, after: dt.timedelta) -> Purge:
    """Run it as the owner of the tables, so much later."""
    engine = owner_engine(urls)
    clock: Callable[[], dt.datetime] = lambda: NOW + after  # noqa: E731 - a clock that stands still
    try:
        return runs.purge(session_factory(engine), morning.world.lender, made_by="test", reason="test", clock=clock)
    finally:
        engine.dispose()
