"""What time passes by: kept up by the worker every ten minutes, beside its searches."""

import datetime as dt
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from fieldvisit.answers import forget_answers
from fieldvisit.apart import Apart
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.evidence import drop_unfinished
from fieldvisit.field_rules import field_rules
from fieldvisit.files import FileStore, FilesUnavailable
from fieldvisit.forgotten_files import let_go
from fieldvisit.gate import open_visits
from fieldvisit.models import Organisation
from fieldvisit.partitions import make_partitions
from fieldvisit.phone.events import release
from fieldvisit.phone.holding import waited_for
from fieldvisit.placements import call_off_visits
from fieldvisit.planning.plans import fail_silent_plans
from fieldvisit.planning.tools import Tools
from fieldvisit.promises import settle_overdue
from fieldvisit.reminders import raise_reminders
from fieldvisit.visits import expire_visits, return_unarrived, return_unbegun

MOST_FILES = 500
"""Of one organisation in one run."""
PATIENCE = 3
"""Organisations whose files the store did not let go, before it is left alone until the next time."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class _House:
    """An organisation and its calendar, at this moment."""

    id: uuid.UUID
    zone: str
    now: dt.datetime
    apart: Apart
    """Told of what fails of a duty that is done thing by thing."""

    @property
    def today(self) -> dt.date:
        return self.date_before()

    def date_before(self, *, hours: int = 0) -> dt.date:
        return (self.now - dt.timedelta(hours=hours)).astimezone(ZoneInfo(self.zone)).date()


def _return_unarrived(session: Session, house: _House) -> int:
    waits_since = house.date_before(hours=field_rules(session).give_back_hours)
    return return_unarrived(session, house.now, waits_since)


# In this order: what was given back may have waited too long by now, and what has expired makes room for the gate. But
# none of them needs the one before it: each looks at what there is, and looks again ten minutes later.
DUTIES: Mapping[str, Callable[[Session, _House], int]] = {
    "called_off": lambda session, house: call_off_visits(session, house.now),
    "unbegun": lambda session, house: return_unbegun(session, house.now, house.today),
    "unarrived": _return_unarrived,
    "expired": lambda session, house: expire_visits(session, house.now, house.today),
    "lost": lambda session, house: fail_silent_plans(session, house.now),
    "opened": lambda session, house: len(open_visits(session, house.id, house.now).visits),
    "forgotten": lambda session, house: forget_answers(session, house.now),
    "settled": lambda session, house: settle_overdue(session, now=house.now, apart=house.apart),
    "reminded": lambda session, house: raise_reminders(session, house.now, house.today),
    "unfinished": lambda session, house: drop_unfinished(session, house.now),
}


def pass_time(tools: Tools) -> None:
    """For each organisation: what is held and may be taken by now is taken, what nobody may visit any more is called
    off, what was not begun or never arrived at waits again, what waited too long expires, the gate looks again, answers
    that nobody can ask for any more and evidence that never became whole are forgotten, and promises that were not kept
    in time are broken.

    Each duty of each organisation is a transaction of its own, and one that fails stops no other. Raises LeftUndone at
    the end where any did.
    """
    apart = Apart()
    with apart.each("partitions"):
        make_partitions(tools.sessions)
    now = tools.clock()
    with acting_for_all(tools.sessions) as session:
        rows = session.execute(sa.select(Organisation.id, Organisation.zone).order_by(Organisation.id)).all()
    houses = [_House(id=org_id, zone=zone, now=now, apart=apart) for org_id, zone in rows]
    for house in houses:
        # First: what was reported is not given back to be visited again.
        _take_held(tools, house, apart)
        _do_duties(tools, house, apart)
    _let_files_go(tools, houses, apart)
    apart.end()


def _take_held(tools: Tools, house: _House, apart: Apart) -> None:
    """Try again what waits for something that came unnoticed, by the passing of a day or in the same moment. Each visit
    and each safety session in a transaction of its own: no phone waits for all of them."""
    if tools.desk is None:
        return
    subject_ids: Sequence[uuid.UUID] = ()
    with apart.each("held", org_id=house.id), acting_for(tools.sessions, house.id) as session:
        subject_ids = waited_for(session)
    taken = 0
    for subject_id in subject_ids:
        with apart.each("held", org_id=house.id, id=subject_id), acting_for(tools.sessions, house.id) as session:
            taken += release(session, {subject_id}, tools.desk(house.now))
    if taken:
        log.info("held_taken", org_id=str(house.id), count=taken)


def _do_duties(tools: Tools, house: _House, apart: Apart) -> None:
    counts = {}
    for name, duty in DUTIES.items():
        with apart.each(name, org_id=house.id), acting_for(tools.sessions, house.id) as session:
            counts[name] = duty(session, house)
    if any(counts.values()):
        log.info("time_passed", org_id=str(house.id), **counts)


def _let_files_go(tools: Tools, houses: list[_House], apart: Apart) -> None:
    """A store that does not answer holds up nothing: the bytes go the next time."""
    store, refused = FileStore(tools.settings), 0
    for house in houses:
        with apart.each("files", org_id=house.id):
            try:
                _let_files_of(tools, store, house.id)
            except FilesUnavailable as error:
                log.warning("files_not_let_go", org_id=str(house.id), cause=type(error.__cause__).__name__)
                refused += 1
        if refused >= PATIENCE:
            return


def _let_files_of(tools: Tools, store: FileStore, org_id: uuid.UUID) -> None:
    """A file a transaction: whoever brings the same content again waits for one call to the store, not for all."""
    for _ in range(MOST_FILES):
        with acting_for(tools.sessions, org_id) as session:
            if not let_go(session, store, now=tools.clock(), most=1):
                return
