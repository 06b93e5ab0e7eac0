"""Papers follow on each other, and their holders and the office are reminded before one runs out."""

import sqlalchemy as sa
from alembic import op

from fieldvisit.migrations.security import secure

revision = "0026_renewals"
down_revision = "0026_verification"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("credentials", sa.Column("renews_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_credentials_renews_id"), "credentials", "credentials", ["renews_id"], ["id"])
    op.create_unique_constraint(op.f("uq_credentials_renews_id"), "credentials", ["renews_id"])
    recipient = sa.Enum(
        "holder", "office", name="reminderrecipient", native_enum=False, create_constraint=True, length=32
    )
    op.create_table(
        "credential_reminders",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("credential_id", sa.Uuid(), nullable=False),
        sa.Column("visitor_id", sa.Uuid(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("days_before", sa.Integer(), nullable=False),
        sa.Column("recipient", recipient, nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_by_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_credential_reminders_org_id")),
        sa.ForeignKeyConstraint(
            ["credential_id"], ["credentials.id"], name=op.f("fk_credential_reminders_credential_id")
        ),
        sa.ForeignKeyConstraint(["visitor_id"], ["visitors.id"], name=op.f("fk_credential_reminders_visitor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credential_reminders")),
        sa.UniqueConstraint("credential_id", "due_on", "days_before", "recipient", name="uq_credential_reminders_once"),
    )
    op.create_index("ix_credential_reminders_org_id_raised_at", "credential_reminders", ["org_id", "raised_at"])
    for statement in secure("credential_reminders", "owned"):
        op.execute(statement)
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    op.execute(f"grant select, insert, update, delete on credential_reminders to {role}")


def downgrade() -> None:
    op.drop_table("credential_reminders")
    op.drop_constraint(op.f("uq_credentials_renews_id"), "credentials")
    op.drop_constraint(op.f("fk_credentials_renews_id"), "credentials")
    op.drop_column("credentials", "renews_id")
