"""What happened at a door keeps everybody from it, whoever told of it and whichever debtor they would go to."""

from alembic import op

revision = "0090_frozen_doors"
down_revision = "0089_replaces"
branch_labels = None
depends_on = None

# Like `debtor_live_visits`: who may be seen is asked under the caller's row-level security, and of what happened nothing
# is told but that nobody goes there. The same address of two debtors of a lender is two places with one digest.
FROZEN = """
create function frozen_places(asked uuid[]) returns table (id uuid) language plpgsql as $$
    #variable_conflict use_column
    declare
        seen uuid[] := array(select places.id from places where places.id = any(asked));
        before text := coalesce(current_setting('app.sees_all', true), '');
    begin
        perform set_config('app.sees_all', 'on', true);
        return query
            with happened as materialized (
                select p.id, p.digest, d.org_id from safety_incidents i
                  join places p on p.id = i.place_id join debtors d on d.id = p.debtor_id
                 where i.reviewed_at is null
            )
            select a.id from places a join debtors d on d.id = a.debtor_id
             where a.id = any(seen) and exists (
                 select from happened h where h.id = a.id or h.digest = a.digest and h.org_id = d.org_id);
        perform set_config('app.sees_all', before, true);
    end $$
"""


def upgrade() -> None:
    op.execute(FROZEN)
    op.create_index(
        "ix_safety_incidents_unreviewed", "safety_incidents", ["place_id"], postgresql_where="reviewed_at is null"
    )


def downgrade() -> None:
    op.drop_index("ix_safety_incidents_unreviewed", "safety_incidents")
    op.execute("drop function frozen_places(uuid[])")
