"""A message of an alarm keeps who accepted it last, also where another provider was tried since and failed."""

import sqlalchemy as sa
from alembic import op

revision = "0076_accepted_by"
down_revision = "0075_handed_on"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Empty for what was accepted before: while no try failed since, it is the one that was tried last.
    op.add_column("safety_outbox", sa.Column("accepted_by", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("safety_outbox", "accepted_by")
