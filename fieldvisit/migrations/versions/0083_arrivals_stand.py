"""An arrival that stands counts as a contact from then on, until a report says what it was."""

from alembic import op

revision = "0083_arrivals_stand"
down_revision = "0082_marker_reviews"
branch_labels = None
depends_on = None

# A crew was at the door and nobody has reported yet, or the visit was cancelled while it stood there: whom it met is not
# known, so it is taken for a talk with the debtor. Told as a contact it counts wherever contacts do: under the engine's
# caps and rests, and in the slots. It is found by the debtor (`ix_visits_debtor_id`), who has few visits.
# A function beside `debtor_contacts`, which stays as it is: a process of the version before, which asks that one, counts
# arrivals among the visits, and would count what has arrived twice, the very visit that it judges among it.
ALL = """
create function debtor_contacts_and_arrivals(asked uuid[], since timestamptz) returns table (
    debtor_id uuid, id uuid, at timestamptz, channel varchar, result varchar, detail varchar, contact_point_id uuid,
    case_id uuid, notice boolean) language plpgsql as $$
    #variable_conflict use_column
    declare
        seen uuid[] := array(select debtors.id from debtors where debtors.id = any(asked));
        before text := coalesce(current_setting('app.sees_all', true), '');
    begin
        perform set_config('app.sees_all', 'on', true);
        return query
            select * from debtor_contacts(seen, since)
            union all
            select v.debtor_id, v.id, coalesce(v.arrived_at, v.updated_at), 'visit'::varchar, 'reached'::varchar,
                   null::varchar, null::uuid, v.case_id, false
              from visits v
             where v.debtor_id = any(seen) and coalesce(v.arrived_at, v.updated_at) >= since
               and (v.state = 'arrived' or v.state = 'cancelled' and v.arrived_at is not null);
        perform set_config('app.sees_all', before, true);
    end $$
"""

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
        select (c.at at time zone new.zone)::date
          from {contacts}(array[new.debtor_id], (new.on_day - 400)::timestamp at time zone new.zone) c
         where c.channel = any (new.channels) and c.result = any (new.results){others}
           and (new.notices or not c.notice)
           and (new.case_id is null or c.case_id = new.case_id)
           and (new.place_id is null
                or c.channel = 'visit' and (c.contact_point_id is null or c.contact_point_id = new.place_id))
        union all
        select v.planned_on from visits v
         where v.debtor_id = new.debtor_id and v.id <> new.visit_id
           and v.state in ({ahead}) and v.planned_on >= today
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
# What has arrived is among the contacts, and counts once.
NOW = {
    "contacts": "debtor_contacts_and_arrivals",
    "others": " and c.id <> new.visit_id",
    "ahead": "'planned', 'published', 'under_way'",
}
BEFORE = {"contacts": "debtor_contacts", "others": "", "ahead": "'planned', 'published', 'under_way', 'arrived'"}


def upgrade() -> None:
    op.execute(ALL)
    op.execute(GRANT_SLOT.format(**NOW))


def downgrade() -> None:
    op.execute(GRANT_SLOT.format(**BEFORE))
    op.execute("drop function debtor_contacts_and_arrivals(uuid[], timestamptz)")
