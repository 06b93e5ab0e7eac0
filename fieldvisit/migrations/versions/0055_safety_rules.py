"""How long an organisation keeps where its visitors were, and the sessions themselves."""

from alembic import op

from fieldvisit.migrations.security import secure

revision = "0055_safety_rules"
down_revision = "0054_push_tokens"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table safety_rules (
            id uuid default uuidv7() not null,
            positions_days integer not null,
            sessions_days integer not null,
            reason text not null,
            set_by_id uuid not null,
            set_at timestamptz not null,
            org_id uuid not null,
            constraint pk_safety_rules primary key (id),
            constraint fk_safety_rules_org_id foreign key (org_id) references organisations (id),
            constraint ck_safety_rules_within_bounds check (
                positions_days between 0 and 365 and sessions_days between 30 and 3650
                and positions_days <= sessions_days)
        );
        create index ix_safety_rules_org_id_set_at on safety_rules (org_id, set_at);
    """)
    for statement in secure("safety_rules", "owned"):
        op.execute(statement)
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    op.execute(f"grant select, insert on safety_rules to {role}")


def downgrade() -> None:
    op.execute("drop table safety_rules")
