"""Several days planned together."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from fieldvisit.migrations.security import secure

revision = "0012_planned_weeks"
down_revision = "0012_sessions"
branch_labels = None
depends_on = None

TABLES = ("week_plans", "week_visits")


def upgrade() -> None:
    states = sa.Enum(
        *("requested", "planning", "planned", "failed"),
        name="weekstate",
        native_enum=False,
        create_constraint=True,
        length=32,
    )
    op.create_table(
        "week_plans",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("area_id", sa.Uuid(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("state", states, nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("iterations", sa.Integer(), nullable=True),
        sa.Column("later", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("failure", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column(
            "requested_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False
        ),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("days between 1 and 31", name=op.f("ck_week_plans_days_in_range")),
        sa.ForeignKeyConstraint(["area_id"], ["areas.id"], name=op.f("fk_week_plans_area_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_week_plans_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_week_plans")),
    )
    op.create_index("ix_week_plans_org_id_first_on", "week_plans", ["org_id", "first_on"])
    op.create_table(
        "week_visits",
        sa.Column("week_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("planned_on", sa.Date(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_week_visits_org_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_week_visits_visit_id")),
        sa.ForeignKeyConstraint(
            ["week_id"], ["week_plans.id"], name=op.f("fk_week_visits_week_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("week_id", "visit_id", name=op.f("pk_week_visits")),
    )
    op.add_column("day_plans", sa.Column("week_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_day_plans_week_id"), "day_plans", "week_plans", ["week_id"], ["id"])
    op.create_index("ix_day_plans_week_id", "day_plans", ["week_id"])
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    for table in TABLES:
        for statement in secure(table, "owned"):
            op.execute(statement)
        op.execute(f"grant select, insert, update, delete on {table} to {role}")


def downgrade() -> None:
    op.drop_column("day_plans", "week_id")
    for table in reversed(TABLES):
        op.drop_table(table)
