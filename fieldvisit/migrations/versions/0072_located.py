"""When a phone was where it was last: a position that is told late, or again, is no newer one."""

import sqlalchemy as sa
from alembic import op

revision = "0072_located"
down_revision = "0071_unfinished_evidence"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("safety_sessions", sa.Column("last_located_at", sa.DateTime(timezone=True), nullable=True))
    # Of what is known already the server has heard then, at the latest.
    op.execute("select set_config('app.sees_all', 'on', true)")
    op.execute("update safety_sessions set last_located_at = last_heard_at where last_lat is not null")
    op.execute("select set_config('app.sees_all', '', true)")


def downgrade() -> None:
    op.drop_column("safety_sessions", "last_located_at")
