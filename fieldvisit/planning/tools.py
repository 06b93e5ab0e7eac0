"""What the jobs of a worker are given."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.clock import Clock
from fieldvisit.phone.events import Desk
from fieldvisit.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What the jobs work with; made once by the worker. `desk`: how what a phone told and is held would be taken at a
    moment; None where this process tries none of it again."""

    settings: Settings
    sessions: sessionmaker[Session]
    clock: Clock
    desk: Callable[[dt.datetime], Desk] | None = None
