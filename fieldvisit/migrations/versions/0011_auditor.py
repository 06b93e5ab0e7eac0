"""What the auditor asks of the engines: how far the clock of each one's host is from the database's."""

from alembic import op

revision = "0011_auditor"
down_revision = "0010_handling"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table engine_beats add column host_ahead_s double precision default 0 not null")


def downgrade() -> None:
    op.execute("alter table engine_beats drop column host_ahead_s")
