"""Whether a login was ended is asked at every call, and found without reading the links of one that goes on."""

import sqlalchemy as sa
from alembic import op

revision = "0078_ended_logins"
down_revision = "0077_declined_by"
branch_labels = None
depends_on = None


def upgrade() -> None:
    ended = sa.text("revoked_at is not null")
    op.create_index("ix_refresh_tokens_ended", "refresh_tokens", ["family_id"], postgresql_where=ended)


def downgrade() -> None:
    op.drop_index("ix_refresh_tokens_ended", table_name="refresh_tokens")
