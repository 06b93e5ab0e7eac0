"""A renewal whose answer was lost gets the same answer again, and no other in its place."""

from alembic import op

revision = "0069_repeated_renewals"
down_revision = "0068_headers_of_kept_answers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A link that another took the place of was good for nothing; without the mark it would be good again.
    op.execute("delete from refresh_tokens where replaced_at is not null")
    op.alter_column("refresh_tokens", "replaced_at", new_column_name="repeated_at")


def downgrade() -> None:
    op.execute("update refresh_tokens set repeated_at = null where repeated_at is not null")
    op.alter_column("refresh_tokens", "repeated_at", new_column_name="replaced_at")
