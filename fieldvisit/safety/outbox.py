"""The outbox of alarms: which messages go first, when they are tried again, and what is settled for good."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.models import OutboxMessage
from fieldvisit.outgoing import leases
from fieldvisit.outgoing.gateways import Handed
from fieldvisit.outgoing.leases import Claimed, Turn
from fieldvisit.safety.pace import Pace
from fieldvisit.safety.rows import packed
from fieldvisit.vocabulary import AlarmChannel, MessageState

OUTBOX = cast("sa.Table", OutboxMessage.__table__)
SETTLED = (MessageState.DELIVERED, MessageState.ANSWERED, MessageState.UNDELIVERABLE, MessageState.DROPPED)


CALM = 0
"""The urgency of what is no alarm and warns of nothing: reminders, the all-clear, tests."""


def claim(
    session: Session, channel: AlarmChannel, limit: int, pace: Pace, *, above: int | None = None
) -> Sequence[Claimed]:
    """Take up to `limit` messages of this channel that are due, the most urgent first; only those that are more urgent
    than `above`, where that is given."""
    of = OUTBOX.c.channel == channel
    turn = Turn(
        of=of if above is None else sa.and_(of, OUTBOX.c.urgency > above),
        order=(OUTBOX.c.urgency.desc(), OUTBOX.c.next_try_at, OUTBOX.c.id),
        limit=limit,
        lease_s=pace.lease_s,
    )
    return leases.claim(session, OUTBOX, turn)


def give_back(session: Session, claimed: Sequence[Claimed]) -> None:
    """Nothing came of these, not even an attempt: they are due as they were before."""
    taken = packed({"id": each.id, "lease": each.lease} for each in claimed)
    session.execute(GIVE_BACK, {"given": taken})


@dataclass(frozen=True)
class Sent:
    """What came of a message that was handed over to one of so many `providers`; `pushed`: even where it was accepted
    it has reached nobody yet."""

    claimed: Claimed
    handed: Handed
    providers: int
    pushed: bool = False


GIVE_BACK = sa.text("""
with given as materialized (
    select * from jsonb_to_recordset(cast(:given as jsonb)) as given(id uuid, lease uuid)
), mine as materialized (
    select o.id from safety_outbox o join given on given.id = o.id and given.lease = o.lease
    order by o.id for update of o
)
update safety_outbox o set lease = null, lease_until = null, attempts = o.attempts - 1 from mine where o.id = mine.id
""")
# Messages are locked in the order of their ids by everybody who changes several at a time. Who comes without a lease
# tells only that a message was accepted; of one that waits although that provider has had it before, that it was lost
# came first.
RECORD = sa.text("""
with moment as materialized (select fieldvisit_now() as now),
given as materialized (
    select * from jsonb_to_recordset(cast(:given as jsonb)) as given(
        id uuid, lease uuid, provider text, provider_id text, error text, wait_s float8)
), locked as materialized (
    select o.id, o.lease, o.state, o.accepted_by from safety_outbox o where o.id in (select id from given)
    order by o.id for update of o
), mine as materialized (
    select distinct on (o.id) given.* from locked o join given on given.id = o.id
    where given.lease = o.lease
       or given.error is null and not o.state = any(:settled) and (o.state = 'queued' or o.lease is not null)
          and not (o.state = 'queued' and o.accepted_by is not distinct from given.provider)
    order by o.id, given.lease = o.lease desc nulls last
)
update safety_outbox o set
    lease = null, lease_until = null, provider = mine.provider, error = mine.error,
    next_try_at = case when not o.state = any(:settled) then moment.now + mine.wait_s * interval '1 second' end,
    state = case when mine.error is null and not o.state = any(:settled) then 'sent' else o.state end,
    accepted_by = case when mine.error is null then mine.provider else o.accepted_by end,
    provider_id = case when mine.error is null then mine.provider_id else o.provider_id end,
    sent_at = case when mine.error is null then coalesce(o.sent_at, moment.now) else o.sent_at end
