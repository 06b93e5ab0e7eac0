"""Noticing that the database is another one than before, or has gone back in time: a replica that took over, a backup
that was restored. What was told since then is lost, and nobody in the database can know what that was.

From then on is an epoch of its own. Phones are told its id with every answer, and send again what they hold when it is
another one. Every session that was running becomes unverified, and whoever is not heard of within a minute is raised.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import InstrumentedAttribute, Session

from fieldvisit.clock import database_now
from fieldvisit.models import DatabaseEpoch, SafetySession
from fieldvisit.safety.events import Entry, SafetyEventKind, append_all
from fieldvisit.safety.rows import packed
from fieldvisit.safety.standing import by_risk
from fieldvisit.vocabulary import SafetyState

HEARD_WITHIN_S = 60
RECENT = dt.timedelta(days=1)

log = structlog.get_logger("fieldvisit.watch")

# Another cluster, another timeline (each promotion, each recovery to a point in time begins one), or another
# database of the cluster.
IDENTITY = """
(select system_identifier from pg_control_system())::text || ':' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)
|| ':' || (select oid from pg_database where datname = current_database())::text
"""
LOOK = sa.text(f"""
select here.identity, here.position, newest.id, newest.identity as said,
       cast(:remembered as uuid) is null or exists (
           select from database_epochs e where :remembered in (e.id, e.replaces_id)) as is_known
from (select {IDENTITY} as identity, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint as position) here
left join lateral (select id, identity from database_epochs order by began_at desc, id desc limit 1) newest on true
""")  # noqa: S608  # a constant of this file
# Several engines notice the same: the second one waits for the first, and finds another epoch than it has read.
TURN = sa.text("select pg_advisory_xact_lock(hashtext('fieldvisit database epoch'))")
BEGIN = sa.text("""
insert into database_epochs (identity, replaces_id, because, noticed_by, began_at)
select :identity, :replaces_id, :because, :noticed_by, fieldvisit_now()
where (select id from database_epochs order by began_at desc, id desc limit 1) is not distinct from cast(:read as uuid)
returning id
""")
ASK = sa.text("""
with moment as materialized (select fieldvisit_now() as now)
update safety_sessions s set
    unverified = true, lost_contact = false, asked_again_at = moment.now, version = s.version + 1,
    lost_at = least(s.lost_at, moment.now + :within_s * interval '1 second')
from moment, jsonb_to_recordset(cast(:given as jsonb)) as given(id uuid, generation int)
where s.id = given.id and s.state = 'active' and s.generation = given.generation
returning s.id, moment.now
""").bindparams(within_s=HEARD_WITHIN_S)


class Because(StrEnum):
    """Why an epoch began."""

    FIRST = "first"
    REPLACED = "replaced"
    WENT_BACK = "went_back"


@dataclass
class Witness:
    """What one process remembers of the database beside it: its epoch, and how far its log had come. A copy of the disk
    that is put back changes nothing by which the database itself could tell."""

    epoch_id: uuid.UUID | None = None
    position: int = 0


def notice(session: Session, name: str, witness: Witness) -> bool:
    """Look which database this is; whether a new epoch of it has begun by that."""
    row = session.execute(LOOK, {"remembered": witness.epoch_id}).one()
    epoch_id: uuid.UUID | None = row.id
    because, replaces_id = None, row.id
    if row.id is None and witness.epoch_id is None:
        because = Because.FIRST
    elif row.id is not None and row.said != row.identity:
        because = Because.REPLACED
    elif not row.is_known or (row.id == witness.epoch_id and row.position < witness.position):
        because, replaces_id = Because.WENT_BACK, witness.epoch_id
    began = None
    if because is not None:
        session.execute(TURN)
        given = {"identity": row.identity, "replaces_id": replaces_id, "because": because.value, "noticed_by": name}
        began = session.scalar(BEGIN, given | {"read": row.id})
        epoch_id = began or epoch_id
    if began is not None and because is not Because.FIRST:
        log.error("database_went_back", because=because, epoch_id=str(began), before=str(replaces_id), engine=name)
    witness.epoch_id, witness.position = epoch_id, row.position
    return began is not None


def current_epoch(session: Session) -> uuid.UUID | None:
    """The epoch that phones are told; None before any engine has looked."""
    return session.scalar(_newest(DatabaseEpoch.id))


def claim_unasked(session: Session, limit: int, *, but: Collection[uuid.UUID] = ()) -> Sequence[SafetySession]:
    """Lock running sessions that began in an epoch before this one and were not asked for since, the most dangerous
    first; those that somebody holds are left to the next turn."""
    began_at = _newest(DatabaseEpoch.began_at).where(
        DatabaseEpoch.replaces_id.is_not(None), DatabaseEpoch.began_at > database_now() - RECENT
    )
    # Asked of no row, so that a turn on which nothing began reads no session.
    began = sa.select(began_at.exists()).scalar_subquery()
    return session.scalars(
        sa.select(SafetySession)
        .where(
            began,
            SafetySession.state == SafetyState.ACTIVE,
            SafetySession.started_at <= began_at.scalar_subquery(),
            sa.func.coalesce(SafetySession.asked_again_at < began_at.scalar_subquery(), sa.true()),
            SafetySession.id.not_in(but),
        )
        .order_by(by_risk(SafetySession.level).desc(), SafetySession.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()


def ask_again(session: Session, rows: Sequence[SafetySession]) -> set[uuid.UUID]:
    """Say of these that nobody knows whether they stand as they seem, and give their phones a minute to be heard; those
    are left out to which something had happened since they were read."""
    session.flush()
    given = packed({"id": row.id, "generation": row.generation} for row in rows)
    asked = {each.id: each.now for each in session.execute(ASK, {"given": given})}
    append_all(
        session,
        [(row, Entry(kind=SafetyEventKind.UNVERIFIED, at=asked[row.id])) for row in rows if row.id in asked],
    )
    return set(asked)


def _newest[T](column: InstrumentedAttribute[T]) -> sa.Select[T]:
    return sa.select(column).order_by(DatabaseEpoch.began_at.desc(), DatabaseEpoch.id.desc()).limit(1)
