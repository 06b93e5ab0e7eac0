"""What the sender carries: an outbox, and how one of its messages is made ready at the last moment."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy.orm import Session

from fieldvisit.notices.outbox import Outbox
from fieldvisit.outgoing.gateways import Letter
from fieldvisit.vocabulary import NoticeState


@dataclass(frozen=True)
class Unwanted:
    """Why a message is not sent after all."""

    state: NoticeState
    reason: str


class Post:
    """One kind of messages. The session sees every organisation."""

    outbox: ClassVar[Outbox]

    def ready(self, session: Session, message_id: uuid.UUID, *, now: dt.datetime) -> Letter | Unwanted:
        """The message as it goes out now, if it still holds and nothing forbids it."""
        raise NotImplementedError

    def died(self, session: Session, message_id: uuid.UUID, *, now: dt.datetime) -> None:
        """Nobody tries this one any more by themselves."""
