"""Markers and incidents: who goes where something happened, what they have to have read, and how they are watched."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from fieldvisit.database import Urls, acting_for, acting_for_all, plain_url
from fieldvisit.errors import InvalidValue, NotFound
from fieldvisit.models import (
    Account,
    DutyShift,
    EngineBeat,
    Marker,
    MarkerRead,
    OutboxMessage,
    Place,
    Placement,
    SafetyIncident,
    Visit,
    Visitor,
)
from fieldvisit.safety import incidents, markers
from fieldvisit.safety.auditing import audit
from fieldvisit.safety.cover import override_cover
from fieldvisit.safety.drafts import Officer, SessionDraft
from fieldvisit.safety.engine import Fired
from fieldvisit.safety.incidents import IncidentDraft, OwnWriting, PlaceFrozen
from fieldvisit.safety.markers import MarkerDraft, MarkersUnread
from fieldvisit.safety.sessions import start_session
from fieldvisit.safety.wording import write
from fieldvisit.vocabulary import (
    AlarmChannel,
    AlertKind,
    IncidentKind,
    MarkerKind,
    RiskLevel,
    Role,
    SafetyState,
    SessionCover,
    VisitState,
)
from tests.conftest import NOW
from tests.safety.test_held_tables import Hold, hold
from tests.safety.worlds import MINUTE, Door, make_account
from tests.worlds import TODAY, make_case, make_visit

__all__ = ["hold"]

DAY = dt.timedelta(days=1)
SOON, LATER = TODAY + 90 * DAY, TODAY + 200 * DAY


@dataclass(frozen=True)
class Dangerous:
    """A door at which a visit is due; been there before, by day."""

    door: Door
    visit_id: uuid.UUID
    supervisor_id: uuid.UUID

    @property
    def officer_id(self) -> uuid.UUID:
        return self.door.officer.account_id

    def visit(self) -> Visit:
        with acting_for(self.door.sessions, self.door.world.agency) as session:
            return session.get_one(Visit, self.visit_id)

    def happens(self, kind: IncidentKind = IncidentKind.DOG) -> uuid.UUID:
        draft = IncidentDraft(kind=kind, happened_at=NOW - DAY, account="A dog bit.", visit_id=self.visit_id)
        with acting_for(self.door.sessions, self.door.world.agency) as session:
            return incidents.report_incident(session, draft, self.officer_id).id

    def reviews(self, incident_id: uuid.UUID, by: uuid.UUID | None = None) -> None:
        with acting_for(self.door.sessions, self.door.world.agency) as session:
            incidents.review_incident(session, incident_id, by or self.supervisor_id, "Go in pairs.")

    def marks(self, *, approved: bool = True, incident: IncidentKind = IncidentKind.DOG, **given: Any) -> uuid.UUID:
        incident_id = self.happens(incident)
        self.reviews(incident_id)
        values: dict[str, Any] = {
            "incident_id": incident_id,
            "kind": MarkerKind.DOG,
            "level": RiskLevel.HIGH,
            "facts": "A large dog, not chained.",
            "review_on": SOON,
            "expires_on": LATER,
            "place_id": self.visit().place_id,
            "told_on": TODAY,
        } | given
        with acting_for(self.door.sessions, self.door.world.agency) as session:
            marker_id = markers.place_marker(session, MarkerDraft(**values), self.officer_id).id
        if approved:
            self.approves(marker_id)
        return marker_id

    def approves(self, marker_id: uuid.UUID, by: uuid.UUID | None = None) -> None:
        with acting_for(self.door.sessions, self.door.world.agency) as session:
            markers.approve_marker(session, marker_id, by or self.supervisor_id)

    def reads(self, marker_id: uuid.UUID) -> None:
        """The visitor confirms; the route that leads there is another test's."""
        with acting_for_all(self.door.sessions) as session:
            account = session.get_one(Account, self.door.account_id)
            given = {"marker_id": marker_id, "account_id": account.id, "visitor_id": account.visitor_id}
            now = sa.func.fieldvisit_now()
            session.execute(sa.insert(MarkerRead).values(org_id=account.org_id, confirmed=True, at=now, **given))

    def starts(self, **given: Any) -> uuid.UUID:
        return self.door.start(visit_id=self.visit_id, covered=True, **given)

    def level(self, session_id: uuid.UUID) -> RiskLevel:
        return self.door.row(session_id).level


