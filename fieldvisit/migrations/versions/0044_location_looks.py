"""Who looked at where a visitor was."""

from alembic import op

from fieldvisit.migrations.security import secure

revision = "0044_location_looks"
down_revision = "0034_purge_indexes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table location_looks (
            session_id uuid not null,
            account_id uuid not null,
            action text not null,
            span bigint not null,
            visitor_id uuid not null,
            at timestamptz not null,
            org_id uuid not null,
            constraint pk_location_looks primary key (session_id, account_id, action, span),
            constraint fk_location_looks_session_id foreign key (session_id) references safety_sessions (id),
            constraint fk_location_looks_visitor_id foreign key (visitor_id) references visitors (id),
            constraint fk_location_looks_org_id foreign key (org_id) references organisations (id)
        );
        create index ix_location_looks_visitor_id_at on location_looks (visitor_id, at);
    """)
    for statement in secure("location_looks", "owned"):
        op.execute(statement)
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    op.execute(f"grant select, insert on location_looks to {role}")


def downgrade() -> None:
    op.execute("drop table location_looks")
