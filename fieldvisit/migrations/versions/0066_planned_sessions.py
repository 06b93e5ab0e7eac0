"""Sessions are planned before anybody sets out, on a risk assessment where the house demands one."""

from alembic import op

from fieldvisit.migrations.security import secure

revision = "0066_planned_sessions"
down_revision = "0065_police"
branch_labels = None
depends_on = None

LEVELS = "('low', 'normal', 'raised', 'high', 'drill')"


def upgrade() -> None:
    op.execute(f"""
        alter table safety_sessions
            add column planned_at timestamptz,
            add column planned_s integer,
            add constraint ck_safety_sessions_planned_at_some_time check (state <> 'planned' or planned_at is not null);
        drop index uq_safety_sessions_open;
        create unique index uq_safety_sessions_open on safety_sessions (visitor_id)
            where state in ('active', 'alarm') and drill is null;
        create unique index uq_safety_sessions_planned on safety_sessions (visitor_id, visit_id)
            where state = 'planned';
        create table safety_assessments (
            id uuid not null,
            visit_id uuid not null,
            visitor_id uuid not null,
            account_id uuid,
            questionnaire integer not null,
            answers bytea not null,
            level varchar(32),
            answered_at timestamptz not null,
            session_id uuid,
            org_id uuid not null,
            constraint pk_safety_assessments primary key (id),
            constraint fk_safety_assessments_visit_id foreign key (visit_id) references visits (id),
            constraint fk_safety_assessments_visitor_id foreign key (visitor_id) references visitors (id),
            constraint fk_safety_assessments_account_id foreign key (account_id) references accounts (id),
            constraint fk_safety_assessments_session_id foreign key (session_id) references safety_sessions (id),
            constraint fk_safety_assessments_org_id foreign key (org_id) references organisations (id),
            constraint ck_safety_assessments_risklevel check (level in {LEVELS})
        );
        create index ix_safety_assessments_visit_id_visitor_id
            on safety_assessments (visit_id, visitor_id, answered_at);
        create index ix_safety_assessments_session_id on safety_assessments (session_id);
        alter table safety_rules
            add column assessed_from varchar(32),
            add column assessment_valid_s integer default 43200 not null,
            add constraint ck_safety_rules_risklevel check (assessed_from in {LEVELS}),
            add constraint ck_safety_rules_assessment_within_bounds check (assessment_valid_s between 900 and 604800);
    """)
    for statement in secure("safety_assessments", "owned"):
        op.execute(statement)
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    op.execute(f"grant select, insert, update on safety_assessments to {role}")


def downgrade() -> None:
    op.execute("""
        alter table safety_rules drop column assessment_valid_s, drop column assessed_from;
        drop table safety_assessments;
        drop index uq_safety_sessions_planned;
        drop index uq_safety_sessions_open;
        update safety_sessions set state = 'cancelled', ended_at = fieldvisit_now() where state = 'planned';
        create unique index uq_safety_sessions_open on safety_sessions (visitor_id)
            where state in ('planned', 'active', 'alarm') and drill is null;
        alter table safety_sessions drop column planned_s, drop column planned_at;
    """)
