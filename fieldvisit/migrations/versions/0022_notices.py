"""Debtors are told: templates by version, notices with every try to send them, and what was heard of them later."""

from alembic import op

from fieldvisit.migrations.security import secure

revision = "0022_notices"
down_revision = "0033_heard_at_the_door"
branch_labels = None
depends_on = None

VISIBILITY = {
    "notice_templates": "owned",
    "notices": "placed_by_case",
    "notice_tries": "placed_by_case",
    "notice_receipts": "placed_by_case",
}
ABOUT = "'visit', 'assignment', 'transfer', 'start', 'result', 'called_off', 'door_note'"
CHANNELS = "'call', 'sms', 'email', 'letter', 'visit'"
STATES = "'queued', 'sent', 'delivered', 'undeliverable', 'dead', 'held_back', 'withdrawn'"

UP = f"""
create table notice_templates (
    id uuid default uuidv7() not null,
    code text not null,
    version integer not null,
    about varchar(32) not null,
    channel varchar(32) not null,
    language text not null,
    subject text,
    passages jsonb not null,
    contents text[] not null,
    policies text[] not null,
    made_by_id uuid,
    created_at timestamptz default fieldvisit_now() not null,
    withdrawn_at timestamptz,
    org_id uuid not null,
    constraint pk_notice_templates primary key (id),
    constraint uq_notice_templates_org_id_code_version unique (org_id, code, version),
    constraint ck_notice_templates_noticeabout check (about in ({ABOUT})),
    constraint ck_notice_templates_channel check (channel in ({CHANNELS})),
    constraint ck_notice_templates_language_is_known check (language in ('en', 'zh_CN')),
    constraint ck_notice_templates_version_counts_from_one check (version >= 1),
    constraint fk_notice_templates_org_id foreign key (org_id) references organisations (id)
);

create table notices (
    id uuid default uuidv7() not null,
    case_id uuid not null,
    debtor_id uuid not null,
    visit_id uuid,
    sender_id uuid not null,
    agency_id uuid,
    about varchar(32) not null,
    channel varchar(32) not null,
    form varchar(32) not null,
    language text not null,
    template_id uuid,
    contact_point_id uuid,
    place_id uuid,
    subject bytea,
    body bytea,
    contents text[] not null,
    announced_from timestamptz,
    announced_until timestamptz,
    due_on date,
    external_id text,
    evidence bytea,
    made_by_id uuid,
    created_at timestamptz default fieldvisit_now() not null,
    state varchar(32) default 'queued' not null,
    reason text,
    attempts integer default 0 not null,
    next_try_at timestamptz,
    lease uuid,
    lease_until timestamptz,
    provider text,
    provider_id text,
    error text,
    sent_at timestamptz,
    delivered_at timestamptz,
    called_off_at timestamptz,
    org_id uuid not null,
    constraint pk_notices primary key (id),
    constraint uq_notices_org_id_external_id unique (org_id, external_id),
    constraint ck_notices_noticeabout check (about in ({ABOUT})),
    constraint ck_notices_channel check (channel in ({CHANNELS})),
    constraint ck_notices_noticeform check (form in ('any', 'written')),
    constraint ck_notices_noticestate check (state in ({STATES})),
    constraint ck_notices_lease_is_whole check ((lease is null) = (lease_until is null)),
    constraint ck_notices_announced_in_order check (announced_from < announced_until),
    constraint ck_notices_announced_is_whole check ((announced_from is null) = (announced_until is null)),
    constraint ck_notices_visit_names_its_hours check (about <> 'visit' or announced_from is not null),
    constraint ck_notices_sent_has_a_time check (state not in ('sent', 'delivered') or sent_at is not null),
    constraint ck_notices_settled_is_not_tried check (next_try_at is null or state in ('queued', 'sent')),
    constraint fk_notices_case_id foreign key (case_id) references cases (id),
    constraint fk_notices_debtor_id foreign key (debtor_id) references debtors (id),
    constraint fk_notices_visit_id foreign key (visit_id) references visits (id),
    constraint fk_notices_sender_id foreign key (sender_id) references organisations (id),
    constraint fk_notices_agency_id foreign key (agency_id) references organisations (id),
    constraint fk_notices_template_id foreign key (template_id) references notice_templates (id),
    constraint fk_notices_contact_point_id foreign key (contact_point_id) references contact_points (id),
    constraint fk_notices_place_id foreign key (place_id) references places (id),
    constraint fk_notices_made_by_id foreign key (made_by_id) references accounts (id),
    constraint fk_notices_org_id foreign key (org_id) references organisations (id)
);
create index ix_notices_case_id on notices (case_id);
create index ix_notices_debtor_id on notices (debtor_id);
create index ix_notices_visit_id on notices (visit_id);
create index ix_notices_waiting on notices (channel, next_try_at) where next_try_at is not null;
create index ix_notices_announcing on notices (announced_until)
    where about = 'visit' and state in ('queued', 'sent', 'delivered');

create table notice_tries (
    notice_id uuid not null,
    number integer not null,
    case_id uuid not null,
    begun_at timestamptz not null,
    ended_at timestamptz,
    provider text,
    provider_id text,
    error text,
    org_id uuid not null,
    constraint pk_notice_tries primary key (notice_id, number),
    constraint fk_notice_tries_notice_id foreign key (notice_id) references notices (id),
    constraint fk_notice_tries_case_id foreign key (case_id) references cases (id),
    constraint fk_notice_tries_org_id foreign key (org_id) references organisations (id)
);

create table notice_receipts (
    id uuid default uuidv7() not null,
    notice_id uuid not null,
    case_id uuid not null,
    kind varchar(32) not null,
    at timestamptz not null,
    provider text,
    provider_id text,
    recorded_by_id uuid,
    evidence bytea,
    org_id uuid not null,
    constraint pk_notice_receipts primary key (id),
    constraint ck_notice_receipts_noticestate check (kind in ({STATES})),
    constraint ck_notice_receipts_kind_is_heard check (kind in ('delivered', 'undeliverable')),
    constraint fk_notice_receipts_notice_id foreign key (notice_id) references notices (id),
    constraint fk_notice_receipts_case_id foreign key (case_id) references cases (id),
    constraint fk_notice_receipts_recorded_by_id foreign key (recorded_by_id) references accounts (id),
    constraint fk_notice_receipts_org_id foreign key (org_id) references organisations (id)
);
create index ix_notice_receipts_notice_id on notice_receipts (notice_id);
"""

# A template is withdrawn and a try is ended, nothing else; what was heard stays as it was heard.
RIGHTS = {
    "notice_templates": "select, insert, update (withdrawn_at)",
    "notices": "select, insert, update",
    "notice_tries": "select, insert, update (ended_at, provider, provider_id, error)",
    "notice_receipts": "select, insert",
}


def upgrade() -> None:
    op.execute(UP)
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    for table, visibility in VISIBILITY.items():
        for statement in secure(table, visibility):
            op.execute(statement)
        op.execute(f"grant {RIGHTS[table]} on {table} to {role}")


def downgrade() -> None:
    for table in reversed(VISIBILITY):
        op.execute(f"drop table {table}")
