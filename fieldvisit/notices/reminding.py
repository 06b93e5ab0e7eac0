"""Reminders of papers on their way out: whether one still holds, and its words in the language of whoever reads it."""

import datetime as dt
import uuid

import sqlalchemy as sa
from babel.dates import format_date
from sqlalchemy.orm import Session

from fieldvisit.compliance.wallclock import local_day
from fieldvisit.errors import NotFound
from fieldvisit.languages import Message, say
from fieldvisit.models import Credential, CredentialReminder, Organisation, Visitor
from fieldvisit.notice_rules import notice_rules
from fieldvisit.notices.outbox import REMINDERS
from fieldvisit.notices.posts import Post, Unwanted
from fieldvisit.notices.receipts import NoticeNotInState
from fieldvisit.outgoing.gateways import Letter
from fieldvisit.reminders import NO_ADDRESS, reminder_ways, still_stands
from fieldvisit.vocabulary import NoticeState, ReminderRecipient

TO_HOLDER = Message(
    "{organisation}: your {kind} ({issuer}) holds until {date}. Days left: {days}. See to the next one in time."
)
TO_OFFICE = Message(
    "The {kind} ({issuer}) of staff number {staff_number} holds until {date}. Days left: {days}. "
    "Nothing follows on it yet: without one its holder is not planned any more."
)
SUBJECT = Message("{kind} of staff number {staff_number}: {days} days left")


class ReminderPost(Post):
    """What holders and offices are told of papers."""

    outbox = REMINDERS

    def ready(self, session: Session, message_id: uuid.UUID, *, now: dt.datetime) -> Letter | Unwanted:
        row = session.get_one(CredentialReminder, message_id, populate_existing=True)
        if row.state is not NoticeState.QUEUED:
            return Unwanted(row.state, row.reason or "settled")
        organisation = session.get_one(Organisation, row.org_id)
        today = local_day(now, organisation.zone)
        if (why := _overtaken(session, row, today)) is not None:
            return Unwanted(NoticeState.WITHDRAWN, why)
        return _letter(session, row, organisation, today) or Unwanted(NoticeState.DEAD, NO_ADDRESS)


def _overtaken(session: Session, row: CredentialReminder, today: dt.date) -> str | None:
    """Why nobody has to be told any more: taken care of, renewed, or told of a nearer day."""
    if row.seen_at is not None:
        return "seen"
    nearer = sa.select(CredentialReminder.id).where(
        CredentialReminder.credential_id == row.credential_id,
        CredentialReminder.recipient == row.recipient,
        CredentialReminder.due_on == row.due_on,
        CredentialReminder.days_before < row.days_before,
    )
    if session.scalars(nearer.limit(1)).first() is not None:
        return "overtaken"
    return None if still_stands(session, row, today) else "no_longer_holds"


def _letter(session: Session, row: CredentialReminder, organisation: Organisation, today: dt.date) -> Letter | None:
    """None where the address has gone since."""
    paper, visitor = session.get_one(Credential, row.credential_id), session.get_one(Visitor, row.visitor_id)
    to_office = row.recipient is ReminderRecipient.OFFICE
    to = notice_rules(session, row.org_id).office_email if to_office else visitor.phone
    if to is None or row.channel is None:
        return None
    values = {
        "organisation": organisation.name,
        "kind": paper.kind,
        "issuer": paper.issuer,
        "staff_number": visitor.staff_number,
        "date": format_date(row.due_on, "long", locale=row.language),
        "days": (row.due_on - today).days,
    }
    said = TO_OFFICE if to_office else TO_HOLDER
    return Letter(
        id=row.id,
        channel=row.channel,
        to=to,
        text=say(Message(said.text, values), row.language),
        language=row.language,
        subject=say(Message(SUBJECT.text, values), row.language) if to_office else None,
    )


def retry_reminder(session: Session, reminder_id: uuid.UUID, *, now: dt.datetime) -> CredentialReminder:
    """Put a reminder out again that was given up or came back, to the address that is on file now; without one it stays
    as it is. Raises NotFound and NoticeNotInState."""
    query = sa.select(CredentialReminder).where(CredentialReminder.id == reminder_id).with_for_update()
    row = session.scalars(query).one_or_none()
    if row is None:
        raise NotFound(what="credential reminder", id=reminder_id)
    if row.state not in (NoticeState.DEAD, NoticeState.UNDELIVERABLE):
        raise NoticeNotInState(state=row.state)
    for name, value in reminder_ways(session, [row.visitor_id], now=now)[row.visitor_id, row.recipient].items():
        setattr(row, name, value)
    row.error = None
    session.flush()
    return row
