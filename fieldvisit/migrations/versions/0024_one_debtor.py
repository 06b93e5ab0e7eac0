"""Every live visit to a debtor is locked at once and in one order, whoever makes it."""

from alembic import op

revision = "0024_one_debtor"
down_revision = "0029_markers"
branch_labels = None
depends_on = None

# Like `debtor_live_visits`: who may be seen is asked under the caller's row-level security, and nothing that is told is
# personal. `also`: visits of one's own that are to be locked with them, in the same order.
LOCK = """
create function lock_live_visits(asked uuid[], also uuid[]) returns table (
    debtor_id uuid, id uuid, case_id uuid, reference text, state varchar, planned_on date) language plpgsql as $$
    #variable_conflict use_column
    declare
        seen uuid[] := array(select debtors.id from debtors where debtors.id = any(asked));
        own uuid[] := array(select visits.id from visits where visits.id = any(also));
        before text := coalesce(current_setting('app.sees_all', true), '');
    begin
        perform set_config('app.sees_all', 'on', true);
        return query
            select v.debtor_id, v.id, v.case_id, v.reference, v.state, v.planned_on from visits v
             where v.id = any(own)
                or (v.debtor_id = any(seen) and v.state not in ('reported', 'closed', 'cancelled', 'expired'))
             order by v.id for no key update;
        perform set_config('app.sees_all', before, true);
    end $$
"""


def upgrade() -> None:
    op.execute(LOCK)


def downgrade() -> None:
    op.execute("drop function lock_live_visits(uuid[], uuid[])")
