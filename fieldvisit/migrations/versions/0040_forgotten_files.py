"""Files whose last owner was purged: their bytes go, and the row says when."""

import sqlalchemy as sa
from alembic import op

revision = "0040_forgotten_files"
down_revision = "0021_quotas"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ("forgotten_at", "gone_at"):
        op.add_column("stored_files", sa.Column(column, sa.DateTime(timezone=True), nullable=True))
    due = sa.text("forgotten_at is not null and gone_at is null")
    op.create_index("ix_stored_files_to_forget", "stored_files", ["org_id"], postgresql_where=due)
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    op.execute(f"grant update (forgotten_at, gone_at) on stored_files to {role}")


def downgrade() -> None:
    op.drop_column("stored_files", "gone_at")
    op.drop_column("stored_files", "forgotten_at")
