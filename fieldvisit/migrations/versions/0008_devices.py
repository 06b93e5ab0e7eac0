"""Phones, and the logins that belong to them."""

import sqlalchemy as sa
from alembic import op

from fieldvisit.migrations.security import secure

revision = "0008_devices"
down_revision = "0007_formed_crews"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "devices",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("visitor_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("app_version", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock_drift_s", sa.Integer(), nullable=True),
        sa.Column("battery_percent", sa.Integer(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by_id", sa.Uuid(), nullable=True),
        sa.Column("revoked_reason", sa.Text(), nullable=True),
        sa.Column("wiped_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_devices_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_devices_org_id")),
        sa.ForeignKeyConstraint(["visitor_id"], ["visitors.id"], name=op.f("fk_devices_visitor_id")),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_devices")),
    )
    op.create_index(op.f("ix_devices_account_id"), "devices", ["account_id"])
    for statement in secure("devices", "owned"):
        op.execute(statement)
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    op.execute(f"grant select, insert, update, delete on devices to {role}")
    op.add_column("refresh_tokens", sa.Column("device_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        "fk_refresh_tokens_device", "refresh_tokens", "devices", ["org_id", "device_id"], ["org_id", "id"]
    )
    op.create_index("ix_refresh_tokens_device_id", "refresh_tokens", ["device_id"])


def downgrade() -> None:
    op.drop_index("ix_refresh_tokens_device_id", table_name="refresh_tokens")
    op.drop_constraint("fk_refresh_tokens_device", "refresh_tokens")
    op.drop_column("refresh_tokens", "device_id")
    op.drop_table("devices")
