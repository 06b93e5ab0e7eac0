"""The rest from visits lasts as long as the plan that it rests on: what a policy says of such blocks ends none of those."""

from alembic import op

revision = "0085_plans_rest"
down_revision = "0084_placed_there"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "update contact_blocks set until_at = null from repayment_plans as plans"
        " where plans.block_id = contact_blocks.id and plans.state = 'running' and contact_blocks.lifted_at is null"
    )


def downgrade() -> None:
    """When each would have ended is not kept."""
