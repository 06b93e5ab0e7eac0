"""What counts across organisations: contacts and live visits of a debtor whom one may see, whoever made them; and who
filed a contact block."""

import sqlalchemy as sa
from alembic import op

revision = "0004_across_organisations"
down_revision = "0003_kept_answers"
branch_labels = None
depends_on = None

# Who may be seen is asked under the caller's row-level security; of those, the rows are then read without it. Nothing
# that is told is personal: ids, times and codes. An error in between takes the setting back with the transaction.
READ_ALL = """
create function {name} returns table ({columns})
    language plpgsql as $$
    #variable_conflict use_column
    declare
        seen uuid[] := array(select debtors.id from debtors where debtors.id = any(asked));
        before text := coalesce(current_setting('app.sees_all', true), '');
    begin
        perform set_config('app.sees_all', 'on', true);
        return query {query};
        perform set_config('app.sees_all', before, true);
    end $$
"""
FUNCTIONS = (
    READ_ALL.format(
        name="debtor_contacts(asked uuid[], since timestamptz)",
        columns="""debtor_id uuid, id uuid, at timestamptz, channel varchar, result varchar, detail varchar,
            contact_point_id uuid, case_id uuid""",
        query="""
            select a.debtor_id, a.id, a.at, a.channel, a.result, a.detail, a.contact_point_id, a.case_id
              from debtors d join contact_attempts a on a.org_id = d.org_id and a.debtor_id = d.id
             where d.id = any(seen) and a.at >= since""",
    ),
    READ_ALL.format(
        name="debtor_live_visits(asked uuid[])",
        columns="debtor_id uuid, id uuid, case_id uuid, reference text, state varchar, planned_on date",
        query="""
            select v.debtor_id, v.id, v.case_id, v.reference, v.state, v.planned_on from visits v
             where v.debtor_id = any(seen) and v.state not in ('reported', 'closed', 'cancelled', 'expired')""",
    ),
)


def upgrade() -> None:
    for function in FUNCTIONS:
        op.execute(function)
    op.create_index(
        "ix_visits_live_lender",
        "visits",
        ["lender_id"],
        postgresql_where=sa.text("state not in ('reported', 'closed', 'cancelled', 'expired')"),
    )
    op.add_column("contact_blocks", sa.Column("made_by_id", sa.Uuid(), nullable=True))
    # Every row, whoever it belongs to: the owner of the tables is under row-level security too.
    op.execute("select set_config('app.sees_all', 'on', true)")
    op.execute("update contact_blocks set made_by_id = org_id")
    op.execute("select set_config('app.sees_all', '', true)")
    op.alter_column("contact_blocks", "made_by_id", nullable=False)
    op.create_foreign_key(
        op.f("fk_contact_blocks_made_by_id"), "contact_blocks", "organisations", ["made_by_id"], ["id"]
    )
    op.drop_constraint(op.f("uq_contact_blocks_org_id_external_id"), "contact_blocks")
    op.create_unique_constraint(
        op.f("uq_contact_blocks_org_id_made_by_id_external_id"),
        "contact_blocks",
        ["org_id", "made_by_id", "external_id"],
    )


def downgrade() -> None:
    op.drop_constraint(op.f("uq_contact_blocks_org_id_made_by_id_external_id"), "contact_blocks")
    op.create_unique_constraint(
        op.f("uq_contact_blocks_org_id_external_id"), "contact_blocks", ["org_id", "external_id"]
    )
    op.drop_column("contact_blocks", "made_by_id")
    op.drop_index("ix_visits_live_lender", table_name="visits")
    op.execute("drop function debtor_live_visits(uuid[])")
    op.execute("drop function debtor_contacts(uuid[], timestamptz)")
