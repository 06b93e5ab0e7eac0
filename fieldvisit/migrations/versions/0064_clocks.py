"""By which sending it is known how wrong a phone's clock is."""

from alembic import op

revision = "0064_clocks"
down_revision = "0063_outages"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table devices add column clock_drift_at timestamptz")


def downgrade() -> None:
    op.execute("alter table devices drop column clock_drift_at")
