"""How good the last position of a session is, by the phone's own estimate."""

import sqlalchemy as sa
from alembic import op

revision = "0081_accuracy"
down_revision = "0080_same_money"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("safety_sessions", sa.Column("last_accuracy_m", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("safety_sessions", "last_accuracy_m")
