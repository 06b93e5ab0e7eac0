"""The published plan feeds a session's timers, and each organisation has timers of its own."""

from alembic import op

from fieldvisit.migrations.security import secure

revision = "0041_plan_fed_timers"
down_revision = "0031_own_services"
branch_labels = None
depends_on = None

KINDS_BEFORE = ("missed_checkin", "overrun", "lost_contact", "not_arrived", "sos", "man_down", "duress")
KINDS = (*KINDS_BEFORE, "left_without_ending")


def upgrade() -> None:
    _kinds(KINDS)
    op.execute("""
        alter table safety_sessions
            add column arrive_by timestamptz,
            add column door_until timestamptz,
            add column leave_by timestamptz,
            add column expected jsonb;
        create index ix_safety_sessions_arrive on safety_sessions (arrive_by) where state = 'active';
        create index ix_safety_sessions_leave on safety_sessions (leave_by) where state = 'active';
        create index ix_safety_sessions_visit on safety_sessions (visit_id) where state = 'active';
        create table safety_timers (
            id uuid default uuidv7() not null,
            level varchar(32) not null,
            check_in_s integer not null,
            remind_s integer not null,
            grace_s integer not null,
            lost_s integer not null,
            arrive_s integer not null,
            leave_s integer not null,
            reason text not null,
            set_by_id uuid not null,
            set_at timestamptz not null,
            org_id uuid not null,
            constraint pk_safety_timers primary key (id),
            constraint fk_safety_timers_org_id foreign key (org_id) references organisations (id),
            constraint ck_safety_timers_risklevel check (level in ('low', 'normal', 'raised', 'high', 'drill')),
            constraint ck_safety_timers_within_bounds check (
                level <> 'drill' and check_in_s between 120 and 7200 and remind_s >= 0 and remind_s < check_in_s
                and grace_s between 0 and 600 and lost_s between 60 and 3600 and arrive_s between 300 and 7200
                and leave_s between 60 and 3600 and (level <> 'high' or check_in_s + grace_s <= 600))
        );
        create index ix_safety_timers_org_id_level_set_at on safety_timers (org_id, level, set_at);
    """)
    for statement in secure("safety_timers", "owned"):
        op.execute(statement)
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    op.execute(f"grant select, insert on safety_timers to {role}")


def downgrade() -> None:
    op.execute("drop table safety_timers")
    op.execute("""
        alter table safety_sessions
            drop column expected, drop column leave_by, drop column door_until, drop column arrive_by
    """)
    _kinds(KINDS_BEFORE)


def _kinds(values: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{value}'" for value in values)
    op.execute("alter table safety_alerts drop constraint ck_safety_alerts_alertkind")
    op.execute(f"alter table safety_alerts add constraint ck_safety_alerts_alertkind check (kind in ({listed}))")
