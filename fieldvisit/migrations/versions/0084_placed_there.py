"""The days of a placement are days at the debtor's door: whose clock decides which rows an agency sees."""

from alembic import op

revision = "0084_placed_there"
down_revision = "0083_arrivals_stand"
branch_labels = None
depends_on = None

# In force by the date of UTC, or by the date at any place of the debtor: so the rows are open wherever the work goes on,
# and whether somebody may go is asked there, by the calendar of the very place. Only a placement that ends or begins
# within a day asks for places. They are read without row-level security, which would ask this function again.
PLACED = """
create or replace function placed_{what}s() returns setof uuid language plpgsql stable as $$
    declare
        before text := coalesce(current_setting('app.sees_all', true), '');
        mine uuid := app_org();
        at_utc timestamp := fieldvisit_now() at time zone 'utc';
    begin
        perform set_config('app.sees_all', 'on', true);
        return query
            select p.{what}_id from placements p
             where p.agency_id = mine and p.from_on <= at_utc::date + 1
               and (p.until_on is null or p.until_on >= at_utc::date - 1)
               and (p.from_on <= at_utc::date and (p.until_on is null or p.until_on >= at_utc::date)
                    or exists (select from places d where d.debtor_id = p.debtor_id
                                and p.from_on <= (fieldvisit_now() at time zone d.zone)::date
                                and (p.until_on is null or p.until_on >= (fieldvisit_now() at time zone d.zone)::date)));
        perform set_config('app.sees_all', before, true);
    end $$
"""
BEFORE = """
create or replace function placed_{what}s() returns setof uuid language sql stable
    as $$ select {what}_id from placements where agency_id = app_org()
          and from_on <= (fieldvisit_now() at time zone 'utc')::date and (until_on is null or until_on >= (fieldvisit_now() at time zone 'utc')::date) $$
"""


def upgrade() -> None:
    for what in ("case", "debtor"):
        op.execute(PLACED.format(what=what))


def downgrade() -> None:
    for what in ("case", "debtor"):
        op.execute(BEFORE.format(what=what))
