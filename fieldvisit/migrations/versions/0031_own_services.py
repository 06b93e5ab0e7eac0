"""Organisations tell things by services of their own, and reminders of papers are messages that are sent."""

import sqlalchemy as sa
from alembic import op

from fieldvisit.migrations.security import secure

revision = "0031_own_services"
down_revision = "0036_repayment_plans"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
NOW = sa.text("fieldvisit_now()")
CHANNELS = ("call", "sms", "email", "letter", "visit")
STATES = ("queued", "sent", "delivered", "undeliverable", "dead", "held_back", "withdrawn")
CHECKS = {
    "lease_is_whole": "(lease is null) = (lease_until is null)",
    "sent_has_a_time": "state not in ('sent', 'delivered') or sent_at is not null",
    "settled_is_not_tried": "next_try_at is null or state in ('queued', 'sent')",
    "tried_has_a_way": "next_try_at is null or channel is not null",
}


def upgrade() -> None:
    _create_rules()
    _create_services()
    for column in _message_columns():
        op.add_column("credential_reminders", column)
    # Those of before were there to be read, and are not sent now.
    op.execute("update credential_reminders set state = 'withdrawn', reason = 'told_before'")
    for name, check in CHECKS.items():
        op.create_check_constraint(op.f(f"ck_credential_reminders_{name}"), "credential_reminders", check)
    op.create_index(
        "ix_credential_reminders_waiting",
        "credential_reminders",
        ["channel", "next_try_at"],
        postgresql_where=sa.text("next_try_at is not null"),
    )


def downgrade() -> None:
    op.drop_index("ix_credential_reminders_waiting", "credential_reminders")
    for name in CHECKS:
        op.drop_constraint(op.f(f"ck_credential_reminders_{name}"), "credential_reminders")
    for column in reversed(_message_columns()):
        op.drop_column("credential_reminders", column.name)
    op.drop_table("notice_services")
    op.drop_table("notice_rules")


def _message_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("channel", _stored(CHANNELS, "channel"), nullable=True),
        sa.Column("language", sa.Text(), server_default="en", nullable=False),
        sa.Column("state", _stored(STATES, "noticestate"), server_default="queued", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_try_at", INSTANT, nullable=True),
        sa.Column("lease", sa.Uuid(), nullable=True),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.Column("provider_id", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("delivered_at", INSTANT, nullable=True),
    ]


def _create_rules() -> None:
    op.create_table(
        "notice_rules",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("channels", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("office_email", sa.LargeBinary(), nullable=True),
        sa.Column("office_language", sa.Text(), nullable=False),
        sa.Column("updated_at", INSTANT, server_default=NOW, nullable=False),
        sa.CheckConstraint(
            "channels <@ array['email', 'sms', 'letter']::text[]", name=op.f("ck_notice_rules_channels_are_known")
        ),
        sa.CheckConstraint("office_language in ('en', 'zh_CN')", name=op.f("ck_notice_rules_language_is_known")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_notice_rules_org_id")),
        sa.PrimaryKeyConstraint("org_id", name=op.f("pk_notice_rules")),
    )
    _open("notice_rules", "select, insert, update")


def _create_services() -> None:
    op.create_table(
        "notice_services",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("channel", _stored(CHANNELS, "channel"), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("url", sa.LargeBinary(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=True),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("made_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", INSTANT, server_default=NOW, nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("channel in ('email', 'sms')", name=op.f("ck_notice_services_channel_is_carried")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_notice_services_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_services")),
        sa.UniqueConstraint("org_id", "name", name=op.f("uq_notice_services_org_id_name")),
    )
    _open("notice_services", "select, insert, update, delete")


def _open(table: str, rights: str) -> None:
    for statement in secure(table, "owned"):
        op.execute(statement)
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    op.execute(f"grant {rights} on {table} to {role}")


def _stored(values: tuple[str, ...], name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)
