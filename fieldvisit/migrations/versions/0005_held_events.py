"""Events of phones that wait for another, or were refused."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from fieldvisit.migrations.security import secure

revision = "0005_held_events"
down_revision = "0004_across_organisations"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "held_events",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("visitor_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", _enum("heldstate", "waiting", "refused", "taken", "dismissed"), nullable=False),
        sa.Column("waits_for", _enum("waitsfor", "report", "identity_check", "safety_session"), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("details", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("device_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False
        ),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state = 'waiting') <= (waits_for is not null)", name=op.f("ck_held_events_waits_for_something")
        ),
        sa.CheckConstraint(
            "(state in ('taken', 'dismissed')) = (settled_at is not null)",
            name=op.f("ck_held_events_settled_has_a_time"),
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_held_events_org_id")),
        sa.PrimaryKeyConstraint("org_id", "event_id", name=op.f("pk_held_events")),
    )
    op.create_index("ix_held_events_org_id_recorded_at", "held_events", ["org_id", "recorded_at"])
    op.create_index(
        "ix_held_events_open",
        "held_events",
        ["org_id", "visitor_id"],
        postgresql_where=sa.text("state in ('waiting', 'refused')"),
    )
    op.create_index(
        "ix_held_events_waiting", "held_events", ["subject_id"], postgresql_where=sa.text("state = 'waiting'")
    )
    for statement in secure("held_events", "owned"):
        op.execute(statement)
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    op.execute(f"grant select, insert, update, delete on held_events to {role}")


def downgrade() -> None:
    op.drop_table("held_events")


def _enum(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)
