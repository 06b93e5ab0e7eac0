"""`fieldvisit retention run`, called as a program calls it."""

import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.clock import shift_clock_to
from fieldvisit.database import Urls, acting_for_all, owner_engine
from fieldvisit.models import Case, Purge
from fieldvisit.settings import Settings
from tests.api.test_visits_command import call
from tests.conftest import NOW
from tests.retention.worlds import GOES_AFTER_A_YEAR, YEAR, demand, make_finished


def test_a_dry_run_says_what_goes_and_the_run_takes_just_that_and_says_where_its_proof_is(
    settings: Settings, urls: Urls, sessions: sessionmaker[Session]
) -> None:
    morning = make_finished(sessions, visits=2)
    demand(sessions, morning, GOES_AFTER_A_YEAR)
    shift_clock_to(owner_engine(urls), NOW + 2 * YEAR)
    dry = call(settings, urls, "retention", "run", "--dry-run")
    assert (dry.exit_code, dry.output.count("Aurora-Lend")) == (0, 1), dry.output
    with acting_for_all(sessions) as session:
        assert len(session.scalars(sa.select(Case.id)).all()) == 2
        assert session.scalars(sa.select(Purge)).all() == []
    digest = dry.output.split()[-1]
    done = call(settings, urls, "retention", "run", "--organisation", "aurora-lend", "--reason", "yearly")
    with acting_for_all(sessions) as session:
        assert session.scalars(sa.select(Case.id)).all() == []
        proof = session.scalars(sa.select(Purge)).one()
    assert (done.exit_code, proof.ids_sha256, proof.reason) == (0, digest, "yearly")
    assert f"The proof is {proof.id}." in done.output
