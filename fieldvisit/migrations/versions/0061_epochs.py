"""Epochs of the database: it was replaced, or went back in time, and phones are asked for what they hold."""

from alembic import op

revision = "0061_epochs"
down_revision = "0060_not_done"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table database_epochs (
            id uuid default uuidv7() not null,
            identity text not null,
            replaces_id uuid,
            because text not null,
            noticed_by text not null,
            began_at timestamptz not null,
            constraint pk_database_epochs primary key (id)
        );
        create index ix_database_epochs_began_at on database_epochs (began_at);
        alter table safety_sessions add column asked_again_at timestamptz
    """)
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    op.execute(f"grant select, insert on database_epochs to {role}")


def downgrade() -> None:
    op.execute("alter table safety_sessions drop column asked_again_at; drop table database_epochs")
