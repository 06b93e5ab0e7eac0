"""What the jobs of a worker are given."""

from dataclasses import dataclass

from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.clock import Clock
from fieldvisit.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What the jobs work with; made once by the worker."""

    settings: Settings
    sessions: sessionmaker[Session]
    clock: Clock
