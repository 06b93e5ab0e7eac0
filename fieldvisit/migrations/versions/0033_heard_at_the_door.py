"""What was heard at a door and somebody has to look at: new contact data; and why something is added to a report."""

import sqlalchemy as sa
from alembic import op

from fieldvisit.migrations.security import secure

revision = "0033_heard_at_the_door"
down_revision = "0020_planning_rules"
branch_labels = None
depends_on = None

REASONS = ("further", "correction", "crew_report")
KINDS = ("phone", "email", "post")
STATES = ("proposed", "approved", "refused")


def upgrade() -> None:
    op.add_column(
        "report_additions",
        sa.Column("reason", _stored(REASONS, "additionreason"), server_default="further", nullable=False),
    )
    op.create_table(
        "contact_proposals",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("lender_id", sa.Uuid(), nullable=False),
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("kind", _stored(KINDS, "contactpointkind"), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("state", _stored(STATES, "proposalstate"), server_default="proposed", nullable=False),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False
        ),
        sa.CheckConstraint(
            "(state = 'proposed') = (decided_at is null)", name=op.f("ck_contact_proposals_decided_when_it_is")
        ),
        sa.CheckConstraint(
            "(state = 'refused') = (reason is not null)", name=op.f("ck_contact_proposals_refused_for_a_reason")
        ),
        *(
            sa.ForeignKeyConstraint([column], [to], name=op.f(f"fk_contact_proposals_{column}"))
            for column, to in (
                ("org_id", "organisations.id"),
                ("lender_id", "organisations.id"),
                ("report_id", "visit_reports.id"),
                ("case_id", "cases.id"),
                ("decided_by_id", "accounts.id"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_proposals")),
    )
    for column in ("report_id", "case_id"):
        op.create_index(op.f(f"ix_contact_proposals_{column}"), "contact_proposals", [column])
    for statement in secure("contact_proposals", "shared"):
        op.execute(statement)
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    op.execute(f"grant select, insert, update on contact_proposals to {role}")


def downgrade() -> None:
    op.drop_table("contact_proposals")
    op.drop_column("report_additions", "reason")


def _stored(values: tuple[str, ...], name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)
