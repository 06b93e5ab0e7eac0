"""Where visitors were goes by the rules of their organisation, with a proof; an incident or a hold keeps it."""

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.clock import shift_clock_to
from fieldvisit.database import Urls, acting_for, acting_for_all, owner_engine, session_factory
from fieldvisit.models import LegalHold, OutboxMessage, Purge, SafetyAlert, SafetyEvent, SafetySession
from fieldvisit.retention.watched import look_for_watched, purge_watched
from fieldvisit.safety.canary import fly, make_canary
from fieldvisit.safety.incidents import IncidentDraft, report_incident, review_incident
from fieldvisit.safety.rules import RulesDraft, rules_in_force, set_rules
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import AlarmChannel, IncidentKind, SafetyState
from tests.api.test_visits_command import call
from tests.conftest import NOW
from tests.safety.worlds import MINUTE, Clock, Door, make_door
from tests.worlds import make_case, make_visit

DAY = dt.timedelta(days=1)


@dataclass
class Kept:
    """A door whose sessions are looked at days later, as the owner of the tables."""

    door: Door
    owners: sessionmaker[Session]

    def visited(self, *, alarm: bool = False) -> uuid.UUID:
        session_id = self.door.start(lat=60.17, lon=24.94)
        if alarm:
            self.door.pass_under_watch_s(18 * MINUTE)
            self.door.watch()
            self.door.acknowledge()
            self.door.resolve(resume=False)
        else:
            self.door.end(session_id)
        return session_id

    def purge(self, *, after: dt.timedelta) -> list[tuple[dict[str, int], int, Purge | None]]:
        with acting_for_all(self.owners) as session:
            now = session.scalars(sa.select(sa.func.fieldvisit_now())).one() + after
        found = purge_watched(self.owners, made_by="test", reason="yearly", clock=lambda: now)
        return [(each.count, each.held, proof) for each, proof in found]

    def is_known(self, session_id: uuid.UUID) -> bool | None:
        """Whether the last position is; None where the session is gone."""
        with acting_for_all(self.owners) as session:
            row = session.get(SafetySession, session_id)
            return None if row is None else row.last_lat is not None


@pytest.fixture
def kept(sessions: sessionmaker[Session], urls: Urls) -> Kept:
    engine = owner_engine(urls)
    door = make_door(sessions, Clock(sa.create_engine(urls.owner, poolclass=sa.NullPool)))
    return Kept(door, session_factory(engine))


def test_a_position_goes_the_day_after_its_last_and_the_session_with_all_of_it_when_its_time_is_over(
    kept: Kept,
) -> None:
    calm_id, alarmed_id = kept.visited(), kept.visited(alarm=True)
    heads = {session_id: kept.door.row(session_id).last_hash.hex() for session_id in (calm_id, alarmed_id)}
    running_id = kept.door.start(lat=60.17, lon=24.94)
    assert kept.purge(after=29 * DAY) == []
    ((gone, held, proof),) = kept.purge(after=30 * DAY + dt.timedelta(minutes=30))
    assert (gone, held) == ({"positions": 2}, 0)
    assert [kept.is_known(each) for each in (calm_id, alarmed_id, running_id)] == [False, False, True]
    assert kept.purge(after=31 * DAY) == []

    ((gone, _, proof),) = kept.purge(after=731 * DAY)
    assert (gone, kept.is_known(calm_id), kept.is_known(alarmed_id)) == ({"safety_sessions": 2}, None, None)
    assert proof is not None
    assert (proof.made_by, proof.reason, proof.finished_at is not None) == ("test", "yearly", True)
    assert set(proof.rows) == {"safety_alerts", "safety_events", "safety_keys", "safety_outbox", "safety_sessions"}
    chained = hashlib.sha256(b"").hexdigest()
    for each in sorted(heads):
        chained = hashlib.sha256(f"{chained}\nsession {each} {heads[each]}".encode()).hexdigest()
    assert proof.ids_sha256 == chained
    with acting_for_all(kept.owners) as session:
        for table, column in ((SafetyEvent, SafetyEvent.session_id), (SafetyAlert, SafetyAlert.session_id)):
            assert session.scalar(sa.select(sa.func.count()).select_from(table).where(column == alarmed_id)) == 0
        left = sa.select(sa.func.count()).select_from(OutboxMessage).where(OutboxMessage.session_id == alarmed_id)
        assert session.scalar(left) == 0
        assert session.get_one(SafetySession, running_id).state is SafetyState.ACTIVE


