"""Parts of a day that is too large for one search."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from fieldvisit.migrations.security import secure

revision = "0013_plan_parts"
down_revision = "0012_planned_weeks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    states = sa.Enum(
        *("waiting", "solving", "solved", "failed"),
        name="partstate",
        native_enum=False,
        create_constraint=True,
        length=32,
    )
    op.create_table(
        "plan_parts",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("plan_claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", states, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("work", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("answer", postgresql.JSONB(), nullable=True),
        sa.Column("failure", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_plan_parts_org_id")),
        sa.ForeignKeyConstraint(["plan_id"], ["day_plans.id"], name=op.f("fk_plan_parts_plan_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_parts")),
        sa.UniqueConstraint(
            "plan_id",
            "plan_claimed_at",
            "round",
            "number",
            name=op.f("uq_plan_parts_plan_id_plan_claimed_at_round_number"),
        ),
    )
    for statement in secure("plan_parts", "owned"):
        op.execute(statement)
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    op.execute(f"grant select, insert, update, delete on plan_parts to {role}")


def downgrade() -> None:
    op.drop_table("plan_parts")
