"""What a call for help is told of whoever calls, and in which epoch of the database: one question, for each trip to a
busy database is a wait."""

import datetime as dt
import uuid
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.obeyed import Obeyed

# A phone that is somebody else's by now is as good as revoked; one that nobody knows is none that anybody revoked: it
# was registered in hours that a restore has lost (see `fieldvisit.devices`).
FACTS = Obeyed(
    sa.text("""
select not exists (select from accounts a where a.id = :account and a.active),
       exists (
           select from devices d where d.org_id = :org and d.id = cast(:device as uuid)
             and (d.revoked_at is not null or d.handed_on_at >= :issued_at
                 or (d.account_id <> :account and d.account_since >= :issued_at))),
       (select id from database_epochs order by began_at desc, id desc limit 1)
""")
)


@dataclass(frozen=True)
class CallerFacts:
    """`epoch`: the one that answers; None before any engine has looked."""

    account_closed: bool
    device_revoked: bool
    epoch: uuid.UUID | None


def caller_facts(
    session: Session, account_id: uuid.UUID, device_id: uuid.UUID | None, issued_at: dt.datetime
) -> CallerFacts:
    """Of the acting organisation's account, on this phone, by a token of that time."""
    given = {"account": account_id, "device": device_id, "issued_at": issued_at, "org": session.info["org"]}
    return CallerFacts(*FACTS.one(session, given))
