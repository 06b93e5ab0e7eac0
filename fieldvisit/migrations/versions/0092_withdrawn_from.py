"""A plan knows from whose published routes a visit was taken: what their phones tell of it is a fact."""

import sqlalchemy as sa
from alembic import op

revision = "0092_withdrawn_from"
down_revision = "0091_approved_at"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("unserved_visits", sa.Column("withdrawn_from", sa.ARRAY(sa.Text()), nullable=True))


def downgrade() -> None:
    op.drop_column("unserved_visits", "withdrawn_from")
