"""Alarms call people: the roster, the officers' contacts, and the outbox of messages."""

from alembic import op

from fieldvisit.migrations.security import secure

revision = "0009_alarms"
down_revision = "0009_compliance"
branch_labels = None
depends_on = None

TABLES = ("duty_shifts", "officer_contacts", "safety_outbox")

UP = """
create table duty_shifts (
    id uuid default uuidv7() not null,
    account_id uuid not null,
    rank varchar(32) not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    created_at timestamptz default fieldvisit_now() not null,
    org_id uuid not null,
    constraint pk_duty_shifts primary key (id),
    constraint ck_duty_shifts_dutyrank check (rank in ('duty', 'backup', 'team_lead', 'safety_manager')),
    constraint ck_duty_shifts_times_in_order check (starts_at < ends_at),
    constraint fk_duty_shifts_account_id foreign key (account_id) references accounts (id) on delete cascade,
    constraint fk_duty_shifts_org_id foreign key (org_id) references organisations (id)
);
create index ix_duty_shifts_org_id_ends_at on duty_shifts (org_id, ends_at);

create table officer_contacts (
    id uuid default uuidv7() not null,
    account_id uuid not null,
    channel varchar(32) not null,
    address bytea not null,
    language text default 'en' not null,
    active boolean default true not null,
    tested_at timestamptz,
    confirmed_at timestamptz,
    created_at timestamptz default fieldvisit_now() not null,
    org_id uuid not null,
    constraint pk_officer_contacts primary key (id),
    constraint ck_officer_contacts_alarmchannel check (channel in ('sms', 'voice', 'push', 'mail')),
    constraint fk_officer_contacts_account_id foreign key (account_id) references accounts (id) on delete cascade,
    constraint fk_officer_contacts_org_id foreign key (org_id) references organisations (id)
);
create index ix_officer_contacts_account_id on officer_contacts (account_id);

create table safety_outbox (
    id uuid default uuidv7() not null,
    key text not null,
    purpose varchar(32) not null,
    session_id uuid,
    alert_id uuid,
    step integer default 0 not null,
    round integer default 0 not null,
    recipient varchar(32) not null,
    recipient_id uuid not null,
    channel varchar(32) not null,
    urgency smallint default 0 not null,
    state varchar(32) default 'queued' not null,
    attempts integer default 0 not null,
    next_try_at timestamptz,
    give_up_at timestamptz,
    lease uuid,
    lease_until timestamptz,
    provider text,
    provider_id text,
    error text,
    created_at timestamptz not null,
    sent_at timestamptz,
    delivered_at timestamptz,
    answered_at timestamptz,
    org_id uuid not null,
    constraint pk_safety_outbox primary key (id),
    constraint uq_safety_outbox_key unique (key),
    constraint ck_safety_outbox_messagepurpose check (purpose in ('alarm', 'reminder', 'overdue', 'all_clear', 'taken',
        'contact_test', 'watch_fails')),
    constraint ck_safety_outbox_messagerecipient check (recipient in ('officer', 'visitor', 'external')),
    constraint ck_safety_outbox_alarmchannel check (channel in ('sms', 'voice', 'push', 'mail')),
    constraint ck_safety_outbox_messagestate check (state in ('queued', 'sent', 'delivered', 'answered',
        'undeliverable', 'dropped')),
    constraint ck_safety_outbox_lease_is_whole check ((lease is null) = (lease_until is null)),
    constraint ck_safety_outbox_queued_is_tried check (state <> 'queued' or next_try_at is not null),
    constraint fk_safety_outbox_session_id foreign key (session_id) references safety_sessions (id),
    constraint fk_safety_outbox_alert_id foreign key (alert_id) references safety_alerts (id),
    constraint fk_safety_outbox_org_id foreign key (org_id) references organisations (id)
);
create index ix_safety_outbox_alert_id on safety_outbox (alert_id);
create index ix_safety_outbox_waiting on safety_outbox (channel, next_try_at) where next_try_at is not null;

alter table safety_alerts add column roster jsonb default '{}'::jsonb not null;
alter table engine_beats add column oldest_unsent_s double precision default 0 not null;
"""

DOWN = """
alter table engine_beats drop column oldest_unsent_s;
alter table safety_alerts drop column roster;
drop table safety_outbox;
drop table officer_contacts;
drop table duty_shifts;
"""


def upgrade() -> None:
    op.execute(UP)
    quoted = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    for table in TABLES:
        for statement in secure(table, "owned"):
            op.execute(statement)
        op.execute(f"grant select, insert, update, delete on {table} to {quoted}")


def downgrade() -> None:
    op.execute(DOWN)
