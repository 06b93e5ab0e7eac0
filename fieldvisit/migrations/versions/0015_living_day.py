"""A plan knows what it was made from and who could ride, a route since when the phones show it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0015_living_day"
down_revision = "0014_field_rules"
branch_labels = None
depends_on = None

EMPTY = sa.text("'{}'::jsonb")


def upgrade() -> None:
    op.add_column("day_plans", sa.Column("crews", JSONB(), server_default=EMPTY, nullable=False))
    op.add_column("day_plans", sa.Column("asked", JSONB(), server_default=EMPTY, nullable=False))
    for column in ("based_on_id", "repairs_id"):
        op.add_column("day_plans", sa.Column(column, sa.Uuid(), nullable=True))
        op.create_foreign_key(op.f(f"fk_day_plans_{column}"), "day_plans", "day_plans", [column], ["id"])
    op.add_column("routes", sa.Column("since_id", sa.Uuid(), nullable=True))
    op.add_column("routes", sa.Column("since_plan_id", sa.Uuid(), nullable=True))
    op.add_column("routes", sa.Column("since_version", sa.Integer(), nullable=True))
    op.create_foreign_key(op.f("fk_routes_since_id"), "routes", "routes", ["since_id"], ["id"])
    op.create_foreign_key(op.f("fk_routes_since_plan_id"), "routes", "day_plans", ["since_plan_id"], ["id"])


def downgrade() -> None:
    op.drop_constraint(op.f("fk_routes_since_plan_id"), "routes", type_="foreignkey")
    op.drop_constraint(op.f("fk_routes_since_id"), "routes", type_="foreignkey")
    op.drop_column("routes", "since_version")
    op.drop_column("routes", "since_plan_id")
    op.drop_column("routes", "since_id")
    for column in ("repairs_id", "based_on_id"):
        op.drop_constraint(op.f(f"fk_day_plans_{column}"), "day_plans", type_="foreignkey")
        op.drop_column("day_plans", column)
    op.drop_column("day_plans", "asked")
    op.drop_column("day_plans", "crews")
