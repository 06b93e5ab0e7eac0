"""Ilta is at a door, Onni watches over her from the office. Time passes by moving the database's clock."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import Account, DutyShift, EngineBeat, OfficerContact, SafetyAlert, SafetyEvent, SafetySession
from fieldvisit.safety import alerts, closing, sessions
from fieldvisit.safety.drafts import Officer, Resolution, SessionDraft, Sos, Told
from fieldvisit.safety.engine import Fired, watch_once
from fieldvisit.safety.events import find_break, history
from fieldvisit.safety.sos import call_for_help
from fieldvisit.safety.standing import SafetyDisplay, standing
from fieldvisit.vocabulary import (
    AlarmChannel,
    AlertKind,
    AlertOutcome,
    AlertState,
    DutyRank,
    ResolutionProof,
    RiskLevel,
    Role,
    SafetyState,
)
from tests.worlds import World, make_visitor, make_world

MINUTE = 60


class Clock:
    """The database's clock, which only the owner of the tables may move."""

    def __init__(self, owner: sa.Engine) -> None:
        self._owner = owner

    def pass_s(self, seconds: float) -> None:
        with self._owner.begin() as connection:
            connection.execute(
                sa.text("update clock_shift set shift = shift + make_interval(secs => :s)"), {"s": seconds}
            )

    def stop(self) -> None:
        """From now on no time passes but by `pass_s`, however long the machine takes: this test's own database."""
        with self._owner.begin() as connection:
            connection.execute(sa.text("select set_config('test.began', clock_timestamp()::text, false)"))
            connection.execute(
                sa.text(
                    "do $$ begin execute format('create or replace function fieldvisit_now() returns timestamptz "
                    "language plpgsql volatile as $f$ begin return %L::timestamptz + (select shift from clock_shift); "
                    "end $f$', current_setting('test.began')); end $$"
                )
            )


@dataclass(frozen=True)
class Door:
    """One visitor under watch; every step is a transaction of its own, as on the wire."""

    sessions: sessionmaker[Session]
    world: World
    visitor_id: uuid.UUID
    account_id: uuid.UUID
    officer: Officer
    other_officer: Officer
    clock: Clock

    def told(self, **given: Any) -> Told:
        return Told(**{"visitor_id": self.visitor_id, "actor_id": self.account_id, "event_id": uuid.uuid4()} | given)

    def start(self, level: RiskLevel = RiskLevel.NORMAL, *, covered: bool = False, **given: Any) -> uuid.UUID:
        values = {
            "visitor_id": self.visitor_id,
            "actor_id": self.account_id,
            "event_id": uuid.uuid4(),
            "planned_s": 60 * MINUTE,
        }
        draft = SessionDraft(level=level, **values | given)
        with acting_for(self.sessions, self.world.agency) as session:
            return sessions.start_session(session, draft, allow_drill=True, covered=covered).session.id

    def check_in(self, session_id: uuid.UUID, **given: Any) -> SafetyDisplay:
        with acting_for(self.sessions, self.world.agency) as session:
            return sessions.check_in(session, session_id, self.told(**given)).shown

    def beat(self, session_id: uuid.UUID, **given: Any) -> None:
        with acting_for(self.sessions, self.world.agency) as session:
            sessions.beat(session, session_id, self.told(**given))

    def end(self, session_id: uuid.UUID, **given: Any) -> SafetyDisplay:
        with acting_for(self.sessions, self.world.agency) as session:
            return sessions.end_session(session, session_id, self.told(**given)).shown

    def call_for_help(self, **given: Any) -> uuid.UUID:
        values = {"visitor_id": self.visitor_id, "actor_id": self.account_id, "event_id": uuid.uuid4()} | given
        with acting_for(self.sessions, self.world.agency) as session:
            return call_for_help(session, Sos(**values)).session.id

    def watch(self, name: str = "one") -> Fired:
        return watch_once(self.sessions, name=name)

    def somebody_watches(self) -> None:
        """A beat of an engine, now: there is no outage."""
        with acting_for_all(self.sessions) as session:
            now = sa.func.fieldvisit_now()
            session.execute(sa.delete(EngineBeat))
            session.execute(sa.insert(EngineBeat).values(name="before", at=now, fired=0, oldest_due_s=0))

    def pass_under_watch_s(self, seconds: float) -> None:
        """Time passes while an engine is there, but before its next turn."""
        self.clock.pass_s(seconds)
        self.somebody_watches()

    def row(self, session_id: uuid.UUID) -> SafetySession:
        with acting_for(self.sessions, self.world.agency) as session:
            return session.get_one(SafetySession, session_id)

    def shown(self, session_id: uuid.UUID) -> SafetyDisplay:
        with acting_for(self.sessions, self.world.agency) as session:
            return standing(session, session.get_one(SafetySession, session_id)).shown

    def alerts(self) -> list[SafetyAlert]:
        with acting_for(self.sessions, self.world.agency) as session:
            return list(session.scalars(sa.select(SafetyAlert).order_by(SafetyAlert.opened_at)))

    def alert(self) -> SafetyAlert:
        """The only one there is."""
        (only,) = self.alerts()
        return only

    def acknowledge(self, by: Officer | None = None) -> SafetyAlert:
        with acting_for(self.sessions, self.world.agency) as session:
            return alerts.acknowledge(session, self.alert().id, by or self.officer)

    def note(self, by: Officer | None = None, text: str = "Called, no answer yet.") -> SafetyAlert:
        with acting_for(self.sessions, self.world.agency) as session:
            return alerts.add_note(session, self.alert().id, by or self.officer, text)

    def resolve(self, by: Officer | None = None, *, alert_id: uuid.UUID | None = None, **given: Any) -> SafetyAlert:
        values = {"outcome": AlertOutcome.FALSE_FORGOT, "proof": ResolutionProof.VOICE_CONTACT, "resume": True} | given
        with acting_for(self.sessions, self.world.agency) as session:
            return closing.resolve(session, alert_id or self.alert().id, by or self.officer, Resolution(**values))

    def told_events(self, session_id: uuid.UUID) -> list[str]:
        """The kinds of everything recorded, in order; the chain holds."""
        with acting_for(self.sessions, self.world.agency) as session:
            row = session.get_one(SafetySession, session_id)
            events = history(session, row)
            assert find_break(row, events) is None
            return [event.kind for event in events]

    def events(self, session_id: uuid.UUID) -> list[SafetyEvent]:
        with acting_for(self.sessions, self.world.agency) as session:
            return list(history(session, session.get_one(SafetySession, session_id)))