from mine, moment
where o.id = mine.id
returning o.id
""").bindparams(settled=[state.value for state in SETTLED])


def record(session: Session, results: Sequence[Sent], pace: Pace) -> set[uuid.UUID]:
    """Write down what came of these; those are left out whose lease had run out: they are somebody else's by now. That
    one was accepted is written down all the same as long as nobody else has done so: else it would be sent again and
    again by one who is slower than a lease."""
    given = [
        {
            "id": each.claimed.id,
            "lease": each.claimed.lease,
            "provider": each.handed.provider,
            "provider_id": each.handed.provider_id,
            "error": each.handed.error,
            "wait_s": _wait_s(each, pace),
        }
        for each in results
    ]
    return set(session.scalars(RECORD, {"given": packed(given)}))


def _wait_s(sent: Sent, pace: Pace) -> float | None:
    """Until it is looked at again; None for never: it was accepted, and nothing more will be told."""
    if sent.handed.error is not None:
        return pace.retry_s(sent.claimed.attempt, sent.providers)
    return pace.receipt_s if sent.handed.receipts else None


def drop(session: Session, claimed: Claimed, reason: str) -> None:
    """This message needs no sending, or can never be sent: its recipient is gone, or the cause of it."""
    leases.settle(session, OUTBOX, claimed, {"state": MessageState.DROPPED, "error": reason, "next_try_at": None})


# Of a message `o`. An attempt that is under way has not failed; one that came to no provider has, at all of them.
MAY_REACH = """(o.state in ('delivered', 'answered') or o.channel <> 'push' and (o.state = 'sent' or o.state = 'queued'
          and (o.error is null or o.attempts - (o.lease is not null)::int < case
                when o.error ~ '^not (written|sent): ' then 1
                else greatest((cast(:passes as jsonb) ->> o.channel)::int, 1) end)))"""


# A step that reached nobody does not wait for its time. Its own transaction, after the record: whoever acknowledges
# holds the alert and then wants the messages, so nobody may hold a message and then want the alert. Where its officers
# were told of a whole outage, those messages are its step; what somebody took and let go is told of by itself.
HURRY = sa.text(f"""
update safety_alerts a set next_action_at = fieldvisit_now()
where a.id = (select alert_id from safety_outbox where id = :message_id) and a.state = 'notifying'
  and a.next_action_at > fieldvisit_now()
  and not exists (
    select from safety_outbox o
    where o.step = a.step and o.round = a.round and o.recipient = 'officer'
      and (o.alert_id = a.id and o.purpose = 'alarm' or o.outage_id = a.outage_id and not exists (
        select from safety_outbox own where own.alert_id = a.id and own.step = a.step and own.round = a.round
          and own.recipient = 'officer' and own.purpose = 'alarm'))
      and {MAY_REACH}
  )
""")  # fmt: skip  # noqa: S608  # a constant of this file


# The same for a message about all alerts of an outage.
HURRY_ALL = sa.text(f"""
with message as materialized (select outage_id, step, round from safety_outbox where id = :message_id)
update safety_alerts a set next_action_at = fieldvisit_now()
from message m
where a.outage_id = m.outage_id and a.state = 'notifying' and a.step = m.step and a.round = m.round
  and a.next_action_at > fieldvisit_now()
  and not exists (
    select from safety_outbox o where o.outage_id = m.outage_id and o.step = m.step and o.round = m.round
      and o.recipient = 'officer'
      and {MAY_REACH}
  )
""")  # fmt: skip  # noqa: S608  # a constant of this file


def hurry(session: Session, message_id: uuid.UUID, *, providers: Mapping[AlarmChannel, int]) -> None:
    """Where no message of the alert's present step was accepted by any provider, its next step is due now. A push that
    was accepted has reached nobody yet, and what is under way, or has not been tried by each of the `providers` of its
    channel, may still be taken."""
    given = {"message_id": message_id, "passes": json.dumps(providers)}
    session.execute(HURRY, given)
    session.execute(HURRY_ALL, given)
