"""Answers kept under the caller's own key."""

import sqlalchemy as sa
from alembic import op

from fieldvisit.migrations.security import secure

revision = "0003_kept_answers"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kept_answers",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("media", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False
        ),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_kept_answers_org_id")),
        sa.PrimaryKeyConstraint("account_id", "key", name=op.f("pk_kept_answers")),
    )
    op.create_index("ix_kept_answers_org_id_recorded_at", "kept_answers", ["org_id", "recorded_at"])
    # What is forgotten after a month is found without reading the whole month.
    op.create_index("ix_phone_event_keys_org_id_recorded_at", "phone_event_keys", ["org_id", "recorded_at"])
    for statement in secure("kept_answers", "owned"):
        op.execute(statement)
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    op.execute(f"grant select, insert, update, delete on kept_answers to {role}")


def downgrade() -> None:
    op.drop_index("ix_phone_event_keys_org_id_recorded_at", table_name="phone_event_keys")
    op.drop_table("kept_answers")
