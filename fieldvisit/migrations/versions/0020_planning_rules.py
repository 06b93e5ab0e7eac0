"""What unequal work over the weeks may cost a house when its days are planned."""

import sqlalchemy as sa
from alembic import op

from fieldvisit.migrations.security import secure

revision = "0020_planning_rules"
down_revision = "0032_settled_again"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "planning_rules",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("fair_share_price", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False),
        sa.CheckConstraint("fair_share_price between 0 and 10", name=op.f("ck_planning_rules_fairness_makes_sense")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_planning_rules_org_id")),
        sa.PrimaryKeyConstraint("org_id", name=op.f("pk_planning_rules")),
    )
    for statement in secure("planning_rules", "owned"):
        op.execute(statement)
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    op.execute(f"grant select, insert, update, delete on planning_rules to {role}")


def downgrade() -> None:
    op.drop_table("planning_rules")
