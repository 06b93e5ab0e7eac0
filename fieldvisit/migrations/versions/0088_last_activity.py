"""A case keeps the days of its last activity and its last visit when the records that told of them have gone."""

from alembic import op

revision = "0088_last_activity"
down_revision = "0087_payments_by_sender"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Empty until something goes: till then the records themselves tell. What went before this is told by nothing.
    op.execute("alter table cases add column last_activity_on date, add column last_visit_on date")


def downgrade() -> None:
    op.execute("alter table cases drop column last_activity_on, drop column last_visit_on")
