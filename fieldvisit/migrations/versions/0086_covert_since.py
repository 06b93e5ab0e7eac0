"""Since when an alert that stood already is covert: what was told of it before stays told."""

import sqlalchemy as sa
from alembic import op

revision = "0086_covert_since"
down_revision = "0085_plans_rest"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Empty for what turned covert before, or by a process of the version before: that counts as covert from its opening.
    op.add_column("safety_alerts", sa.Column("covert_since", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("safety_alerts", "covert_since")
