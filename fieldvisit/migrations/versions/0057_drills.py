"""Drills by the rules of the house: their sessions are marked, and beside what the visitors really do."""

from alembic import op

revision = "0057_drills"
down_revision = "0046_deadlock"
branch_labels = None
depends_on = None

OPEN = "state in ('planned', 'active', 'alarm')"
PURPOSES_BEFORE = (
    "alarm",
    "reminder",
    "check_in_soon",
    "overdue",
    "end_soon",
    "arrival_soon",
    "leaving_soon",
    "all_clear",
    "taken",
    "contact_test",
    "watch_fails",
)


def upgrade() -> None:
    op.execute(f"""
        alter table safety_rules add column drills jsonb default '{{}}' not null;
        alter table safety_sessions
            add column drill varchar(32),
            add constraint ck_safety_sessions_drillkind check (drill in ('missed_checkin', 'sos', 'duress'));
        drop index uq_safety_sessions_open;
        create unique index uq_safety_sessions_open on safety_sessions (visitor_id)
            where {OPEN} and drill is null;
        create unique index uq_safety_sessions_drill on safety_sessions (org_id)
            where {OPEN} and drill is not null;
        create index ix_safety_sessions_drills on safety_sessions (org_id, started_at) where drill is not null;
    """)
    _purposes((*PURPOSES_BEFORE, "drill_owed"))


def downgrade() -> None:
    _purposes(PURPOSES_BEFORE)
    op.execute(f"""
        drop index ix_safety_sessions_drills;
        drop index uq_safety_sessions_drill;
        drop index uq_safety_sessions_open;
        create unique index uq_safety_sessions_open on safety_sessions (visitor_id) where {OPEN};
        alter table safety_sessions drop column drill;
        alter table safety_rules drop column drills;
    """)


def _purposes(values: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{value}'" for value in values)
    op.execute("alter table safety_outbox drop constraint ck_safety_outbox_messagepurpose")
    op.execute(
        f"alter table safety_outbox add constraint ck_safety_outbox_messagepurpose check (purpose in ({listed}))"
    )
