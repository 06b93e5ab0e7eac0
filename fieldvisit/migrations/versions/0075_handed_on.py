"""A phone says since when it is whose, that it was handed on to another organisation, and whether it is to wipe still.

Since when is not known of what was registered before: nobody's login is older than now, so that every token of another
account is as good as revoked, as it was.
"""

from alembic import op

revision = "0075_handed_on"
down_revision = "0074_heard_by"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table devices
            add column account_since timestamptz not null default fieldvisit_now(),
            add column handed_on_at timestamptz,
            add column wipe_due boolean not null default false;
        create index ix_devices_id on devices (id)
    """)


def downgrade() -> None:
    op.execute("""
        drop index ix_devices_id;
        alter table devices drop column account_since, drop column handed_on_at, drop column wipe_due
    """)
