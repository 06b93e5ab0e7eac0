"""Who went out together: none of them handles an alarm about another, for they may all be under the same threat."""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Sequence

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from fieldvisit.clock import database_now
from fieldvisit.models import Account, SafetyAlert, SafetySession
from fieldvisit.safety.roster import HANDLES
from fieldvisit.safety.rows import packed

log = structlog.get_logger(__name__)

# By the shifts, by any plan that was made, where two crews of it that meet at a door are as one, or because both are
# watched over at one visit. What is within 18 hours of a session's start is of its day.
TOGETHER = sa.text("""
with given as materialized (
    select g.*, g.at - interval '18 hours' as since, g.at + interval '18 hours' as until
    from jsonb_to_recordset(cast(:given as jsonb)) as g(id uuid, me uuid, them uuid, visit uuid, at timestamptz)
), rides as materialized (
    select given.id, given.me, who.mine, r.id as route_id, r.plan_id
    from given cross join lateral (values (given.me, true), (given.them, false)) as who(visitor_id, mine)
    join crew_members m on m.visitor_id = who.visitor_id
    join routes r on r.id = m.route_id and r.depart_at between given.since and given.until
)
select given.id, given.me from given
join shifts mine on mine.visitor_id = given.me and mine.starts_at between given.since and given.until
join shifts other on other.visitor_id = given.them and other.works_on = mine.works_on
 and other.crew_code = mine.crew_code
union
select mine.id, mine.me from rides mine join rides other on other.id = mine.id and other.me = mine.me
 and other.plan_id = mine.plan_id
where mine.mine and not other.mine and (mine.route_id = other.route_id or exists (
    select from stops here join stops there on there.visit_id = here.visit_id
    where here.route_id = mine.route_id and there.route_id = other.route_id))
union
select given.id, given.me from given
join safety_sessions mine on mine.visitor_id = given.me and mine.visit_id = given.visit
 and mine.started_at between given.since and given.until and mine.state <> 'cancelled' and mine.drill is null
""")

# The same of whole days, for everybody with whom these visitors go now. All houses are seen here, and their crews have
# the same codes.
COMPANIONS = sa.text("""
with given as materialized (
    select v.id as me, v.org_id, fieldvisit_now() - interval '18 hours' as since,
           fieldvisit_now() + interval '18 hours' as until
    from visitors v where v.id = any(:visitors)
), rides as materialized (
    select given.me, r.id as route_id, r.plan_id from given
    join day_plans p on p.org_id = given.org_id and p.planned_on between given.since::date - 1 and given.until::date + 1
    join routes r on r.plan_id = p.id and r.depart_at between given.since and given.until
    join crew_members m on m.route_id = r.id and m.visitor_id = given.me
)
select given.me, other.visitor_id from given
join shifts mine on mine.visitor_id = given.me and mine.starts_at between given.since and given.until
join shifts other on other.org_id = mine.org_id and other.works_on = mine.works_on and other.crew_code = mine.crew_code
union
select mine.me, m.visitor_id from rides mine join routes r on r.plan_id = mine.plan_id
join crew_members m on m.route_id = r.id
where r.id = mine.route_id or exists (
    select from stops here join stops there on there.visit_id = here.visit_id
    where here.route_id = mine.route_id and there.route_id = r.id)
union
select given.me, other.visitor_id from given
join safety_sessions mine on mine.visitor_id = given.me and mine.started_at between given.since and given.until
 and mine.state <> 'cancelled' and mine.drill is null
join safety_sessions other on other.visit_id = mine.visit_id and other.drill is null
 and other.started_at between given.since and given.until
""")
COMPANIONS_MS = 1_000
"""It is asked in passing, by whoever has something else to do."""


def went_out_together(session: Session, row: SafetySession, visitor_id: uuid.UUID) -> bool:
    """Whether this visitor and the one of the session share a crew or a door on that day."""
    return bool(_together(session, [_pair(row.id, visitor_id, row.visitor_id, row.visit_id, row.started_at)]))


def fit_for(
    session: Session, officers: Collection[uuid.UUID], visitor_id: uuid.UUID, visit_id: uuid.UUID | None
) -> set[uuid.UUID]:
    """Those of these accounts who may handle an alarm about this visitor, who sets out to this visit now: not the
    visitor, nor who goes along."""
    asked = sa.select(Account.id, Account.visitor_id, database_now()).where(Account.id.in_(officers))
    found = [row for row in session.execute(asked).all() if row[1] != visitor_id]
    pairs = [_pair(account_id, me, visitor_id, visit_id, at) for account_id, me, at in found if me is not None]
    apart = {account_id for account_id, _ in _together(session, pairs)}
    return {account_id for account_id, _, _ in found} - apart


def unfit_for_alerts(session: Session, alert_ids: Sequence[uuid.UUID]) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Alert and account: the officers who may not take these alerts, since they went out with whom they are about. None
    where that cannot be asked, as while a migration holds the plans: too many are called then."""
    watched = (SafetySession.visitor_id, SafetySession.visit_id, SafetySession.started_at)
    officers = session.execute(
        sa.select(SafetyAlert.id, Account.id, Account.visitor_id, *watched)
        .join(SafetySession, SafetySession.id == SafetyAlert.session_id)
        .join(Account, Account.org_id == SafetySession.org_id)
        .where(
            SafetyAlert.id.in_(alert_ids),
            Account.active,
            Account.visitor_id.is_not(None),
            Account.roles.op("&&")(sa.cast([role.value for role in HANDLES], sa.ARRAY(sa.Text))),
        )
    ).all()
    if not officers:
        return []
    pairs = [_pair(alert_id, me, *about) for alert_id, _, me, *about in officers]
    try:
        with session.begin_nested():
            apart = _together(session, pairs)
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        log.exception("crews_not_asked")
        return []
    return [(alert_id, account_id) for alert_id, account_id, me, *_ in officers if (alert_id, me) in apart]


def companions(session: Session, visitor_ids: Collection[uuid.UUID]) -> list[tuple[uuid.UUID, uuid.UUID]] | None:
    """Each of these visitors with each who goes with them at this time, of the same organisation. None where that
    cannot be told within a second, as while a migration holds the plans; the transaction may go on."""
    if not visitor_ids:
        return []
    limits = (sa.func.set_config(name, str(COMPANIONS_MS), True) for name in ("lock_timeout", "statement_timeout"))
    try:
        with session.begin_nested():
            session.execute(sa.select(*limits))
            rows = session.execute(COMPANIONS, {"visitors": list(visitor_ids)}).all()
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        log.exception("crews_not_asked")
        return None
    return [(me, them) for me, them in rows if me != them]


def _pair(key: uuid.UUID, me: uuid.UUID | None, *about: uuid.UUID | dt.datetime | None) -> dict[str, object]:
    """About the other visitor: who, at which visit, since when."""
    them, visit_id, at = about
    return {"id": key, "me": me, "them": them, "visit": visit_id, "at": at}


def _together(session: Session, pairs: Iterable[dict[str, object]]) -> set[tuple[uuid.UUID, uuid.UUID]]:
    """Key and first visitor of those pairs who went out together."""
    given = list(pairs)
    if not given:
        return set()
    return {(key, me) for key, me in session.execute(TOGETHER, {"given": packed(given)})}