@pytest.fixture
def dangerous(door: Door) -> Dangerous:
    with acting_for_all(door.sessions) as session:
        case = make_case(session, door.world)
        visit_id = make_visit(session, door.world, case).id
        make_visit(session, door.world, case, state=VisitState.REPORTED, arrived_at=NOW - 30 * DAY)
        supervisor_id = make_account(session, door.world, Role.SUPERVISOR).id
    door.clock.pass_s(3 * 3_600)
    door.somebody_watches()
    return Dangerous(door, visit_id, supervisor_id)


def test_by_day_at_a_known_door_the_level_is_what_the_phone_says(dangerous: Dangerous) -> None:
    assert dangerous.level(dangerous.starts()) is RiskLevel.NORMAL


def test_at_a_first_visit_in_the_evening_it_is_raised_and_the_record_says_why(dangerous: Dangerous) -> None:
    with acting_for_all(dangerous.door.sessions) as session:
        session.execute(sa.update(Visit).values(arrived_at=None))
    dangerous.door.clock.pass_s(6 * 3_600)
    session_id = dangerous.door.start(visit_id=dangerous.visit_id)
    assert dangerous.level(session_id) is RiskLevel.RAISED
    assert dangerous.door.events(session_id)[0].detail["because"] == ["first_visit", "evening"]


def test_where_something_happened_nobody_starts_until_another_person_has_reviewed_it(dangerous: Dangerous) -> None:
    incident_id = dangerous.happens()
    with pytest.raises(PlaceFrozen):
        dangerous.starts()
    with pytest.raises(OwnWriting):
        dangerous.reviews(incident_id, by=dangerous.officer_id)
    dangerous.reviews(incident_id)
    assert dangerous.level(dangerous.starts()) is RiskLevel.NORMAL


def test_who_is_told_of_afterwards_is_watched_over_all_the_same(dangerous: Dangerous) -> None:
    dangerous.happens(IncidentKind.VIOLENCE)
    assert dangerous.level(dangerous.door.start(visit_id=dangerous.visit_id)) is RiskLevel.HIGH


def test_a_place_where_something_happened_is_not_planned(dangerous: Dangerous) -> None:
    def planned() -> bool:
        with acting_for(dangerous.door.sessions, dangerous.door.world.agency) as session:
            visit = session.get_one(Visit, dangerous.visit_id)
            return visit.id not in incidents.frozen_among(session, [visit])

    incident_id = dangerous.happens()
    assert not planned()
    dangerous.reviews(incident_id)
    assert planned()


def test_what_the_house_was_told_of_itself_keeps_it_from_there_after_its_placement_has_ended(
    dangerous: Dangerous,
) -> None:
    place_id, incident_id = dangerous.visit().place_id, dangerous.happens()
    with acting_for_all(dangerous.door.sessions) as session:
        session.execute(sa.update(Placement).values(from_on=TODAY - 9 * DAY, until_on=TODAY - DAY))
    with acting_for(dangerous.door.sessions, dangerous.door.world.agency) as session:
        assert session.get(Place, place_id) is None
    dangerous.door.end(dangerous.door.start(visit_id=dangerous.visit_id))
    with pytest.raises(PlaceFrozen):
        dangerous.starts()
    dangerous.reviews(incident_id)
    dangerous.starts()