def make_door(sessions: sessionmaker[Session], clock: Clock) -> Door:
    world = make_world(sessions)
    with acting_for_all(sessions) as session:
        visitor_id = make_visitor(session, world).id
        account = make_account(session, world, Role.VISITOR, visitor_id=visitor_id)
        officers = [make_account(session, world, Role.SAFETY_OFFICER) for _ in range(2)]
        for officer, rank in zip(officers, (DutyRank.DUTY, DutyRank.BACKUP), strict=True):
            put_on_duty(session, officer, rank)
    first, second = (Officer(account_id=officer.id) for officer in officers)
    door = Door(sessions, world, visitor_id, account.id, first, second, clock)
    door.somebody_watches()
    return door


def make_account(session: Session, world: World, *roles: Role, visitor_id: uuid.UUID | None = None) -> Account:
    account = Account(
        org_id=world.agency,
        username=f"a-{uuid.uuid4().hex[:12]}",
        password_hash="none",
        roles=[role.value for role in roles],
        visitor_id=visitor_id,
    )
    session.add(account)
    session.flush()
    return account


def put_on_duty(session: Session, account: Account, rank: DutyRank, *channels: AlarmChannel) -> DutyShift:
    """On the roster for ten hours from an hour ago, and reached by these channels (SMS and voice if none is named)."""
    for channel in channels or (AlarmChannel.SMS, AlarmChannel.VOICE):
        address = f"{channel.value}:{account.username}"
        session.add(OfficerContact(org_id=account.org_id, account_id=account.id, channel=channel, address=address))
    now: dt.datetime = session.scalars(sa.select(sa.func.fieldvisit_now())).one()
    shift = DutyShift(
        org_id=account.org_id,
        account_id=account.id,
        rank=rank,
        starts_at=now - dt.timedelta(hours=1),
        ends_at=now + dt.timedelta(hours=9),
    )
    session.add(shift)
    session.flush()
    return shift


def another_door(door: Door) -> Door:
    """A second visitor of the same agency."""
    with acting_for_all(door.sessions) as session:
        visitor_id = make_visitor(session, door.world).id
        account_id = make_account(session, door.world, Role.VISITOR, visitor_id=visitor_id).id
    return Door(door.sessions, door.world, visitor_id, account_id, door.officer, door.other_officer, door.clock)


def rewrite(door: Door, session_id: uuid.UUID, **values: Any) -> None:
    """What another version of the product, or a hand, has written to a session."""
    with acting_for_all(door.sessions) as session:
        session.execute(sa.update(SafetySession).where(SafetySession.id == session_id).values(**values))


def kinds(found: list[SafetyAlert]) -> list[tuple[AlertKind, AlertState]]:
    return [(alert.kind, alert.state) for alert in found]


ALARM, ACTIVE, ENDED = SafetyState.ALARM, SafetyState.ACTIVE, SafetyState.ENDED
