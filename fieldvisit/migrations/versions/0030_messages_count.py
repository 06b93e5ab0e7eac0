"""A notice that was sent counts under the caps that span its channel; and the database counts what the engine counts."""

import sqlalchemy as sa
from alembic import op

revision = "0030_messages_count"
down_revision = "0038_cash"
branch_labels = None
depends_on = None

CONTACTS = """
create function debtor_contacts(asked uuid[], since timestamptz) returns table (
    debtor_id uuid, id uuid, at timestamptz, channel varchar, result varchar, detail varchar, contact_point_id uuid,
    case_id uuid{column}) language plpgsql as $$
    #variable_conflict use_column
    declare
        seen uuid[] := array(select debtors.id from debtors where debtors.id = any(asked));
        before text := coalesce(current_setting('app.sees_all', true), '');
    begin
        perform set_config('app.sees_all', 'on', true);
        return query
            select a.debtor_id, a.id, a.at, a.channel, a.result, a.detail, a.contact_point_id, a.case_id{attempt}
              from debtors d join contact_attempts a on a.org_id = d.org_id and a.debtor_id = d.id
             where d.id = any(seen) and a.at >= since
               and not exists (select from withdrawn_attempts w where w.attempt_id = a.id){notices};
        perform set_config('app.sees_all', before, true);
    end $$
"""
COLUMN, ATTEMPT = ", notice boolean", ", false"
NOTICES = """
            union all
            select n.debtor_id, n.id, n.sent_at, n.channel,
                   case n.state when 'undeliverable' then 'bounced' else 'delivered' end::varchar, null::varchar,
                   n.contact_point_id, n.case_id, true
              from notices n where n.debtor_id = any(seen) and n.sent_at >= since"""

# What counts is told by `debtor_contacts` and nothing else: what a visit was taken for at first, and is no more, holds
# no slot.
GRANT_SLOT = """
create or replace function cap_slots_have_room() returns trigger language plpgsql as $$
declare
    before text := coalesce(current_setting('app.sees_all', true), '');
    today date := (fieldvisit_now() at time zone new.zone)::date;
    taken date[];
    fullest int;
begin
    perform pg_advisory_xact_lock(hashtextextended('fieldvisit cap ' || new.debtor_id, 0));
    perform set_config('app.sees_all', 'on', true);
    taken := array(
        {contacts}
        union all
        select v.planned_on from visits v
         where v.debtor_id = new.debtor_id and v.id <> new.visit_id
           and v.state in ('planned', 'published', 'under_way', 'arrived') and v.planned_on >= today
           and (new.case_id is null or v.case_id = new.case_id)
           and (new.place_id is null or v.place_id = new.place_id));
    perform set_config('app.sees_all', before, true);
    if new.period = 'rolling_days' then
        select max(held) into fullest from (
            select (select count(*) from unnest(taken) t where t >= first and t < first + new.days) as held
              from (select new.on_day as first union select unnest(taken)) f
             where first <= new.on_day and first > new.on_day - new.days) counted;
    elsif new.period = 'calendar_week' then
        select count(*) into fullest from unnest(taken) t
         where (t - date '2001-01-01' - new.week_starts + 700000) / 7
             = (new.on_day - date '2001-01-01' - new.week_starts + 700000) / 7;
    elsif new.period = 'calendar_month' then
        select count(*) into fullest from unnest(taken) t
         where date_trunc('month', t) = date_trunc('month', new.on_day);
    else
        select count(*) into fullest from unnest(taken) t where t = new.on_day;
    end if;
    if coalesce(fullest, 0) >= new.most
       or exists (select from unnest(taken) t where abs(t - new.on_day) < new.min_gap_days) then
        raise exception 'no room under %', new.clause_id
            using errcode = 'check_violation', constraint = 'ck_cap_slots_room', table = 'cap_slots';
    end if;
    return new;
end $$
"""
BY_FUNCTION = """
        select (c.at at time zone new.zone)::date
          from debtor_contacts(array[new.debtor_id], (new.on_day - 400)::timestamp at time zone new.zone) c
         where c.channel = any (new.channels) and c.result = any (new.results)
           and (new.notices or not c.notice)
           and (new.case_id is null or c.case_id = new.case_id)
           and (new.place_id is null
                or c.channel = 'visit' and (c.contact_point_id is null or c.contact_point_id = new.place_id))"""
BY_TABLE = """
        select (a.at at time zone new.zone)::date from debtors d
          join contact_attempts a on a.org_id = d.org_id and a.debtor_id = d.id
         where d.id = new.debtor_id and a.at >= (new.on_day - 400)::timestamp at time zone new.zone
           and a.channel = any (new.channels) and a.result = any (new.results)
           and (new.case_id is null or a.case_id = new.case_id)"""


def upgrade() -> None:
    op.execute("drop function debtor_contacts(uuid[], timestamptz)")
    op.execute(CONTACTS.format(column=COLUMN, attempt=ATTEMPT, notices=NOTICES))
    op.add_column("cap_slots", sa.Column("notices", sa.Boolean(), server_default=sa.text("true"), nullable=False))
    op.execute(GRANT_SLOT.format(contacts=BY_FUNCTION))


def downgrade() -> None:
    op.execute(GRANT_SLOT.format(contacts=BY_TABLE))
    op.drop_column("cap_slots", "notices")
    op.execute("drop function debtor_contacts(uuid[], timestamptz)")
    op.execute(CONTACTS.format(column="", attempt="", notices=""))