@pytest.mark.parametrize("told_by", ["lender", "stranger"])
def test_what_another_organisation_was_told_of_keeps_everybody_from_that_door(
    dangerous: Dangerous, told_by: str
) -> None:
    world = dangerous.door.world
    place_id, debtor_id = dangerous.visit().place_id, dangerous.visit().debtor_id
    with acting_for_all(dangerous.door.sessions) as session:
        spouse = make_case(session, world)
        spouses = make_visit(session, world, spouse)
        # The same address, and another place of somebody who has nothing to do with it.
        spouses.place.digest = session.get_one(Place, place_id).digest
        elsewhere = make_visit(session, world, make_case(session, world))
        happened = {"kind": IncidentKind.VIOLENCE, "happened_at": NOW - DAY, "account": "Somebody was hit."}
        told = {"reported_by_id": dangerous.officer_id, "reported_at": NOW, "debtor_id": debtor_id}
        org_id = getattr(world, told_by)
        session.add(SafetyIncident(org_id=org_id, place_id=place_id, **happened, **told))
        ids = {dangerous.visit_id: True, spouses.id: True, elsewhere.id: False}
    with acting_for(dangerous.door.sessions, world.agency) as session:
        visits = [session.get_one(Visit, visit_id) for visit_id in ids]
        assert session.scalars(sa.select(SafetyIncident.id)).all() == []
        frozen = incidents.frozen_among(session, visits)
        assert {visit_id: visit_id in frozen for visit_id in ids} == ids
        assert session.scalars(sa.select(SafetyIncident.id)).all() == []
    with acting_for(dangerous.door.sessions, world.stranger) as session:
        # Who sees no such place is told nothing of it, but for what they were told of themselves.
        assert incidents.frozen_places(session, [place_id]) == ({place_id} if told_by == "stranger" else set())
    with pytest.raises(PlaceFrozen):
        dangerous.starts()


def test_a_marker_is_read_before_the_door_and_makes_the_visit_what_it_says(dangerous: Dangerous) -> None:
    marker_id = dangerous.marks()
    with pytest.raises(MarkersUnread) as refused:
        dangerous.starts()
    assert refused.value.details["marker_ids"] == [str(marker_id)]
    dangerous.reads(marker_id)
    with acting_for(dangerous.door.sessions, dangerous.door.world.agency) as session:
        supervisor = Officer(account_id=dangerous.supervisor_id)
        override_cover(session, dangerous.door.visitor_id, supervisor, "Her partner waits in the car")
    assert dangerous.level(dangerous.starts()) is RiskLevel.HIGH


def test_a_confirmation_of_yesterday_is_none(dangerous: Dangerous) -> None:
    dangerous.reads(dangerous.marks())
    dangerous.door.clock.pass_s(25 * 3_600)
    with pytest.raises(MarkersUnread):
        dangerous.starts()


def test_a_marker_that_nobody_else_has_approved_counts_for_nothing(dangerous: Dangerous) -> None:
    marker_id = dangerous.marks(approved=False)
    with pytest.raises(OwnWriting):
        dangerous.approves(marker_id, by=dangerous.officer_id)
    assert dangerous.level(dangerous.starts()) is RiskLevel.NORMAL


def test_an_expired_marker_gates_nothing_raises_for_ninety_days_and_is_shown_as_expired(dangerous: Dangerous) -> None:
    marker_id = dangerous.marks()
    with acting_for_all(dangerous.door.sessions) as session:
        gone = {"review_on": TODAY - 9 * DAY, "expires_on": TODAY - 2 * DAY}
        session.execute(sa.update(Marker).where(Marker.id == marker_id).values(gone))
    session_id = dangerous.starts()
    assert dangerous.level(session_id) is RiskLevel.RAISED
    with acting_for(dangerous.door.sessions, dangerous.door.world.agency) as session:
        officer = markers.Reader(account_id=dangerous.officer_id, roles=frozenset({Role.SAFETY_OFFICER}))
        (warning,) = markers.read_warnings(session, dangerous.visit_id, officer)
        assert warning.expired
        kept = session.scalars(sa.select(MarkerRead)).one()
        assert (kept.account_id, kept.confirmed) == (officer.account_id, False)


