"""What was dangerous before: incidents, markers, and who has read them; and the sessions of the last hour by an index."""

from alembic import op

from fieldvisit.migrations.security import secure

revision = "0029_markers"
down_revision = "0022_notices"
branch_labels = None
depends_on = None

RIGHTS = {
    "safety_incidents": "select, insert, update",
    "markers": "select, insert, update",
    "marker_reads": "select, insert",
}
INCIDENTS = ("threat", "violence", "weapon", "dog", "accident", "hazard", "other")
MARKERS = ("violence", "threat", "weapon", "dog", "hazard", "other")


def upgrade() -> None:
    op.execute(f"""
        create table safety_incidents (
            id uuid default uuidv7() not null,
            kind varchar(32) not null,
            happened_at timestamptz not null,
            account bytea not null,
            place_id uuid,
            debtor_id uuid,
            visit_id uuid,
            alert_id uuid,
            reported_by_id uuid not null,
            reported_at timestamptz not null,
            reviewed_by_id uuid,
            reviewed_at timestamptz,
            review bytea,
            org_id uuid not null,
            constraint pk_safety_incidents primary key (id),
            constraint fk_safety_incidents_place_id foreign key (place_id) references places (id),
            constraint fk_safety_incidents_debtor_id foreign key (debtor_id) references debtors (id),
            constraint fk_safety_incidents_visit_id foreign key (visit_id) references visits (id),
            constraint fk_safety_incidents_alert_id foreign key (alert_id) references safety_alerts (id),
            constraint fk_safety_incidents_reported_by_id foreign key (reported_by_id) references accounts (id),
            constraint fk_safety_incidents_reviewed_by_id foreign key (reviewed_by_id) references accounts (id),
            constraint fk_safety_incidents_org_id foreign key (org_id) references organisations (id),
            constraint ck_safety_incidents_incidentkind check (kind in ({_listed(INCIDENTS)})),
            constraint ck_safety_incidents_review_is_whole check (
                (reviewed_at is null) = (review is null) and (reviewed_at is null) = (reviewed_by_id is null))
        );
        create index ix_safety_incidents_place_id on safety_incidents (place_id, reviewed_at);
        create index ix_safety_incidents_org_id_reported_at on safety_incidents (org_id, reported_at);
        create table markers (
            id uuid default uuidv7() not null,
            incident_id uuid not null,
            place_id uuid,
            debtor_id uuid,
            kind varchar(32) not null,
            level varchar(32) not null,
            facts bytea not null,
            placed_by_id uuid not null,
            placed_at timestamptz not null,
            approved_by_id uuid,
            approved_at timestamptz,
            told_on date,
            untold_reason bytea,
            review_on date not null,
            expires_on date not null,
            withdrawn_by_id uuid,
            withdrawn_at timestamptz,
            org_id uuid not null,
            constraint pk_markers primary key (id),
            constraint fk_markers_incident_id foreign key (incident_id) references safety_incidents (id),
            constraint fk_markers_place_id foreign key (place_id) references places (id),
            constraint fk_markers_debtor_id foreign key (debtor_id) references debtors (id),
            constraint fk_markers_placed_by_id foreign key (placed_by_id) references accounts (id),
            constraint fk_markers_approved_by_id foreign key (approved_by_id) references accounts (id),
            constraint fk_markers_withdrawn_by_id foreign key (withdrawn_by_id) references accounts (id),
            constraint fk_markers_org_id foreign key (org_id) references organisations (id),
            constraint ck_markers_markerkind check (kind in ({_listed(MARKERS)})),
            constraint ck_markers_risklevel check (level in ('low', 'normal', 'raised', 'high', 'drill')),
            constraint ck_markers_is_about_something check (place_id is not null or debtor_id is not null),
            constraint ck_markers_makes_it_more_dangerous check (level in ('raised', 'high')),
            constraint ck_markers_second_person_is_another check (approved_by_id <> placed_by_id),
            constraint ck_markers_approved_by_somebody check ((approved_by_id is null) = (approved_at is null)),
            constraint ck_markers_told_or_why_not check ((told_on is null) <> (untold_reason is null)),
            constraint ck_markers_reviewed_before_it_expires check (review_on <= expires_on)
        );
        create index ix_markers_place_id on markers (place_id);
        create index ix_markers_debtor_id on markers (debtor_id);
        create table marker_reads (
            id uuid default uuidv7() not null,
            marker_id uuid not null,
            account_id uuid not null,
            visitor_id uuid,
            confirmed boolean not null,
            at timestamptz not null,
            org_id uuid not null,
            constraint pk_marker_reads primary key (id),
            constraint fk_marker_reads_marker_id foreign key (marker_id) references markers (id),
            constraint fk_marker_reads_account_id foreign key (account_id) references accounts (id),
            constraint fk_marker_reads_visitor_id foreign key (visitor_id) references visitors (id),
            constraint fk_marker_reads_org_id foreign key (org_id) references organisations (id)
        );
        create index ix_marker_reads_marker_id_visitor_id on marker_reads (marker_id, visitor_id, at);
        create index ix_safety_sessions_ended_at on safety_sessions (ended_at) where ended_at is not null;
    """)
    quoted = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    for table, rights in RIGHTS.items():
        for statement in secure(table, "owned"):
            op.execute(statement)
        op.execute(f"grant {rights} on {table} to {quoted}")


def downgrade() -> None:
    op.execute("drop index ix_safety_sessions_ended_at")
    op.execute("drop table marker_reads; drop table markers; drop table safety_incidents")


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)
