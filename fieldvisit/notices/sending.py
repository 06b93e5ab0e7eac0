"""The sender: claims notices, looks once more whether they still hold, hands them over outside of any transaction, and
records what came of it. Whoever dies in between leaves a try without an end; the notice is sent again, under its id."""

import datetime as dt
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.compliance.parameters import NoticeAbout
from fieldvisit.database import acting_for_all
from fieldvisit.errors import FieldVisitError
from fieldvisit.models import Case, ContactPoint, Notice, Organisation, Visit
from fieldvisit.notice_providers import CARRIED
from fieldvisit.notices.announcing import call_off
from fieldvisit.notices.filing import ANNOUNCEABLE
from fieldvisit.notices.matters import matter_of, stopped_by
from fieldvisit.notices.outbox import Pace, claim, drop, record
from fieldvisit.outgoing.gateways import Channels, Handed, Letter
from fieldvisit.outgoing.leases import Claimed
from fieldvisit.rejudging import rejudge
from fieldvisit.vocabulary import Channel, NoticeState

SLOTS = 4
"""Notices of one channel that are handed over at a time."""

log = structlog.get_logger("fieldvisit.notices")


@dataclass(frozen=True)
class Unwanted:
    """Why a notice is not sent after all."""

    state: NoticeState
    reason: str


class Sender:
    """Sends what is due of each channel, level-triggered: it remembers nothing between two looks."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        channels: Channels,
        clock: Callable[[], dt.datetime],
        *,
        pace: Pace | None = None,
    ) -> None:
        self._sessions = sessions
        self._channels = channels
        self._clock = clock
        self._pace = pace or Pace()

    def close(self) -> None:
        """Give back the connections to the providers."""
        self._channels.close()

    def turn(self) -> int:
        """Tell of what was called off, then everything that is due; how many tries were made."""
        with acting_for_all(self._sessions) as session:
            call_off(session, now=self._clock())
        # A channel whose provider hangs keeps the other one waiting for nothing.
        with ThreadPoolExecutor(len(CARRIED), thread_name_prefix="notices") as pool:
            return sum(pool.map(self._send_channel, CARRIED))

    def _send_channel(self, channel: Channel) -> int:
        sent = 0
        # Without a provider it waits, and is shown as waiting: to try it would only use up its tries.
        while self._channels.count(channel):
            with acting_for_all(self._sessions) as session:
                found = claim(session, channel, SLOTS, self._pace)
            if not found:
                break
            threads = [threading.Thread(target=self._guarded, args=(channel, each)) for each in found]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            sent += len(found)
        return sent

    def _guarded(self, channel: Channel, claimed: Claimed) -> None:
        try:
            self.send(channel, claimed)
        except DBAPIError as error:
            # Its lease runs out, and it is sent again: perhaps once too often, never once too few.
            log.error("notice_not_recorded", notice_id=str(claimed.id), error=type(error.orig).__name__)
        except Exception as error:
            # One that can never be sent must not be tried for ever: it is a try that failed, like any other.
            log.exception("notice_not_sent", notice_id=str(claimed.id))
            failed = Handed(provider="none", error=type(error).__name__)
            with acting_for_all(self._sessions) as session:
                record(session, claimed, failed, self._pace, providers=self._channels.count(channel))

    def send(self, channel: Channel, claimed: Claimed) -> None:
        """One try."""
        with acting_for_all(self._sessions) as session:
            letter = letter_of(session, claimed.id, now=self._clock())
        if isinstance(letter, Unwanted):
            with acting_for_all(self._sessions) as session:
                drop(session, claimed, letter.state, letter.reason)
            log.info("notice_dropped", notice_id=str(claimed.id), reason=letter.reason)
            return
        providers = self._channels.count(channel)
        handed = self._channels.hand_over(letter, last=claimed.last)
        with acting_for_all(self._sessions) as session:
            record(session, claimed, handed, self._pace, providers=providers)
        said = {"notice_id": str(claimed.id), "provider": handed.provider, "attempt": claimed.attempt}
        if handed.error is None:
            log.info("notice_sent", **said)
            return
        log.warning("notice_failed", **said, error=handed.error)
        if self._pace.is_last(claimed.attempt):
            log.error("notice_dead", **said)
            self._rejudge(claimed.id)

    def _rejudge(self, notice_id: uuid.UUID) -> None:
        """A visit whose debtor could not be told is judged anew: there may be no time left to tell them."""
        with acting_for_all(self._sessions) as session:
            visit_id = session.scalar(
                sa.select(Notice.visit_id).where(Notice.id == notice_id, Notice.about == NoticeAbout.VISIT)
            )
            if visit_id is not None:
                rejudge(session, [visit_id], now=self._clock(), code="notice_undelivered")


def letter_of(session: Session, notice_id: uuid.UUID, *, now: dt.datetime) -> Letter | Unwanted:
    """The notice as it goes out now, if it still holds and nothing forbids it."""
    row = session.get_one(Notice, notice_id, populate_existing=True)
    if row.state is not NoticeState.QUEUED:
        return Unwanted(row.state, row.reason or "settled")
    try:
        return _letter(session, row, now)
    except FieldVisitError as error:
        # A value that cannot be opened, a debtor without any place.
        return Unwanted(NoticeState.DEAD, error.code)


def _letter(session: Session, row: Notice, now: dt.datetime) -> Letter | Unwanted:
    visit = session.get(Visit, row.visit_id) if row.visit_id else None
    if row.about is NoticeAbout.VISIT and (visit is None or not _to_be_announced(row, visit, now)):
        return Unwanted(NoticeState.WITHDRAWN, "no_longer_holds")
    sender, case = session.get_one(Organisation, row.sender_id), session.get_one(Case, row.case_id)
    matter = matter_of(session, row.about, case, sender=sender, now=now, visit=visit)
    stopped = stopped_by(matter, row.channel, now)
    if stopped is not None:
        return Unwanted(NoticeState.HELD_BACK, stopped[0].value)
    point = session.get(ContactPoint, row.contact_point_id) if row.contact_point_id else None
    if point is None or row.body is None:
        return Unwanted(NoticeState.DEAD, "no_address")
    return Letter(
        id=row.id, channel=row.channel, to=point.value, text=row.body, language=row.language, subject=row.subject
    )


def _to_be_announced(row: Notice, visit: Visit, now: dt.datetime) -> bool:
    ahead = row.announced_from is not None and row.announced_from > now
    return visit.state in ANNOUNCEABLE and ahead and row.called_off_at is None
