"""An answer that is kept under a key keeps its headers too: in some they are all it says."""

import sqlalchemy as sa
from alembic import op

revision = "0068_headers_of_kept_answers"
down_revision = "0067_pins_and_buddies"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("kept_answers", sa.Column("headers", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("kept_answers", "headers")
