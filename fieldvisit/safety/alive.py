"""Whether an engine is at its work, and messages are sent, by its own account: a process may live and do nothing."""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.clock import database_now
from fieldvisit.models import EngineBeat
from fieldvisit.safety.beats import OUTAGE_S

UNSENT_S = 30
"""A message of an alarm that is due for longer is one that nobody sends."""


def unsent_s_on(session: Session, host: str) -> float | None:
    """The seconds for which the oldest message of an alarm has been due, by the last beat of an engine that took its
    name from this host; None where none of them has finished a turn lately."""
    return _unsent_s(session, EngineBeat.name.startswith(f"{host}-", autoescape=True))


def unsent_s_as(session: Session, name: str) -> float | None:
    """The same of the engine of this name."""
    return _unsent_s(session, EngineBeat.name == name)


def _unsent_s(session: Session, mine: sa.ColumnElement[bool]) -> float | None:
    lately = EngineBeat.at >= database_now() - dt.timedelta(seconds=OUTAGE_S)
    last = sa.select(EngineBeat.oldest_unsent_s).where(mine, lately).order_by(EngineBeat.at.desc()).limit(1)
    return session.scalar(last)
