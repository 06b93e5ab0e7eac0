"""What is told late may change which contact a visit was, and which of a crew's reports is the report of it."""

import sqlalchemy as sa
from alembic import op

from fieldvisit.migrations.security import secure

revision = "0032_settled_again"
down_revision = "0026_renewals"
branch_labels = None
depends_on = None

WHY = ("arrival_undone", "told_late", "lead_reported")
CONTACTS = """
create or replace function debtor_contacts(asked uuid[], since timestamptz) returns table (
    debtor_id uuid, id uuid, at timestamptz, channel varchar, result varchar, detail varchar, contact_point_id uuid,
    case_id uuid) language plpgsql as $$
    #variable_conflict use_column
    declare
        seen uuid[] := array(select debtors.id from debtors where debtors.id = any(asked));
        before text := coalesce(current_setting('app.sees_all', true), '');
    begin
        perform set_config('app.sees_all', 'on', true);
        return query
            select a.debtor_id, a.id, a.at, a.channel, a.result, a.detail, a.contact_point_id, a.case_id
              from debtors d join contact_attempts a on a.org_id = d.org_id and a.debtor_id = d.id
             where d.id = any(seen) and a.at >= since {counted};
        perform set_config('app.sees_all', before, true);
    end $$
"""
COUNTED = "and not exists (select from withdrawn_attempts w where w.attempt_id = a.id)"


def upgrade() -> None:
    op.create_table(
        "withdrawn_attempts",
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column(
            "why",
            sa.Enum(*WHY, name="withdrawalreason", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_withdrawn_attempts_org_id")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_withdrawn_attempts_case_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_withdrawn_attempts_visit_id")),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_withdrawn_attempts")),
    )
    op.create_index(op.f("ix_withdrawn_attempts_case_id"), "withdrawn_attempts", ["case_id"])
    for statement in secure("withdrawn_attempts", "placed_by_case"):
        op.execute(statement)
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    op.execute(f"grant select, insert on withdrawn_attempts to {role}")
    op.execute(CONTACTS.format(counted=COUNTED))
    op.add_column("visit_reports", sa.Column("replaced_by_id", sa.Uuid(), nullable=True))
    # The report that replaces another comes after it: the first makes room, and is joined to the other at the end.
    op.create_foreign_key(
        op.f("fk_visit_reports_replaced_by_id"),
        "visit_reports",
        "visit_reports",
        ["replaced_by_id"],
        ["id"],
        deferrable=True,
        initially="DEFERRED",
    )
    op.drop_constraint(op.f("uq_visit_reports_visit_id"), "visit_reports")
    op.create_index(
        "uq_visit_reports_standing", "visit_reports", ["visit_id"], unique=True,
        postgresql_where=sa.text("replaced_by_id is null"),
    )  # fmt: skip
    op.create_index(op.f("ix_visit_reports_visit_id"), "visit_reports", ["visit_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_visit_reports_visit_id"), table_name="visit_reports")
    op.drop_index("uq_visit_reports_standing", table_name="visit_reports")
    op.create_unique_constraint(op.f("uq_visit_reports_visit_id"), "visit_reports", ["visit_id"])
    op.drop_constraint(op.f("fk_visit_reports_replaced_by_id"), "visit_reports")
    op.drop_column("visit_reports", "replaced_by_id")
    op.execute(CONTACTS.format(counted=""))
    op.drop_table("withdrawn_attempts")