def test_a_marker_gates_until_its_last_day_is_over_at_the_place_however_far_west_that_is(dangerous: Dangerous) -> None:
    """Until half past four in Los Angeles: there it is the same day, at Greenwich the next."""
    marker_id = dangerous.marks(review_on=TODAY, expires_on=TODAY, approved=False)
    over = dt.datetime.combine(TODAY + DAY, dt.time(), dt.UTC)
    with acting_for_all(dangerous.door.sessions) as session:
        session.execute(sa.update(DutyShift).values(ends_at=DutyShift.ends_at + 2 * DAY))
        now: dt.datetime = session.scalars(sa.select(sa.func.fieldvisit_now())).one()
    dangerous.door.pass_under_watch_s((over - now).total_seconds() + 30 * MINUTE)
    dangerous.approves(marker_id)
    with pytest.raises(MarkersUnread):
        dangerous.starts()
    officer = markers.Reader(account_id=dangerous.officer_id, roles=frozenset({Role.SAFETY_OFFICER}))
    with acting_for(dangerous.door.sessions, dangerous.door.world.agency) as session:
        assert [each.expired for each in markers.read_warnings(session, dangerous.visit_id, officer)] == [False]
    dangerous.door.pass_under_watch_s(12 * 3_600)
    session_id = dangerous.starts()
    assert "marker_expired" in dangerous.door.events(session_id)[0].detail["because"]


def test_a_marker_placed_in_mid_visit_only_tightens(dangerous: Dangerous) -> None:
    session_id = dangerous.starts()
    before = dangerous.door.row(session_id)
    dangerous.marks()
    after = dangerous.door.row(session_id)
    assert (after.level, after.policy["check_in_s"]) == (RiskLevel.HIGH, 5 * MINUTE)
    for name in ("remind_at", "due_at", "grace_until", "lost_at"):
        assert getattr(after, name) < getattr(before, name)
    assert after.end_at == before.end_at
    assert dangerous.door.told_events(session_id) == ["started", "tightened"]
    dangerous.marks(level=RiskLevel.RAISED)
    again = dangerous.door.row(session_id)
    assert (again.level, again.grace_until) == (after.level, after.grace_until)


def test_who_was_just_starting_when_it_was_approved_is_overtaken_by_it(dangerous: Dangerous) -> None:
    marker_id, door, session_id = dangerous.marks(approved=False), dangerous.door, uuid.uuid4()
    others = dangerous.marks(level=RiskLevel.RAISED, place_id=None, debtor_id=dangerous.visit().debtor_id)
    dangerous.reads(others)
    draft = SessionDraft(
        level=RiskLevel.NORMAL,
        visitor_id=door.visitor_id,
        actor_id=door.account_id,
        event_id=session_id,
        planned_s=60 * MINUTE,
        visit_id=dangerous.visit_id,
    )
    with acting_for(door.sessions, door.world.agency) as session:
        start_session(session, draft, covered=True)
        # What is not committed yet is nobody's whom this could find.
        dangerous.approves(marker_id)
    assert dangerous.level(session_id) is RiskLevel.RAISED
    for _ in range(2):
        assert door.watch() == Fired()
    row = door.row(session_id)
    assert (row.level, row.cover, row.policy["check_in_s"]) == (RiskLevel.HIGH, SessionCover.NONE, 5 * MINUTE)
    assert door.told_events(session_id) == ["started", "tightened", "cover_changed"]
    tightened = door.events(session_id)[1]
    assert (tightened.actor_id, tightened.detail["marker_id"]) == (dangerous.supervisor_id, str(marker_id))


def test_markers_that_somebody_holds_keep_no_engine_from_beating(dangerous: Dangerous, hold: Hold) -> None:
    """They are asked for on every turn."""
    door = dangerous.door
    with hold("markers"):
        assert door.watch() == Fired()
    with acting_for_all(door.sessions) as session:
        assert session.get(EngineBeat, "one") is not None


def test_who_was_just_starting_is_let_be_where_it_was_withdrawn_again(dangerous: Dangerous) -> None:
    marker_id, door = dangerous.marks(), dangerous.door
    with acting_for(door.sessions, door.world.agency) as session:
        markers.withdraw_marker(session, marker_id, dangerous.supervisor_id)
    session_id = dangerous.starts()
    assert door.watch() == Fired()
    assert dangerous.level(session_id) is RiskLevel.NORMAL


