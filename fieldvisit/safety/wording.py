"""What an alarm says: short enough for one text message, nothing of any debtor, in the reader's own language."""

import datetime as dt
import uuid
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.clock import database_now
from fieldvisit.errors import FieldVisitError
from fieldvisit.languages import DEFAULT, Message, say
from fieldvisit.models import (
    Account,
    OfficerContact,
    Organisation,
    OutboxMessage,
    SafetyAlert,
    SafetySession,
    Visit,
    Visitor,
)
from fieldvisit.outgoing.gateways import Letter
from fieldvisit.vocabulary import AlarmChannel, AlertState, MessagePurpose, MessageRecipient

ANSWERED = (AlertState.ACKNOWLEDGED, AlertState.RESOLVED)
LATE_S = 120
"""An alarm this much later than its cause says how old it is."""
SPOKEN = Message("Press 1 to take this alarm.")


@dataclass(frozen=True)
class Unwritable:
    """Why there is no letter: the message is dropped."""

    reason: str


def write(session: Session, message_id: uuid.UUID) -> Letter | Unwritable:
    """The message as it goes out now: to where the recipient is reached now, if it is still wanted."""
    message = session.get(OutboxMessage, message_id, populate_existing=True)
    if message is None:
        return Unwritable("gone")
    try:
        found = _recipient(session, message)
        if isinstance(found, Unwritable):
            return found
        to, language = found
        said = _said(session, message)
    except FieldVisitError as error:
        # One value that cannot be opened must not stop the messages behind it.
        return Unwritable(error.code)
    if isinstance(said, Unwritable):
        return said
    text = say(said, language)
    if message.channel is AlarmChannel.VOICE and message.recipient is not MessageRecipient.VISITOR:
        text = f"{text} {say(SPOKEN, language)}" if message.purpose is MessagePurpose.ALARM else text
    return Letter(id=message.id, channel=message.channel, to=to, text=text, language=language)


def _recipient(session: Session, message: OutboxMessage) -> tuple[str, str] | Unwritable:
    if message.recipient is MessageRecipient.VISITOR:
        visitor = session.get(Visitor, message.recipient_id)
        if visitor is None or visitor.phone is None:
            return Unwritable("no number")
        return visitor.phone, _spoken(visitor.languages)
    contact = session.scalar(
        sa.select(OfficerContact)
        .join(Account)
        .where(OfficerContact.id == message.recipient_id, OfficerContact.active, Account.active)
    )
    return (contact.address, contact.language) if contact else Unwritable("not reachable any more")


def _said(session: Session, message: OutboxMessage) -> Message | Unwritable:
    if message.give_up_at is not None and _is_late(session, message):
        return Unwritable("too late")
    if message.purpose is MessagePurpose.CONTACT_TEST:
        return Message("Test of the alarm line: press 1, or answer as you were shown. Nobody is in danger.")
    if message.purpose is MessagePurpose.WATCH_FAILS:
        return Message("WARNING: alarms may not be answered for just now. Look at the list, and call who is out.")
    if message.alert_id is None:
        return Unwritable("nothing to say")
    alert = session.get_one(SafetyAlert, message.alert_id)
    if message.purpose is MessagePurpose.ALARM and alert.state in ANSWERED:
        return Unwritable("taken")
    row = session.get_one(SafetySession, alert.session_id)
    if message.purpose is MessagePurpose.TAKEN:
        return Message("Your safety officer has your alarm and is acting on it.")
    if message.purpose is MessagePurpose.ALL_CLEAR:
        return _all_clear(session, alert, row)
    if message.recipient is MessageRecipient.VISITOR:
        return Message(
            "You have not reported back. Check in now, or call your safety officer. We are calling for help."
        )
    return _alarm(session, alert, row)


def _alarm(session: Session, alert: SafetyAlert, row: SafetySession) -> Message:
    visitor = session.get_one(Visitor, row.visitor_id)
    visit = session.get(Visit, row.visit_id) if row.visit_id else None
    zone = session.get_one(Organisation, row.org_id).zone
    place = f"{row.last_lat:.5f},{row.last_lon:.5f}" if row.last_lat is not None else "-"
    values = {
        "kind": alert.kind,
        "name": visitor.name,
        "staff_number": visitor.staff_number,
        "visit": visit.reference if visit else "-",
        "at": _clock(alert.deadline_at, zone),
        "place": place,
    }
    late_s = (alert.opened_at - alert.deadline_at).total_seconds()
    if alert.unverified:
        return Message(
            "ALARM after an outage of our own watch, not verified: {kind}. {name} ({staff_number}), visit {visit}, "
            "since {at}, last position {place}.",
            values,
        )
    if late_s >= LATE_S:
        return Message(
            "LATE ALARM, {minutes} min old: {kind}. {name} ({staff_number}), visit {visit}, since {at}, last position "
            "{place}.",
            values | {"minutes": int(late_s // 60)},
        )
    return Message(
        "ALARM: {kind}. {name} ({staff_number}), visit {visit}, since {at}, last position {place}.",
        values,
    )


def _all_clear(session: Session, alert: SafetyAlert, row: SafetySession) -> Message:
    visitor = session.get_one(Visitor, row.visitor_id)
    values = {"kind": alert.kind, "name": visitor.name, "staff_number": visitor.staff_number}
    return Message("ALL CLEAR: {kind}. {name} ({staff_number}). Nobody has to do anything any more.", values)


def _is_late(session: Session, message: OutboxMessage) -> bool:
    return bool(session.scalar(sa.select(sa.literal(message.give_up_at) <= database_now())))


def _clock(moment: dt.datetime, zone: str) -> str:
    return moment.astimezone(ZoneInfo(zone)).strftime("%H:%M")


def _spoken(languages: list[str]) -> str:
    return "zh_CN" if any(each.lower().startswith("zh") for each in languages) else DEFAULT
