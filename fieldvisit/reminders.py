"""Reminders of papers that run out: to the holder and to the office, each step once, sent by the worker."""

import datetime as dt
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from fieldvisit.drafts import acting_organisation
from fieldvisit.finding import get_by_id
from fieldvisit.languages import spoken_language
from fieldvisit.models import Credential, CredentialReminder, Visitor
from fieldvisit.notice_rules import notice_rules
from fieldvisit.notices.quiet_hours import ringing_from
from fieldvisit.renewals import due_on, repeats_for, repeats_of
from fieldvisit.vocabulary import Channel, CredentialKind, NoticeState, ReminderRecipient

DAYS_BEFORE = (1, 7, 14, 30)
"""Before a paper is due; the nearest that has come is told, once."""
NO_ADDRESS = "no_address"


def step_of(days_left: int) -> int | None:
    """Which reminder it is time for, so many days before a paper is due; None: none yet, or too late for any."""
    return next((step for step in DAYS_BEFORE if 0 <= days_left <= step), None)


def raise_reminders(session: Session, now: dt.datetime, today: dt.date) -> int:
    """Remind the holder and the office of every paper that is due soon and has no successor; how many were raised.

    A day on which nobody looked leaves out no reminder but the one that is overtaken by a nearer.
    """
    repeats = repeats_of(session, today)
    due = [
        (paper, on, step)
        for paper, on in _running_out(session, repeats, today)
        if (step := step_of((on - today).days)) is not None
    ]
    if not due:
        return 0
    ways = reminder_ways(session, {paper.visitor_id for paper, _, _ in due}, now=now)
    rows = [
        {
            "org_id": paper.org_id,
            "credential_id": paper.id,
            "visitor_id": paper.visitor_id,
            "due_on": on,
            "days_before": step,
            "recipient": recipient,
            "raised_at": now,
            **ways[paper.visitor_id, recipient],
        }
        for paper, on, step in due
        for recipient in ReminderRecipient
    ]
    made = insert(CredentialReminder).on_conflict_do_nothing().returning(CredentialReminder.id)
    return len(session.scalars(made, rows).all())


def reminder_ways(
    session: Session, visitor_ids: Collection[uuid.UUID], *, now: dt.datetime
) -> dict[tuple[uuid.UUID, ReminderRecipient], dict[str, Any]]:
    """How each holder, and the office of each, is reached: channel, language, and when it is tried first. Where no
    address is on file the reminder stays a line to be read, and says so."""
    us = acting_organisation(session)
    rules = notice_rules(session, us.id)
    office = _way(Channel.EMAIL if rules.office_email else None, rules.office_language, now)
    rings = ringing_from(now, us.zone)
    found = {}
    for visitor in session.scalars(sa.select(Visitor).where(Visitor.id.in_(visitor_ids))):
        by = Channel.SMS if visitor.phone else None
        found[visitor.id, ReminderRecipient.HOLDER] = _way(by, spoken_language(visitor.languages), rings)
        found[visitor.id, ReminderRecipient.OFFICE] = office
    return found


def _way(channel: Channel | None, language: str, at: dt.datetime) -> dict[str, Any]:
    state, reason = (NoticeState.DEAD, NO_ADDRESS) if channel is None else (NoticeState.QUEUED, None)
    return {
        "channel": channel,
        "language": language,
        "state": state,
        "reason": reason,
        "next_try_at": None if channel is None else at,
    }


def still_stands(session: Session, reminder: CredentialReminder, today: dt.date) -> bool:
    """Whether its paper is still due on that day, with nothing that follows on it. For whoever sees every organisation
    too."""
    repeats = repeats_for(session, reminder.org_id, today)
    due = {paper.id: on for paper, on in _running_out(session, repeats, today, only=reminder.credential_id)}
    return due.get(reminder.credential_id) == reminder.due_on and reminder.due_on >= today


def _running_out(
    session: Session, repeats: Mapping[CredentialKind, int], today: dt.date, *, only: uuid.UUID | None = None
) -> Iterator[tuple[Credential, dt.date]]:
    """The papers of those who go out, with when each is due; neither those taken back nor those with a successor."""
    soon = today + dt.timedelta(days=max(DAYS_BEFORE))
    later = aliased(Credential)
    successor = (
        sa.select(later.id)
        .where(
            later.visitor_id == Credential.visitor_id,
            later.kind == Credential.kind,
            later.for_org_id.is_not_distinct_from(Credential.for_org_id),
            later.for_case_id.is_not_distinct_from(Credential.for_case_id),
            later.revoked_at.is_(None),
            later.valid_from > Credential.valid_from,
            later.valid_until > Credential.valid_until,
        )
        .exists()
    )
    papers = session.scalars(
        sa.select(Credential)
        .join(Visitor, Visitor.id == Credential.visitor_id)
        .where(
            Visitor.active,
            Credential.revoked_at.is_(None),
            Credential.valid_until >= today,
            sa.or_(Credential.valid_until <= soon, Credential.kind.in_(repeats)),
            sa.not_(successor),
            sa.true() if only is None else Credential.id == only,
        )
        .order_by(Credential.valid_until, Credential.id)
    )
    for paper in papers:
        yield paper, due_on(paper, repeats)


def reminders() -> sa.Select[CredentialReminder]:
    """Every reminder that one may see; the caller states the order."""
    return sa.select(CredentialReminder)


def standing_reminders(session: Session, visitor_id: uuid.UUID, today: dt.date) -> Sequence[CredentialReminder]:
    """What the holder is still to be told: of papers that hold, and that nothing follows on; the nearest first."""
    repeats = repeats_of(session, today)
    due = {paper.id: on for paper, on in _running_out(session, repeats, today) if paper.visitor_id == visitor_id}
    rows = session.scalars(
        sa.select(CredentialReminder)
        .where(
            CredentialReminder.visitor_id == visitor_id,
            CredentialReminder.recipient == ReminderRecipient.HOLDER,
            CredentialReminder.credential_id.in_(due),
        )
        .order_by(CredentialReminder.due_on, CredentialReminder.days_before)
    ).all()
    # The nearest of a paper says it all, and one of dates that were changed since says nothing.
    nearest = {row.credential_id: row for row in reversed(rows) if row.due_on == due[row.credential_id]}
    return [row for row in rows if nearest.get(row.credential_id) is row]


def note_seen(
    session: Session, reminder_id: uuid.UUID, *, account_id: uuid.UUID, now: dt.datetime
) -> CredentialReminder:
    """Somebody takes care of it. Doing it again changes nothing. Raises NotFound."""
    row = get_by_id(session, CredentialReminder, reminder_id)
    if row.seen_at is None:
        row.seen_at, row.seen_by_id = now, account_id
        session.flush()
    return row
