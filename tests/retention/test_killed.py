"""A purge that is killed with -9 in the middle, as a machine that loses its power would be."""

import signal
import time

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.clock import shift_clock_to
from fieldvisit.database import Urls, acting_for_all, owner_engine
from fieldvisit.models import Case, ContactAttempt, Purge, Visit
from fieldvisit.settings import Settings
from tests.conftest import NOW
from tests.phone.worlds import make_morning
from tests.processes import PATIENCE_S, call, running
from tests.retention.worlds import GOES_AFTER_A_YEAR, YEAR, close, demand

CASES = 40


def counted(session: Session, model: type[Case | Visit | ContactAttempt]) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


@pytest.mark.long
def test_what_a_killed_purge_did_is_whole_and_proved_and_the_next_one_does_the_rest(
    sessions: sessionmaker[Session], urls: Urls, settings: Settings
) -> None:
    morning = make_morning(sessions, visits=CASES)
    with acting_for_all(sessions) as session:
        session.execute(sa.update(Visit).values(state="closed", ended_at=NOW))
    for visit_id in morning.visits:
        close(sessions, visit_id)
    demand(sessions, morning, GOES_AFTER_A_YEAR)
    shift_clock_to(owner_engine(urls), NOW + 2 * YEAR)
    deadline = time.monotonic() + PATIENCE_S
    with running(settings, "retention", "run") as purge:
        while purge.poll() is None and time.monotonic() < deadline:
            with acting_for_all(sessions) as session:
                if counted(session, Case) < CASES:
                    break
        purge.kill()
        assert purge.wait() == -signal.SIGKILL, "it was done before it could be killed"
    with acting_for_all(sessions) as session:
        killed = session.scalars(sa.select(Purge)).one()
        left = counted(session, Case)
        assert (killed.finished_at, killed.records["case"]) == (None, CASES - left)
        assert 0 < left < CASES
        assert (counted(session, Visit), counted(session, ContactAttempt)) == (left, 4 * left)
    assert call(settings, "retention", "run").returncode == 0
    with acting_for_all(sessions) as session:
        rest = session.scalars(sa.select(Purge).order_by(Purge.id.desc())).first()
        assert rest is not None
        assert (rest.records["case"], counted(session, Case), counted(session, ContactAttempt)) == (left, 0, 0)
        print(f"killed after {CASES - left} of {CASES} cases; {sum(rest.rows.values())} rows for the other {left}")
