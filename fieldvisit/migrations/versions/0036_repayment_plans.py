"""Repayment plans, what a house lets whom approve, and promises that are instalments of a plan."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from fieldvisit.migrations.security import secure

revision = "0036_repayment_plans"
down_revision = "0024_one_debtor"
branch_labels = None
depends_on = None

METHODS = ("transfer", "direct_debit", "card", "mobile", "branch")
STATES = ("proposed", "refused", "withdrawn", "running", "kept", "partly_kept", "broken")
AT = sa.DateTime(timezone=True)
OURS = sa.text("fieldvisit_now()")


def upgrade() -> None:
    op.create_table(
        "repayment_rules",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("limits", postgresql.JSONB(), nullable=False),
        sa.Column("broken_after", sa.Integer(), nullable=False),
        sa.Column("updated_at", AT, server_default=OURS, nullable=False),
        sa.CheckConstraint("broken_after between 1 and 12", name=op.f("ck_repayment_rules_breaks_some_day")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_repayment_rules_org_id")),
        sa.PrimaryKeyConstraint("org_id", name=op.f("pk_repayment_rules")),
    )
    op.create_table(
        "repayment_plans",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("org_id", "lender_id", "case_id")),
        *(sa.Column(name, sa.Uuid(), nullable=True) for name in ("report_id", "proposed_by_id")),
        sa.Column("proposed_at", AT, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("method", _stored(METHODS, "paymentmethod"), nullable=False),
        sa.Column("instalments", postgresql.JSONB(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("grace_days", sa.Integer(), nullable=False),
        sa.Column("state", _stored(STATES, "repaymentstate"), server_default="proposed", nullable=False),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", AT, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("broken_after", sa.Integer(), nullable=True),
        sa.Column("replaced_at", AT, nullable=True),
        sa.Column("block_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", AT, server_default=OURS, nullable=False),
        *(
            sa.CheckConstraint(rule, name=op.f(f"ck_repayment_plans_{name}"))
            for name, rule in (
                ("positive", "total_minor > 0"),
                ("grace_makes_sense", "grace_days between 0 and 31"),
                ("decided_when_it_is", "(state = 'proposed') = (decided_at is null)"),
                ("ended_for_a_reason", "(state in ('refused', 'withdrawn')) = (reason is not null)"),
            )
        ),
        *(
            sa.ForeignKeyConstraint([column], [to], name=op.f(f"fk_repayment_plans_{column}"))
            for column, to in (
                ("org_id", "organisations.id"),
                ("lender_id", "organisations.id"),
                ("case_id", "cases.id"),
                ("report_id", "visit_reports.id"),
                ("proposed_by_id", "accounts.id"),
                ("decided_by_id", "accounts.id"),
                ("block_id", "contact_blocks.id"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repayment_plans")),
    )
    for column in ("case_id", "report_id"):
        op.create_index(op.f(f"ix_repayment_plans_{column}"), "repayment_plans", [column])
    running = sa.text("state = 'running'")
    op.create_index("uq_repayment_plans_running", "repayment_plans", ["case_id"], unique=True, postgresql_where=running)
    op.add_column("promises", sa.Column("plan_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_promises_plan_id"), "promises", "repayment_plans", ["plan_id"], ["id"])
    op.create_index(op.f("ix_promises_plan_id"), "promises", ["plan_id"])
    op.alter_column("promises", "report_id", nullable=True)
    op.create_check_constraint(
        op.f("ck_promises_of_a_report_or_of_a_plan"), "promises", "num_nonnulls(report_id, plan_id) = 1"
    )
    for table, visibility in (("repayment_plans", "shared"), ("repayment_rules", "read_by_all")):
        for statement in secure(table, visibility):
            op.execute(statement)
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    op.execute(f"grant select, insert, update on repayment_plans, repayment_rules to {role}")


def downgrade() -> None:
    op.execute("delete from promises where plan_id is not null")
    op.drop_constraint(op.f("ck_promises_of_a_report_or_of_a_plan"), "promises")
    op.alter_column("promises", "report_id", nullable=False)
    op.drop_column("promises", "plan_id")
    op.drop_table("repayment_plans")
    op.drop_table("repayment_rules")


def _stored(values: tuple[str, ...], name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)
