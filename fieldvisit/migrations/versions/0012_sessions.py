"""Sessions: cover at the start and who overrode its lack, PINs, duress, and what a phone is shown meanwhile."""

from alembic import op

from fieldvisit.migrations.security import secure

revision = "0012_sessions"
down_revision = "0011_auditor"
branch_labels = None
depends_on = None

TABLES = ("visitor_pins", "cover_overrides")


def upgrade() -> None:
    op.execute("""
        create table visitor_pins (
            visitor_id uuid not null,
            pin bytea not null,
            duress_pin bytea not null,
            set_at timestamptz not null,
            wrong integer default 0 not null,
            wrong_since_at timestamptz,
            org_id uuid not null,
            constraint pk_visitor_pins primary key (visitor_id),
            constraint fk_visitor_pins_visitor_id foreign key (visitor_id) references visitors (id),
            constraint fk_visitor_pins_org_id foreign key (org_id) references organisations (id)
        );
        create table cover_overrides (
            id uuid default uuidv7() not null,
            visitor_id uuid not null,
            by_id uuid not null,
            reason bytea not null,
            made_at timestamptz not null,
            session_id uuid,
            org_id uuid not null,
            constraint pk_cover_overrides primary key (id),
            constraint fk_cover_overrides_visitor_id foreign key (visitor_id) references visitors (id),
            constraint fk_cover_overrides_by_id foreign key (by_id) references accounts (id),
            constraint fk_cover_overrides_session_id foreign key (session_id) references safety_sessions (id),
            constraint fk_cover_overrides_org_id foreign key (org_id) references organisations (id)
        );
        create index ix_cover_overrides_visitor_id on cover_overrides (visitor_id);
        alter table safety_sessions add column duress boolean default false not null, add column shown jsonb;
    """)
    quoted = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    for table in TABLES:
        for statement in secure(table, "owned"):
            op.execute(statement)
        op.execute(f"grant select, insert, update, delete on {table} to {quoted}")


def downgrade() -> None:
    op.execute("alter table safety_sessions drop column shown, drop column duress")
    op.execute("drop table cover_overrides; drop table visitor_pins")
