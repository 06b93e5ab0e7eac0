"""Who heard a new number: a crew mate of whoever reported the visit proposes theirs as well."""

import sqlalchemy as sa
from alembic import op

revision = "0074_heard_by"
down_revision = "0073_light_upkeep"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("contact_proposals", sa.Column("visitor_id", sa.Uuid(), nullable=True))
    # Until now only the report's own author proposed anything.
    op.execute("select set_config('app.sees_all', 'on', true)")
    op.execute(
        "update contact_proposals set visitor_id = visit_reports.visitor_id"
        " from visit_reports where visit_reports.id = contact_proposals.report_id"
    )
    op.execute("select set_config('app.sees_all', '', true)")
    op.alter_column("contact_proposals", "visitor_id", nullable=False)
    op.create_foreign_key(
        op.f("fk_contact_proposals_visitor_id"), "contact_proposals", "visitors", ["visitor_id"], ["id"]
    )


def downgrade() -> None:
    op.drop_column("contact_proposals", "visitor_id")
