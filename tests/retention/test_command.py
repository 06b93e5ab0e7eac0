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


def test_what_cannot_be_purged_is_said_and_seen_in_the_exit_code_and_the_rest_has_gone(
    settings: Settings, urls: Urls, sessions: sessionmaker[Session]
) -> None:
    morning, engine = make_finished(sessions, visits=2), owner_engine(urls)
    demand(sessions, morning, GOES_AFTER_A_YEAR)
    shift_clock_to(engine, NOW + 2 * YEAR)
    with acting_for_all(sessions) as session:
        case_id = min(session.scalars(sa.select(Case.id)))
    with engine.begin() as connection:
        connection.execute(sa.text("create table holds_it (id uuid references cases)"))
        connection.execute(sa.text("insert into holds_it values (:id)"), {"id": case_id})
    engine.dispose()
    done = call(settings, urls, "retention", "run")
    assert (done.exit_code, "Not everything could be purged: 1 failed: purged." in done.output) == (1, True)
    with acting_for_all(sessions) as session:
        assert session.scalars(sa.select(Case.id)).all() == [case_id]
        assert session.scalars(sa.select(Purge.left_as)).one() == {"undone": {"case": 1}}
