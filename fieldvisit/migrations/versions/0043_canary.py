"""The organisation of the canary: nobody's, and one at most."""

from alembic import op

revision = "0043_canary"
down_revision = "0030_messages_count"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table organisations add column canary boolean default false not null")
    op.execute("create unique index uq_organisations_canary on organisations (canary) where canary")


def downgrade() -> None:
    op.execute("drop index uq_organisations_canary")
    op.execute("alter table organisations drop column canary")
