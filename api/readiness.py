"""Whether this database may be served. Asked until it says yes once, so that a server may start before its database."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import sessionmaker

from api.storage import translated
from fieldvisit.database import refuse_unsafe
from fieldvisit.errors import DatabaseUnavailable, FieldVisitError, Kind
from fieldvisit.languages import Message
from fieldvisit.partitions import make_partitions
from fieldvisit.settings import Settings


class NotReady(FieldVisitError):
    """Served to callers while the database is not one that may be served: the reason is the operator's business."""

    code, kind = "not_ready", Kind.UNAVAILABLE
    says = "The service is not ready: {reason}"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One thing the service stands on; `well` is None for what it can do without."""

    name: str
    well: bool | None
    said: Message | FieldVisitError


class Readiness:
    def __init__(self, engine: sa.Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings
        self._safe = False

    def refuse_until_safe(self) -> None:
        """Raise NotReady while the role is above row-level security, the schema old or the clock shifted."""
        if self._safe:
            return
        try:
            refuse_unsafe(self._engine, self._settings)
        except FieldVisitError as error:
            raise NotReady(reason=Message(error.says, error.details)) from error
        # Where no worker and no watcher has run for long, the first request makes the month that it needs.
        make_partitions(sessionmaker(self._engine))
        self._safe = True

    def parts(self) -> list[Part]:
        return [self._database(), self._map()]

    def _database(self) -> Part:
        try:
            refuse_unsafe(self._engine, self._settings)
        except FieldVisitError as error:
            return Part(name="database", well=False, said=error)
        except SQLAlchemyError as error:
            return Part(name="database", well=False, said=translated(error) or DatabaseUnavailable())
        return Part(name="database", well=True, said=Message("It answers, and its schema is the one needed."))

    def _map(self) -> Part:
        file = self._settings.map_file
        if file is None:
            return Part(name="map", well=None, said=Message("No map is set: distances are as the crow flies."))
        if not file.is_file():
            return Part(name="map", well=None, said=Message("The map file {path} is missing.", {"path": file.name}))
        return Part(name="map", well=True, said=Message("The map file is there."))
