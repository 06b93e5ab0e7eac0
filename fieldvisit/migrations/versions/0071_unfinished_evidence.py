"""What a visitor has announced and not sent to its end is counted at each announcement."""

import sqlalchemy as sa
from alembic import op

revision = "0071_unfinished_evidence"
down_revision = "0070_held_of_visits"
branch_labels = None
depends_on = None


def upgrade() -> None:
    begun = sa.text("state = 'uploading'")
    op.create_index("ix_evidence_unfinished", "evidence", ["visitor_id"], postgresql_where=begun)


def downgrade() -> None:
    op.drop_index("ix_evidence_unfinished", table_name="evidence")
