"""A shift keeps who declined its offer last, so that the same no may be told again."""

import sqlalchemy as sa
from alembic import op

revision = "0077_declined_by"
down_revision = "0076_accepted_by"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("duty_shifts", sa.Column("declined_by_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_duty_shifts_declined_by_id"),
        "duty_shifts",
        "accounts",
        ["declined_by_id"],
        ["id"],
        ondelete="SET NULL",
    )


def downgrade() -> None:
    op.drop_column("duty_shifts", "declined_by_id")
