"""Testing each week every address by which an alarm would reach somebody: a number that was right once is a hope."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

EACH_DAYS = 7
MOST = 200
"""At a time: the next hour goes on with the others."""

# By day only, by the clock of the house. The canary's own addresses are reached every five minutes anyway.
TEST = sa.text("""
with now as materialized (select fieldvisit_now() as at),
due as materialized (
    select o.id, o.org_id, o.channel
    from officer_contacts o join accounts c on c.id = o.account_id and c.active
    join organisations h on h.id = o.org_id and not h.canary, now
    where o.active and c.roles && array['safety_officer', 'supervisor']
      and not exists (select from visitors v where v.id = c.visitor_id and not v.active)
      and coalesce(o.tested_at, o.created_at) < now.at - :days * interval '1 day'
      and extract(hour from now.at at time zone h.zone) between 9 and 15
    order by coalesce(o.tested_at, o.created_at), o.id limit :most
    for update of o skip locked
), tested as (
    update officer_contacts o set tested_at = now.at from due, now where o.id = due.id
)
insert into safety_outbox (org_id, key, purpose, recipient, recipient_id, channel, urgency, next_try_at, give_up_at,
                           created_at)
select due.org_id, concat_ws(':', 'test', due.id, extract(epoch from now.at)), 'contact_test', 'officer', due.id,
       due.channel, 0, now.at, now.at + interval '1 hour', now.at
from due, now
on conflict (key) do nothing
returning id
""").bindparams(days=EACH_DAYS, most=MOST)


def try_contacts(session: Session) -> int:
    """Put out a test to each address whose last one is a week ago; how many. The session sees the rows of all."""
    return len(session.execute(TEST).all())
