"""What time passes by: kept up by the worker every ten minutes, beside its searches."""

import datetime as dt
import uuid
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import structlog

from fieldvisit.answers import forget_answers
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.evidence import drop_unfinished
from fieldvisit.field_rules import field_rules
from fieldvisit.files import FileStore, FilesUnavailable, let_go
from fieldvisit.gate import open_visits
from fieldvisit.models import Organisation
from fieldvisit.partitions import make_partitions
from fieldvisit.placements import call_off_visits
from fieldvisit.planning.plans import fail_silent_plans
from fieldvisit.planning.tools import Tools
from fieldvisit.promises import settle_overdue
from fieldvisit.reminders import raise_reminders
from fieldvisit.visits import expire_visits, return_unarrived, return_unbegun

log = structlog.get_logger(__name__)


def pass_time(tools: Tools) -> None:
    """For each organisation: what nobody may visit any more is called off, what was not begun or never arrived at waits
    again, what waited too long expires, the gate looks again, answers that nobody can ask for any more and evidence
    that never became whole are forgotten, and promises that were not kept in time are broken."""
    make_partitions(tools.sessions)
    now = tools.clock()
    with acting_for_all(tools.sessions) as session:
        zones = session.execute(sa.select(Organisation.id, Organisation.zone)).all()
    for org_id, zone in zones:
        today = now.astimezone(ZoneInfo(zone)).date()
        with acting_for(tools.sessions, org_id) as session:
            called_off = call_off_visits(session, now)
            returned = return_unbegun(session, now, today)
            waited_until = now - dt.timedelta(hours=field_rules(session).give_back_hours)
            returned += return_unarrived(session, now, waited_until.astimezone(ZoneInfo(zone)).date())
            expired = expire_visits(session, now, today)
            lost = fail_silent_plans(session, now)
            opened = len(open_visits(session, org_id, now).visits)
            forgotten = forget_answers(session, now)
            settled = settle_overdue(session, now=now)
            reminded = raise_reminders(session, now, today)
            unfinished = drop_unfinished(session, now)
        counts = {
            "called_off": called_off,
            "returned": returned,
            "expired": expired,
            "lost": lost,
            "opened": opened,
            "forgotten": forgotten,
            "settled": settled,
            "reminded": reminded,
            "unfinished": unfinished,
        }
        if any(counts.values()):
            log.info("time_passed", org_id=str(org_id), **counts)
    _let_files_go(tools, [org_id for org_id, _ in zones])


def _let_files_go(tools: Tools, org_ids: Sequence[uuid.UUID]) -> None:
    """A store that does not answer holds up nothing: the bytes go the next time."""
    store = FileStore(tools.settings)
    try:
        for org_id in org_ids:
            with acting_for(tools.sessions, org_id) as session:
                let_go(session, store, now=tools.clock())
    except FilesUnavailable as error:
        log.warning("files_not_let_go", cause=type(error.__cause__).__name__)
