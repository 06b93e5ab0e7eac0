"""The canary: a session of nobody that misses its check-in every five minutes, so that the whole way from a deadline to
a ringing telephone is walked all day, and is missed as soon as any part of it is broken.

It lives in an organisation of its own, whose one officer is a test telephone, a mailbox and whatever else alarms go to.
Nothing on its way knows that it is one: the same engine raises it, the same sender hands it over, the same providers
say that it arrived. The auditor counts the minutes since each address was last reached.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.clock import database_now
from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.models import (
    Account,
    DutyShift,
    OfficerContact,
    Organisation,
    OutboxMessage,
    SafetyAlert,
    SafetySession,
    Visitor,
)
from fieldvisit.safety import alerts, closing, sessions
from fieldvisit.safety.drafts import Officer, Resolution, SessionDraft, Told
from fieldvisit.safety.opening import Beginning, find_open, insert_session
from fieldvisit.safety.roster import ContactDraft, add_contact
from fieldvisit.safety.timers import BY_LEVEL, Ladder, Timers
from fieldvisit.vocabulary import (
    AlarmChannel,
    AlertOutcome,
    AlertState,
    DutyRank,
    MessagePurpose,
    MessageState,
    OrganisationKind,
    ResolutionProof,
    RiskLevel,
    Role,
)

EVERY_S = 300
CODE = "canary"
ROSTER_FOR = dt.timedelta(hours=1)
# One step, which nothing but the next flight ends: the test telephone rings once each time.
FLIGHT: Timers = replace(
    BY_LEVEL[RiskLevel.DRILL],
    silent=Ladder(waits_s=(2 * EVERY_S,), joins=((DutyRank.DUTY,),), repeat_s=2 * EVERY_S, ack_s=EVERY_S),
)
ARRIVED = (MessageState.DELIVERED, MessageState.ANSWERED)


class NoCanary(FieldVisitError):
    code, kind = "no_canary", Kind.CONFLICT
    says = "There is no canary here. Make one first, with the addresses that it has to reach."


@dataclass(frozen=True, kw_only=True)
class Reached:
    """One address of one flight. `seen_s`: from the deadline until its provider said that it arrived there (or, where
    that provider sends no receipts, accepted it); None where it did not."""

    channel: AlarmChannel
    due_at: dt.datetime
    seen_s: float | None


def make_canary(session: Session, addresses: Mapping[AlarmChannel, str], *, password_hash: str) -> Organisation:
    """The canary's organisation with these addresses; those that it had before are used no more. The session sees the
    rows of all organisations. `password_hash`: of a password that nobody knows."""
    home = find_canary(session)
    if home is None:
        home = Organisation(
            code=CODE, name="Canary", kind=OrganisationKind.AGENCY, country="FI", zone="UTC", canary=True
        )
        session.add(home)
        session.flush()
        visitor = Visitor(org_id=home.id, external_id=CODE, name="Canary", staff_number=CODE)
        officer = Account(
            org_id=home.id, username=CODE, password_hash=password_hash, roles=[Role.SAFETY_OFFICER.value], name="Canary"
        )
        session.add_all([visitor, officer])
        session.flush()
    officer = _officer(session, home)
    session.execute(sa.update(OfficerContact).where(OfficerContact.org_id == home.id).values(active=False))
    for channel, address in addresses.items():
        add_contact(session, ContactDraft(account_id=officer.id, channel=channel, address=address))
    return home


def find_canary(session: Session) -> Organisation | None:
    return session.scalar(sa.select(Organisation).where(Organisation.canary))


def fly(session: Session) -> uuid.UUID:
    """End the flight before, whatever has become of it, and begin the next; its session. Raises NoCanary."""
    home = find_canary(session)
    if home is None:
        raise NoCanary()
    officer, visitor = _officer(session, home), session.scalars(_of(Visitor, home)).one()
    _land(session, visitor, Officer(account_id=officer.id))
    _keep_on_duty(session, officer)
    draft = SessionDraft(
        visitor_id=visitor.id, actor_id=None, event_id=uuid.uuid4(), planned_s=2 * EVERY_S, level=RiskLevel.DRILL
    )
    row = insert_session(session, draft, Beginning(FLIGHT), session_id=draft.event_id)
    assert row is not None, "the flight before was landed under its lock"
    return row.id


def flights(session: Session, *, since: dt.timedelta) -> Sequence[Reached]:
    """What became of each address of each flight, the newest first."""
    home = find_canary(session)
    if home is None:
        raise NoCanary()
    seen_at = sa.case(
        (OutboxMessage.state.in_(ARRIVED), sa.func.least(OutboxMessage.delivered_at, OutboxMessage.answered_at)),
        (sa.and_(OutboxMessage.state == MessageState.SENT, OutboxMessage.next_try_at.is_(None)), OutboxMessage.sent_at),
    )
    rows = session.execute(
        sa.select(
            OutboxMessage.channel, SafetyAlert.deadline_at, sa.extract("epoch", seen_at - SafetyAlert.deadline_at)
        )
        .join(SafetyAlert, SafetyAlert.id == OutboxMessage.alert_id)
        .where(
            OutboxMessage.org_id == home.id,
            OutboxMessage.purpose == MessagePurpose.ALARM,
            SafetyAlert.opened_at > database_now() - since,
        )
        .order_by(SafetyAlert.deadline_at.desc(), OutboxMessage.channel)
    )
    return [Reached(channel=c, due_at=d, seen_s=None if s is None else float(s)) for c, d, s in rows]


def _land(session: Session, visitor: Visitor, by: Officer) -> None:
    open_id = find_open(session, visitor.id)
    if open_id is None:
        return
    standing = sa.select(SafetyAlert.id).where(
        SafetyAlert.session_id == open_id, SafetyAlert.state != AlertState.RESOLVED
    )
    for alert_id in session.scalars(standing).all():
        if alerts.get_alert(session, alert_id).owner_id != by.account_id:
            alerts.acknowledge(session, alert_id, by)
        ended = Resolution(outcome=AlertOutcome.DRILL, proof=ResolutionProof.SEEN_IN_PERSON, resume=False)
        closing.resolve(session, alert_id, by, ended)
    if session.get_one(SafetySession, open_id).ended_at is None:
        # Nobody raised it: its watchers are away, which the auditor says.
        sessions.end_session(session, open_id, Told(visitor_id=visitor.id, actor_id=None, event_id=uuid.uuid4()))


def _keep_on_duty(session: Session, officer: Account) -> None:
    now = session.scalars(sa.select(database_now())).one()
    ends = session.scalar(
        sa.select(sa.func.max(DutyShift.ends_at)).where(DutyShift.account_id == officer.id, DutyShift.starts_at <= now)
    )
    if ends is None or ends < now + ROSTER_FOR / 2:
        shift = {"rank": DutyRank.DUTY, "starts_at": now, "ends_at": now + ROSTER_FOR}
        session.add(DutyShift(org_id=officer.org_id, account_id=officer.id, **shift))
        session.flush()


def _officer(session: Session, home: Organisation) -> Account:
    return session.scalars(_of(Account, home)).one()


def _of[M: (Account, Visitor)](model: type[M], home: Organisation) -> sa.Select[M]:
    return sa.select(model).where(model.org_id == home.id)
