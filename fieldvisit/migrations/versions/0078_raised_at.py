"""From when on a call that could be taken back could not: officers are measured from then, not from the press."""

import sqlalchemy as sa
from alembic import op

revision = "0078_raised_at"
down_revision = "0077_declined_by"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Empty for what was raised before, and by a process of the version before: those are counted from the press.
    op.add_column("safety_alerts", sa.Column("raised_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("safety_alerts", "raised_at")
