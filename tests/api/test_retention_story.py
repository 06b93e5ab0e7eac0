"""A house says how long; what is held stays, the rest goes, and the privacy officer can show that it did."""

import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.clock import shift_clock_to
from fieldvisit.database import Urls, acting_for_all, owner_engine
from fieldvisit.models import Case, Visit
from fieldvisit.partitions import make_partitions
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import Role
from tests.api.conftest import ClientFor
from tests.api.test_visits_command import call
from tests.conftest import NOW
from tests.retention.worlds import GOES_AFTER_A_YEAR, YEAR, make_finished, rule
from tests.test_rejudging import HOUSE
from tests.worlds import TODAY

LONGER = rule(3, "contact", "last_activity", "min", "P2Y")


def test_what_a_house_wants_gone_goes_but_for_what_is_held_or_has_to_be_kept(
    client_for: ClientFor, settings: Settings, urls: Urls, sessions: sessionmaker[Session]
) -> None:
    morning = make_finished(sessions, visits=2)
    with acting_for_all(sessions) as session:
        held, free = (session.get_one(Visit, visit_id).case_id for visit_id in morning.visits)
    lender = client_for(Role.SUPERVISOR, Role.ADMIN, org=morning.world.lender)
    # Its agency's policy keeps contacts for two years after the last activity; the lender wants them gone after one.
    for org, rules in ((morning.world.lender, GOES_AFTER_A_YEAR), (morning.world.agency, LONGER)):
        office = client_for(Role.SUPERVISOR, org=org)
        policy = {"toml": HOUSE.format(opens="08:00") + rules, "effective_from": TODAY.isoformat()}
        assert office.post("/policy-versions", json=policy).status_code in (200, 201, 202)
    with acting_for_all(sessions) as session:
        debtor_id = str(session.get_one(Case, held).debtor_id)
    hold = lender.post("/legal-holds", json={"debtor_id": debtor_id, "reason": "A court asked for it."})
    assert hold.status_code == 201, hold.text
    engine = owner_engine(urls)

    def run(years: float) -> set[object]:
        shift_clock_to(engine, NOW + years * YEAR)
        dry = call(settings, urls, "retention", "run", "--dry-run", "--organisation", "aurora-lend")
        done = call(settings, urls, "retention", "run", "--organisation", "aurora-lend")
        assert (dry.exit_code, done.exit_code) == (0, 0), done.output
        with acting_for_all(sessions) as session:
            return set(session.scalars(sa.select(Case.id)))

    # The least time of one is longer than the longest of the other: told as a conflict, and kept.
    assert run(1.5) == {held, free}
    assert run(2.5) == {held}
    privacy = client_for(Role.PRIVACY_OFFICER, org=morning.world.lender)
    first, second = sorted(privacy.get("/purges").json["items"], key=lambda each: each["started_at"])
    assert first["left_as"]["conflict"]["visit"] == 1
    assert (second["records"]["case"], second["left_as"]["held"]["case"]) == (1, 1)
    # What the watcher does: the years between had no months to write a trail into.
    make_partitions(sessions)
    released = lender.post(f"/legal-holds/{hold.json['id']}/release")
    assert released.status_code == 200, released.text
    assert run(2.6) == set()
    engine.dispose()
