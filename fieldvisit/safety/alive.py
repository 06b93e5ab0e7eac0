"""Whether an engine is at its work, by its own account: a process may live and do nothing."""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.clock import database_now
from fieldvisit.models import EngineBeat
from fieldvisit.safety.beats import OUTAGE_S


def beats_on(session: Session, host: str) -> bool:
    """Whether an engine that took its name from this host has finished a turn lately."""
    return _beats(session, EngineBeat.name.startswith(f"{host}-", autoescape=True))


def beats_as(session: Session, name: str) -> bool:
    """Whether the engine of this name has finished a turn lately."""
    return _beats(session, EngineBeat.name == name)


def _beats(session: Session, mine: sa.ColumnElement[bool]) -> bool:
    lately = EngineBeat.at >= database_now() - dt.timedelta(seconds=OUTAGE_S)
    return bool(session.scalar(sa.select(sa.exists().where(mine, lately))))