def test_whoever_is_at_the_door_is_rung_once_when_a_danger_there_becomes_known(dangerous: Dangerous) -> None:
    with acting_for_all(dangerous.door.sessions) as session:
        session.get_one(Visitor, dangerous.door.visitor_id).phone = "+358401112233"
    session_id = dangerous.starts()
    dangerous.marks()
    dangerous.marks(level=RiskLevel.RAISED)
    with acting_for(dangerous.door.sessions, dangerous.door.world.agency) as session:
        of_session = sa.select(OutboxMessage).where(OutboxMessage.session_id == session_id)
        put_out = session.scalars(of_session.order_by(OutboxMessage.channel)).all()
        assert [(each.channel, each.recipient_id) for each in put_out] == [
            (AlarmChannel.SMS, dangerous.door.visitor_id),
            (AlarmChannel.VOICE, dangerous.door.visitor_id),
        ]
        texts = {letter.text for letter in write(session, [each.id for each in put_out]).values()}  # type: ignore[union-attr]
    assert texts == {"A danger at this door has become known. Look at your phone now, and check in."}


def test_a_tightened_session_is_raised_by_its_new_deadline(dangerous: Dangerous) -> None:
    session_id = dangerous.starts()
    dangerous.marks()
    dangerous.door.pass_under_watch_s(2 * MINUTE)
    dangerous.door.beat(session_id)
    dangerous.door.pass_under_watch_s(2 * MINUTE)
    dangerous.door.beat(session_id)
    assert dangerous.door.watch().raised == 0
    dangerous.door.pass_under_watch_s(2 * MINUTE)
    assert dangerous.door.watch().raised == 1


def test_contact_that_was_only_shown_as_lost_raises_as_soon_as_a_danger_at_the_door_is_known(
    dangerous: Dangerous, urls: Urls
) -> None:
    session_id, door = dangerous.starts(), dangerous.door
    door.pass_under_watch_s(10 * MINUTE)
    assert door.watch() == Fired(lost=1)
    dangerous.marks()
    assert audit(plain_url(urls.app)) == [], "no engine is late with it"
    assert door.watch() == Fired(raised=1)
    alert, row = door.alert(), door.row(session_id)
    assert (alert.kind, row.state, row.lost_contact) == (AlertKind.LOST_CONTACT, SafetyState.ALARM, True)
    assert audit(plain_url(urls.app)) == []
    told = ["started", "contact_lost", "tightened", "contact_lost", "alert_opened"]
    assert door.told_events(session_id)[: len(told)] == told


@pytest.mark.parametrize(
    "given",
    [
        {"place_id": None},
        {"level": RiskLevel.NORMAL},
        {"told_on": None},
        {"untold_reason": "It would provoke."},
        {"review_on": TODAY + 184 * DAY},
        {"expires_on": TODAY + 367 * DAY},
        {"review_on": TODAY - DAY},
    ],
    ids=["about nothing", "harmless", "untold", "told and untold", "reviewed late", "for ever", "reviewed before"],
)
def test_a_marker_says_what_the_rules_ask_for(dangerous: Dangerous, given: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        dangerous.marks(**given)


def test_without_its_incident_there_is_no_marker(dangerous: Dangerous) -> None:
    with pytest.raises(NotFound):
        dangerous.marks(incident_id=uuid.uuid4())


def test_a_visitor_reads_no_warnings_of_visits_that_are_not_their_own(dangerous: Dangerous) -> None:
    marker_id = dangerous.marks()
    with acting_for(dangerous.door.sessions, dangerous.door.world.agency) as session:
        visitor = markers.Reader(
            account_id=dangerous.door.account_id,
            roles=frozenset({Role.VISITOR}),
            visitor_id=dangerous.door.visitor_id,
        )
        with pytest.raises(NotFound):
            markers.read_warnings(session, dangerous.visit_id, visitor)
        with pytest.raises(NotFound):
            markers.confirm_read(session, marker_id, visitor)
        assert session.scalars(sa.select(SafetyIncident)).one().account == "A dog bit."
