"""Who carries whose messages: each organisation's own services where it has some for the channel, else those of the
installation.

A lane is one channel by one set of services. What hangs in one keeps no other waiting.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from fieldvisit.errors import FieldVisitError
from fieldvisit.models import NoticeService
from fieldvisit.notice_providers import CARRIED, NoticeProvider
from fieldvisit.notice_services import provider_of
from fieldvisit.notices.channels import notice_channels
from fieldvisit.outgoing.gateways import Channels, Handed, Letter
from fieldvisit.vocabulary import Channel

log = structlog.get_logger("fieldvisit.notices")


@dataclass(frozen=True)
class Lane:
    """`org_id` None: the installation's services, for everybody but `elsewhere`, who have their own."""

    channel: Channel
    org_id: uuid.UUID | None
    channels: Channels
    elsewhere: frozenset[uuid.UUID] = frozenset()

    @property
    def key(self) -> tuple[Channel, uuid.UUID | None]:
        return self.channel, self.org_id

    @property
    def providers(self) -> int:
        return self.channels.count(self.channel)

    def of(self, sender: sa.ColumnElement[uuid.UUID]) -> sa.ColumnElement[bool]:
        """Which messages go by this lane."""
        if self.org_id is not None:
            return sender == self.org_id
        return sender.not_in(self.elsewhere) if self.elsewhere else sa.true()

    def hand_over(self, letter: Letter, *, last: str | None) -> Handed:
        return self.channels.hand_over(letter, last=last)


class Carriers:
    """Keeps the connections of a set of services for as long as it stays what it was."""

    def __init__(self, defaults: Iterable[NoticeProvider], timeout_s: float, *, public_only: bool = False) -> None:
        self._timeout_s = timeout_s
        self._public_only = public_only
        self._defaults = notice_channels(defaults, timeout_s)
        self._own: dict[uuid.UUID, tuple[tuple[NoticeProvider, ...], Channels]] = {}

    def lanes(self, session: Session) -> list[Lane]:
        """The lanes as the rows say now. The session sees every organisation."""
        self._look(session)
        own: list[Lane] = []
        elsewhere: dict[Channel, set[uuid.UUID]] = defaultdict(set)
        for org_id, (_, channels) in sorted(self._own.items(), key=lambda each: each[0]):
            for channel in CARRIED:
                if channels.count(channel):
                    own.append(Lane(channel, org_id, channels))
                    elsewhere[channel].add(org_id)
        shared = [
            Lane(channel, None, self._defaults, frozenset(elsewhere[channel]))
            for channel in CARRIED
            if self._defaults.count(channel)
        ]
        return shared + own

    def close(self) -> None:
        """Give back the connections to the providers."""
        self._defaults.close()
        for _, channels in self._own.values():
            channels.close()
        self._own.clear()

    def _look(self, session: Session) -> None:
        found = dict(self._read(session))
        for org_id in [known for known, (providers, _) in self._own.items() if found.get(known) != providers]:
            self._own.pop(org_id)[1].close()
        for org_id, providers in found.items():
            if org_id not in self._own:
                made = notice_channels(providers, self._timeout_s, public_only=self._public_only)
                self._own[org_id] = providers, made

    def _read(self, session: Session) -> Iterator[tuple[uuid.UUID, tuple[NoticeProvider, ...]]]:
        by_org: dict[uuid.UUID, list[NoticeProvider]] = defaultdict(list)
        for row in _rows(session):
            by_org[row.org_id].append(provider_of(row))
        for org_id, providers in by_org.items():
            yield org_id, tuple(providers)


def _rows(session: Session) -> Iterator[NoticeService]:
    """All at once; where one cannot be opened, each by itself, so that it keeps nobody else's from going out."""
    order = (NoticeService.org_id, NoticeService.place, NoticeService.name)
    try:
        yield from session.scalars(sa.select(NoticeService).order_by(*order)).all()
    except FieldVisitError:
        for service_id in session.scalars(sa.select(NoticeService.id).order_by(*order)).all():
            try:
                yield session.get_one(NoticeService, service_id)
            except FieldVisitError as error:
                log.error("notice_service_unreadable", service_id=str(service_id), error=error.code)
