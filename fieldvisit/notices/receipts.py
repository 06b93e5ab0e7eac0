"""What is heard of a notice later: from its provider, signed, or from a person who handed a letter over.

Told twice or out of order it changes nothing: a notice only ever gets further. Each word is kept as it was heard.
"""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.parameters import NoticeAbout
from fieldvisit.contacts import CLOCK_SLACK
from fieldvisit.drafts import check_text
from fieldvisit.errors import FieldVisitError, InvalidValue, Kind, NotFound
from fieldvisit.models import CredentialReminder, Notice, NoticeReceipt, NoticeService, NoticeTry
from fieldvisit.notice_providers import NoticeProvider
from fieldvisit.outgoing.signatures import ReceiptRefused
from fieldvisit.rejudging import rejudge
from fieldvisit.vocabulary import Channel, NoticeState

FROM_STATES = (NoticeState.QUEUED, NoticeState.SENT)
AGAIN = (NoticeState.DEAD, NoticeState.UNDELIVERABLE, NoticeState.HELD_BACK)


class NoticeNotInState(FieldVisitError):
    code, kind = "notice_not_in_state", Kind.CONFLICT
    says = "The notice is {state}: this cannot be done with it any more."


class NotHandedOver(FieldVisitError):
    code, kind = "not_handed_over", Kind.CONFLICT
    says = "Only a letter is handed over by a person; this notice goes by {channel}."


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """`kind`: delivered or undeliverable. `provider_id`: which handing over it is about, where the provider tells."""

    notice_id: uuid.UUID
    kind: NoticeState
    provider_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class HandOver:
    """Somebody gave a letter to the post or into the letter box; `evidence`: what they have to show for it."""

    at: dt.datetime
    evidence: str | None = None

    def __post_init__(self) -> None:
        if self.evidence is not None:
            check_text("evidence", self.evidence)


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A notice is known to have arrived, or to have come back."""

    at: dt.datetime
    kind: NoticeState = NoticeState.DELIVERED
    evidence: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in (NoticeState.DELIVERED, NoticeState.UNDELIVERABLE):
            raise InvalidValue(path="kind", reason="must be delivered or undeliverable")
        if self.evidence is not None:
            check_text("evidence", self.evidence)


@dataclass(frozen=True)
class Source:
    """Who tells: a service under the name that our tries are kept by. `org_id`: whose own it is; None: everybody's."""

    name: str
    secret: str | None
    org_id: uuid.UUID | None = None


def source_of(session: Session, defaults: Iterable[NoticeProvider], given: str) -> Source:
    """The service of this name, or with this id where it is an organisation's own. Raises ReceiptRefused."""
    default = next((each for each in defaults if each.name == given), None)
    if default is not None:
        return Source(default.name, default.secret)
    try:
        own = session.get(NoticeService, uuid.UUID(given))
    except ValueError:
        own = None
    if own is None:
        raise ReceiptRefused()
    return Source(own.name, own.secret, own.org_id)


def take_receipt(session: Session, receipt: Receipt, source: Source, *, now: dt.datetime) -> None:
    """Note what a provider tells of a message. Of one that is not known here, or was never handed to this provider,
    nothing: a telephone is not told."""
    row = session.scalars(sa.select(Notice).where(Notice.id == receipt.notice_id).with_for_update()).one_or_none()
    if row is None:
        _hear_of_reminder(session, receipt, source, now)
    elif source.org_id in (None, row.sender_id) and _was_asked(session, row, source):
        _hear(session, row, receipt.kind, at=now, now=now, provider=source.name, provider_id=receipt.provider_id)


def _was_asked(session: Session, row: Notice, source: Source) -> bool:
    """Whether a try may have gone to this provider: one whose end nobody knows may have."""
    asked = sa.select(NoticeTry.number).where(
        NoticeTry.notice_id == row.id, sa.or_(NoticeTry.provider == source.name, NoticeTry.provider.is_(None))
    )
    return session.scalars(asked.limit(1)).first() is not None


def _hear_of_reminder(session: Session, receipt: Receipt, source: Source, now: dt.datetime) -> None:
    query = sa.select(CredentialReminder).where(CredentialReminder.id == receipt.notice_id).with_for_update()
    row = session.scalars(query).one_or_none()
    if row is None or not row.attempts or source.org_id not in (None, row.org_id):
        return
    if row.provider not in (None, source.name):
        return
    if receipt.kind is NoticeState.DELIVERED:
        row.delivered_at, row.sent_at = row.delivered_at or now, row.sent_at or now
        if row.state in (*FROM_STATES, NoticeState.UNDELIVERABLE):
            row.state, row.next_try_at = NoticeState.DELIVERED, None
    elif row.state in FROM_STATES:
        row.state, row.next_try_at, row.error = NoticeState.UNDELIVERABLE, None, "undeliverable"
    session.flush()


