"""A day planned afresh knows which published version it was to replace."""

import sqlalchemy as sa
from alembic import op

revision = "0089_replaces"
down_revision = "0088_last_activity"
branch_labels = None
depends_on = None

# What is searched for or waits to be published goes on as it would have: over what is published now.
OPEN = """
update day_plans made set replaces_id = shown.id from day_plans shown
where made.state in ('solving', 'draft') and made.repairs_id is null
  and shown.area_id = made.area_id and shown.planned_on = made.planned_on and shown.state = 'published'
"""


def upgrade() -> None:
    op.add_column("day_plans", sa.Column("replaces_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_day_plans_replaces_id"), "day_plans", "day_plans", ["replaces_id"], ["id"])
    op.execute(OPEN)


def downgrade() -> None:
    op.drop_constraint(op.f("fk_day_plans_replaces_id"), "day_plans", type_="foreignkey")
    op.drop_column("day_plans", "replaces_id")
