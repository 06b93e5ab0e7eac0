"""The database analyses the partitions of what is only added to for less: what was written a minute ago waited for it.

An event's detail, note and hash are never searched by their values, so that figures of their spread are of no use; they
cost two thirds of an analysis. Nor does that spread change with a tenth more of the same kind.
"""

from alembic import op

revision = "0073_light_upkeep"
down_revision = "0072_located"
branch_labels = None
depends_on = None

TABLES = "'contact_attempts', 'visit_events', 'safety_events', 'audit_events', 'debtor_accesses'"

LIGHTEN = """
create function lighten_upkeep(part regclass) returns void language plpgsql
    set search_path = public, pg_temp
as $$
declare
    wide name;
begin
    for wide in
        select attname from pg_attribute
        where attrelid = part and attnum > 0 and not attisdropped and atttypid in ('jsonb'::regtype, 'bytea'::regtype)
    loop
        execute format('alter table %s alter column %I set statistics 0', part, wide);
    end loop;
    execute format('alter table %s set (autovacuum_analyze_scale_factor = 0.5)', part);
end $$
"""

# As 0027 has it, but for `{lighten}`.
ENSURE = """
create or replace function ensure_partition(parent text, month date) returns void language plpgsql security definer
    set search_path = public, pg_temp
    set lock_timeout = '1s'
as $$
declare
    first date := date_trunc('month', month)::date;
    part text := parent || to_char(first, '_YYYY_MM');
begin
    if parent not in ({tables}) then
        raise exception 'not a partitioned table: %', parent;
    end if;
    if first not between date '2000-01-01' and ((fieldvisit_now() + interval '3 months') at time zone 'utc')::date then
        raise exception 'no partition for a month so far away: %', first;
    end if;
    if to_regclass('parts.' || quote_ident(part)) is not null then
        return;
    end if;
    perform pg_advisory_xact_lock(hashtext('fieldvisit partitions'));
    if to_regclass('parts.' || quote_ident(part)) is null then
        execute format('create table parts.%I (like public.%I including all)', part, parent);
        {lighten}
        execute format(
            'alter table public.%I attach partition parts.%I for values from (%L) to (%L)', parent, part,
            first::timestamp at time zone 'UTC', (first + interval '1 month') at time zone 'UTC'
        );
    end if;
end $$
"""

HEAVIER = """
do $$
declare
    part regclass;
    wide name;
begin
    for part in select inhrelid from pg_inherits where inhparent::regclass::text in ({tables}) loop
        for wide in select attname from pg_attribute where attrelid = part and attnum > 0 and attstattarget = 0 loop
            execute format('alter table %s alter column %I set statistics -1', part, wide);
        end loop;
        execute format('alter table %s reset (autovacuum_analyze_scale_factor)', part);
    end loop;
end $$
"""


def upgrade() -> None:
    op.execute(LIGHTEN)
    op.execute("revoke all on function lighten_upkeep(regclass) from public")
    _ensure(lighten="perform lighten_upkeep(('parts.' || quote_ident(part))::regclass);")
    parts = "select lighten_upkeep(inhrelid) from pg_inherits where inhparent::regclass::text in ({tables})"
    op.execute(parts.replace("{tables}", TABLES))


def downgrade() -> None:
    _ensure(lighten="")
    op.execute(HEAVIER.replace("{tables}", TABLES))
    op.execute("drop function lighten_upkeep(regclass)")


def _ensure(*, lighten: str) -> None:
    op.execute(ENSURE.replace("{tables}", TABLES).replace("{lighten}", lighten))
