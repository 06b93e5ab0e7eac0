"""A visitor names who may call for help for them; a house names who is called when nobody of it answers."""

from alembic import op

revision = "0058_buddies"
down_revision = "0057_drills"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table safety_sessions
            add column buddy_id uuid,
            add constraint fk_safety_sessions_buddy_id foreign key (buddy_id) references visitors (id);
        alter table safety_rules add column external jsonb
    """)


def downgrade() -> None:
    op.execute("""
        alter table safety_rules drop column external;
        alter table safety_sessions drop column buddy_id
    """)
