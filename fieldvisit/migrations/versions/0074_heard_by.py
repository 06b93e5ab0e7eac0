"""Who heard a new number: a crew mate of whoever reported the visit proposes theirs as well."""

import sqlalchemy as sa
from alembic import op

revision = "0074_heard_by"
down_revision = "0073_light_upkeep"
branch_labels = None
depends_on = None

# A process of the version before names nobody, as long as one still serves: what it proposes, the report's own author
# heard. Without this no report with a new number could be taken by it.
HEARD_BY = """
create function contact_proposal_heard_by() returns trigger language plpgsql as $$
begin
    if new.visitor_id is null then
        select r.visitor_id into new.visitor_id from visit_reports r where r.id = new.report_id;
    end if;
    return new;
end $$;
create trigger heard_by before insert on contact_proposals for each row
    execute function contact_proposal_heard_by();
"""


def upgrade() -> None:
    op.add_column("contact_proposals", sa.Column("visitor_id", sa.Uuid(), nullable=True))
    # Until now only the report's own author proposed anything.
    op.execute("select set_config('app.sees_all', 'on', true)")
    op.execute(
        "update contact_proposals set visitor_id = visit_reports.visitor_id"
        " from visit_reports where visit_reports.id = contact_proposals.report_id"
    )
    op.execute("select set_config('app.sees_all', '', true)")
    op.alter_column("contact_proposals", "visitor_id", nullable=False)
    op.create_foreign_key(
        op.f("fk_contact_proposals_visitor_id"), "contact_proposals", "visitors", ["visitor_id"], ["id"]
    )
    op.execute(HEARD_BY)


def downgrade() -> None:
    op.execute("drop trigger heard_by on contact_proposals; drop function contact_proposal_heard_by()")
    op.drop_column("contact_proposals", "visitor_id")
