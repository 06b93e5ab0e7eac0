"""Whether the police is called is decided in time; a week of late answers is told of; alerts name the phone."""

from alembic import op

revision = "0065_police"
down_revision = "0064_clocks"
branch_labels = None
depends_on = None

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
    "drill_owed",
    "outage",
    "cover_gap",
)


def upgrade() -> None:
    op.execute("""
        alter table safety_alerts
            add column police_due_at timestamptz,
            add column police_decision varchar(32),
            add constraint ck_safety_alerts_policedecision check (police_decision in ('called', 'not_called'));
        create index ix_safety_alerts_police_due_at on safety_alerts (police_due_at)
            where police_due_at is not null and state <> 'resolved';
        alter table safety_alerts add column device_id uuid;
        create index ix_devices_visitor_id on devices (visitor_id);
        alter table safety_outbox add column figures jsonb
    """)
    _purposes((*PURPOSES_BEFORE, "police_undecided", "slow_week"))


def downgrade() -> None:
    listed = ", ".join(f"'{value}'" for value in PURPOSES_BEFORE)
    op.execute(f"delete from safety_outbox where purpose not in ({listed})")  # a constant of this file
    _purposes(PURPOSES_BEFORE)
    op.execute("""
        alter table safety_outbox drop column figures;
        drop index ix_devices_visitor_id;
        drop index ix_safety_alerts_police_due_at;
        alter table safety_alerts drop column police_due_at, drop column police_decision, drop column device_id
    """)


def _purposes(values: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{value}'" for value in values)
    op.execute("alter table safety_outbox drop constraint ck_safety_outbox_messagepurpose")
    op.execute(
        f"alter table safety_outbox add constraint ck_safety_outbox_messagepurpose check (purpose in ({listed}))"
    )