def hand_over(
    session: Session, notice_id: uuid.UUID, draft: HandOver, *, by: uuid.UUID | None, now: dt.datetime
) -> Notice:
    """A person handed the letter over: from then on it counts as sent. Raises NotFound, NotHandedOver,
    NoticeNotInState and InvalidValue."""
    row = get_notice(session, notice_id, lock=True)
    if row.channel is not Channel.LETTER:
        raise NotHandedOver(channel=row.channel)
    if row.state is not NoticeState.QUEUED:
        raise NoticeNotInState(state=row.state)
    if draft.at > now + CLOCK_SLACK or draft.at < row.created_at - CLOCK_SLACK:
        raise InvalidValue(path="at", reason="must lie between the notice's filing and now")
    row.state, row.sent_at, row.evidence = NoticeState.SENT, min(draft.at, now), draft.evidence
    row.provider, row.attempts = "by_hand", row.attempts + 1
    session.flush()
    return row


def note_arrival(
    session: Session, notice_id: uuid.UUID, draft: Arrival, *, by: uuid.UUID | None, now: dt.datetime
) -> Notice:
    """A person knows that a notice arrived, or that it came back. Raises NotFound, NoticeNotInState, InvalidValue."""
    row = get_notice(session, notice_id, lock=True)
    if row.sent_at is None:
        raise NoticeNotInState(state=row.state)
    if draft.at > now + CLOCK_SLACK or draft.at < row.sent_at:
        raise InvalidValue(path="at", reason="must lie between the notice's sending and now")
    _hear(session, row, draft.kind, at=min(draft.at, now), now=now, by=by, evidence=draft.evidence)
    return row


def retry(session: Session, notice_id: uuid.UUID, *, now: dt.datetime) -> Notice:
    """Put a notice out again that was given up, came back or was held back: with as many tries as a new one. What held
    it back is asked again.

    Raises NotFound and NoticeNotInState.
    """
    row = get_notice(session, notice_id, lock=True)
    if row.state not in AGAIN or row.channel is Channel.LETTER:
        raise NoticeNotInState(state=row.state)
    row.state, row.reason, row.error, row.next_try_at = NoticeState.QUEUED, None, None, now
    session.flush()
    return row


def withdraw(session: Session, notice_id: uuid.UUID, *, now: dt.datetime) -> Notice:
    """Take a notice back. What was sent stays on file as sent; the debtor of a visit that was announced is told that
    nobody comes at that hour. Raises NotFound and NoticeNotInState."""
    row = get_notice(session, notice_id, lock=True)
    if row.state is NoticeState.WITHDRAWN:
        raise NoticeNotInState(state=row.state)
    if (
        row.about is NoticeAbout.VISIT
        and row.sent_at is not None
        and row.state in (*FROM_STATES, NoticeState.DELIVERED)
    ):
        row.called_off_at = row.called_off_at or now
    else:
        row.state, row.reason, row.next_try_at = NoticeState.WITHDRAWN, "by_hand", None
    session.flush()
    if row.visit_id is not None:
        rejudge(session, [row.visit_id], now=now, code="notice_withdrawn")
    return row


def get_notice(session: Session, notice_id: uuid.UUID, *, lock: bool = False) -> Notice:
    query = sa.select(Notice).where(Notice.id == notice_id)
    row = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound(what="notice", id=notice_id)
    return row


def _hear(
    session: Session,
    row: Notice,
    kind: NoticeState,
    *,
    at: dt.datetime,
    now: dt.datetime,
    provider: str | None = None,
    provider_id: str | None = None,
    by: uuid.UUID | None = None,
    evidence: str | None = None,
) -> None:
    if provider is not None and _heard_before(session, row, kind, provider=provider, provider_id=provider_id):
        return
    session.add(
        NoticeReceipt(
            org_id=row.org_id,
            notice_id=row.id,
            case_id=row.case_id,
            kind=kind,
            at=at,
            provider=provider,
            provider_id=provider_id,
            recorded_by_id=by,
            evidence=evidence,
        )
    )
    if kind is NoticeState.DELIVERED:
        row.delivered_at = row.delivered_at or at
        row.sent_at = row.sent_at or at
        if row.state in (*FROM_STATES, NoticeState.UNDELIVERABLE):
            row.state, row.next_try_at = NoticeState.DELIVERED, None
    elif row.state in FROM_STATES:
        row.state, row.next_try_at, row.error = NoticeState.UNDELIVERABLE, None, "undeliverable"
    session.flush()
    if row.state is NoticeState.UNDELIVERABLE and row.visit_id is not None:
        rejudge(session, [row.visit_id], now=now, code="notice_undelivered")


def _heard_before(session: Session, row: Notice, kind: NoticeState, *, provider: str, provider_id: str | None) -> bool:
    """A webhook comes as often as its sender likes; the same word is kept once."""
    same = sa.select(NoticeReceipt.id).where(
        NoticeReceipt.notice_id == row.id,
        NoticeReceipt.kind == kind,
        NoticeReceipt.provider == provider,
        NoticeReceipt.provider_id.is_not_distinct_from(provider_id),
    )
    return session.scalars(same.limit(1)).first() is not None
