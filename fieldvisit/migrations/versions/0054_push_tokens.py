"""Phones are pushed to."""

from alembic import op

revision = "0054_push_tokens"
down_revision = "0053_nudges"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table devices
            add column push_token bytea,
            add column push_digest bytea,
            add column push_language text default 'en' not null,
            add constraint ck_devices_push_token_is_found check ((push_token is null) = (push_digest is null)),
            add constraint ck_devices_revoked_is_pushed_nothing check (push_token is null or revoked_at is null);
        create unique index uq_devices_push_digest on devices (org_id, push_digest) where push_digest is not null;
    """)
    _recipients("'officer', 'visitor', 'external', 'device'")


def downgrade() -> None:
    op.execute("delete from safety_outbox where recipient = 'device'")
    _recipients("'officer', 'visitor', 'external'")
    op.execute("""
        drop index uq_devices_push_digest;
        alter table devices drop column push_language, drop column push_digest, drop column push_token;
    """)


def _recipients(listed: str) -> None:
    op.execute(f"""
        alter table safety_outbox drop constraint ck_safety_outbox_messagerecipient;
        alter table safety_outbox add constraint ck_safety_outbox_messagerecipient check (recipient in ({listed}))
    """)
