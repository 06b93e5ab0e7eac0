"""The codes that debtors check visitors by, and each time that one was looked up."""

import sqlalchemy as sa
from alembic import op

from fieldvisit.migrations.security import secure

revision = "0026_verification"
down_revision = "0028_retention"
branch_labels = None
depends_on = None

RESULTS = ("confirmed", "expired", "withdrawn", "forged", "unknown")


def upgrade() -> None:
    op.create_table(
        "verification_codes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("visitor_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        *_references("verification_codes", org_id="organisations", visit_id="visits", visitor_id="visitors"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification_codes")),
    )
    op.create_index(op.f("ix_verification_codes_visit_id"), "verification_codes", ["visit_id"])
    op.create_table(
        "verification_lookups",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=True),
        sa.Column("code_id", sa.Uuid(), nullable=True),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column("visitor_id", sa.Uuid(), nullable=True),
        sa.Column(
            "result",
            sa.Enum(*RESULTS, name="lookupresult", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False
        ),
        *_references(
            "verification_lookups",
            org_id="organisations",
            code_id="verification_codes",
            visit_id="visits",
            visitor_id="visitors",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification_lookups")),
    )
    op.create_index(op.f("ix_verification_lookups_visit_id"), "verification_lookups", ["visit_id"])
    op.create_index("ix_verification_lookups_org_id_at", "verification_lookups", ["org_id", "at"])
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    for table in ("verification_codes", "verification_lookups"):
        for statement in secure(table, "owned"):
            op.execute(statement)
        op.execute(f"grant select, insert on {table} to {role}")


def downgrade() -> None:
    op.drop_table("verification_lookups")
    op.drop_table("verification_codes")


def _references(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"))
        for column, other in columns.items()
    ]
