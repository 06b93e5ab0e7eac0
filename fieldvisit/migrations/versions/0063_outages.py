"""Outages of the watch are told of once, for all whom nobody watched meanwhile; gaps in the roster ahead are told of."""

from alembic import op

from fieldvisit.migrations.security import secure

revision = "0063_outages"
down_revision = "0062_two_crews"
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
)


def upgrade() -> None:
    op.execute("""
        create table watch_outages (
            id uuid default uuidv7() not null,
            from_at timestamptz,
            until_at timestamptz not null,
            expected integer not null,
            org_id uuid not null,
            constraint pk_watch_outages primary key (id),
            constraint fk_watch_outages_org_id foreign key (org_id) references organisations (id),
            constraint uq_watch_outages_org_id_from_at unique nulls not distinct (org_id, from_at)
        );
        alter table safety_alerts
            add column outage_id uuid,
            add constraint fk_safety_alerts_outage_id foreign key (outage_id) references watch_outages (id);
        create index ix_safety_alerts_outage_id on safety_alerts (outage_id) where outage_id is not null;
        alter table safety_outbox
            add column outage_id uuid,
            add constraint fk_safety_outbox_outage_id foreign key (outage_id) references watch_outages (id);
        create index ix_safety_outbox_outage_id on safety_outbox (outage_id) where outage_id is not null
    """)
    for statement in secure("watch_outages", "owned"):
        op.execute(statement)
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    op.execute(f"grant select, insert, update on watch_outages to {role}")
    _purposes((*PURPOSES_BEFORE, "outage", "cover_gap"))


def downgrade() -> None:
    listed = ", ".join(f"'{value}'" for value in PURPOSES_BEFORE)
    op.execute(f"delete from safety_outbox where purpose not in ({listed})")  # a constant of this file
    _purposes(PURPOSES_BEFORE)
    op.execute("""
        alter table safety_outbox drop column outage_id;
        alter table safety_alerts drop column outage_id;
        drop table watch_outages
    """)


def _purposes(values: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{value}'" for value in values)
    op.execute("alter table safety_outbox drop constraint ck_safety_outbox_messagepurpose")
    op.execute(
        f"alter table safety_outbox add constraint ck_safety_outbox_messagepurpose check (purpose in ({listed}))"
    )