def test_an_incident_that_is_not_reviewed_keeps_what_belongs_to_it_and_so_does_a_hold(kept: Kept) -> None:
    session_id, calm_id = kept.visited(alarm=True), kept.visited()
    officer, other = kept.door.officer.account_id, kept.door.other_officer.account_id
    with acting_for(kept.door.sessions, kept.door.world.agency) as session:
        row = session.get_one(SafetySession, session_id)
        assert row.ended_at is not None
        alert_id = session.scalars(sa.select(SafetyAlert.id)).one()
        draft = IncidentDraft(kind=IncidentKind.THREAT, happened_at=row.ended_at, account="A knife.", alert_id=alert_id)
        incident_id = report_incident(session, draft, officer).id
    ((gone, held, _),) = kept.purge(after=800 * DAY)
    assert (gone, held) == ({"safety_sessions": 1}, 1)
    assert (kept.is_known(session_id), kept.is_known(calm_id)) == (True, None)
    with acting_for(kept.door.sessions, kept.door.world.agency) as session:
        review_incident(session, incident_id, other, "Two go there from now on.")
    with acting_for_all(kept.door.sessions) as session:
        case = make_case(session, kept.door.world)
        visit_id = make_visit(session, kept.door.world, case).id
        hold = LegalHold(org_id=case.org_id, debtor_id=case.debtor_id, reason="A lawsuit.", placed_at=NOW)
        session.add(hold)
        session.get_one(SafetySession, session_id).visit_id = visit_id
    assert kept.purge(after=800 * DAY) == [({}, 1, None)]
    with acting_for_all(kept.door.sessions) as session:
        session.get_one(LegalHold, hold.id).released_at = NOW
    ((gone, held, _),) = kept.purge(after=800 * DAY)
    assert (gone, held, kept.is_known(session_id)) == ({"safety_sessions": 1}, 0, None)


def test_an_incident_that_names_the_place_alone_keeps_where_its_visitors_were(kept: Kept) -> None:
    at_the_place, elsewhere = kept.visited(), kept.visited()
    with acting_for_all(kept.door.sessions) as session:
        for session_id in (elsewhere, at_the_place):
            visit = make_visit(session, kept.door.world, make_case(session, kept.door.world))
            session.get_one(SafetySession, session_id).visit_id = visit.id
        place_id = visit.place_id
    with acting_for(kept.door.sessions, kept.door.world.agency) as session:
        draft = IncidentDraft(kind=IncidentKind.VIOLENCE, happened_at=NOW - DAY, account="A blow.", place_id=place_id)
        incident_id = report_incident(session, draft, kept.door.officer.account_id).id
    assert [each[:2] for each in kept.purge(after=40 * DAY)] == [({"positions": 1}, 1)]
    assert (kept.is_known(at_the_place), kept.is_known(elsewhere)) == (True, False)
    with acting_for(kept.door.sessions, kept.door.world.agency) as session:
        review_incident(session, incident_id, kept.door.other_officer.account_id, "Two go there from now on.")
    assert [each[:2] for each in kept.purge(after=40 * DAY)] == [({"positions": 1}, 0)]


def test_an_organisation_sets_its_own_time_and_the_canary_has_a_week(kept: Kept) -> None:
    session_id = kept.visited()
    with acting_for(kept.door.sessions, kept.door.world.agency) as session:
        draft = RulesDraft(positions_days=1, sessions_days=60, reason="Agreed with the works council.")
        set_rules(session, draft, kept.door.officer.account_id)
        assert rules_in_force(session).rules.positions_days == 1
    with acting_for_all(kept.door.sessions) as session:
        make_canary(session, {AlarmChannel.SMS: "+358401234567"}, password_hash="none")
        flown_id = fly(session)
    with acting_for_all(kept.door.sessions) as session:
        fly(session)
    assert [each[0] for each in kept.purge(after=6 * DAY)] == [{"positions": 1}]
    assert [each[0] for each in kept.purge(after=8 * DAY)] == [{"safety_sessions": 1}]
    assert (kept.is_known(flown_id), kept.is_known(session_id)) == (None, False)
    assert [each[0] for each in kept.purge(after=62 * DAY)] == [{"safety_sessions": 1}]
    assert kept.is_known(session_id) is None


def test_the_command_says_what_would_go_and_takes_it(kept: Kept, settings: Settings, urls: Urls) -> None:
    session_id = kept.visited()
    with acting_for_all(kept.owners) as session:
        now = session.scalars(sa.select(sa.func.fieldvisit_now())).one()
        assert look_for_watched(session, now=now + 40 * DAY)[0].positions == 1
    shift_clock_to(owner_engine(urls), now + 40 * DAY)
    dry = call(settings, urls, "retention", "run", "--dry-run")
    assert f"Of visitors, {kept.door.world.agency}: positions 1" in dry.output
    assert kept.is_known(session_id) is True
    call(settings, urls, "retention", "run")
    assert kept.is_known(session_id) is False
