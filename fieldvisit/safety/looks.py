"""Who looked at where a visitor was: kept with every answer that shows it, told to the visitor."""

import datetime as dt
import uuid
from collections.abc import Collection

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, joinedload

from fieldvisit.clock import database_now
from fieldvisit.models import Account, LocationLook, SafetyAlert
from fieldvisit.vocabulary import AlertState

SPAN_S = 600

log = structlog.get_logger("fieldvisit.safety")

LOOK = sa.text("""
insert into location_looks (session_id, account_id, action, span, visitor_id, at, org_id)
select s.id, :account_id, :action, floor(extract(epoch from now.at) / :span_s), s.visitor_id, now.at, s.org_id
from safety_sessions s, (select fieldvisit_now() as at) now
where s.id = any(:ids) and s.last_lat is not null
on conflict do nothing
""").bindparams(span_s=SPAN_S)


SECRET = (
    sa.select(SafetyAlert.id)
    .where(
        SafetyAlert.session_id == LocationLook.session_id,
        SafetyAlert.covert,
        SafetyAlert.state != AlertState.RESOLVED,
        sa.func.coalesce(SafetyAlert.covert_since, SafetyAlert.opened_at) <= LocationLook.at,
    )
    .exists()
)


def record_looks(session: Session, account_id: uuid.UUID, action: str, session_ids: Collection[uuid.UUID]) -> None:
    """Keep that this account was shown where these sessions are, as far as that is known. A look that cannot be kept is
    logged and keeps nobody from seeing who is in danger."""
    if not session_ids:
        return
    try:
        with session.begin_nested():
            session.execute(LOOK, {"account_id": account_id, "action": action, "ids": [*session_ids]})
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        log.error("look_not_kept", account_id=str(account_id), sessions=len(session_ids))


def looks_at(visitor_id: uuid.UUID, *, since: dt.timedelta) -> sa.Select[LocationLook]:
    """Who looked at where this visitor was, in sessions that are kept; the caller states the order.

    What was looked at while an alert stands that nobody beside the phone may know of is told once that is closed: that
    somebody looks would give it away.
    """
    lately = LocationLook.at > database_now() - since
    return (
        sa.select(LocationLook)
        .where(LocationLook.visitor_id == visitor_id, lately, ~SECRET)
        .options(joinedload(LocationLook.account).load_only(Account.name))
    )
