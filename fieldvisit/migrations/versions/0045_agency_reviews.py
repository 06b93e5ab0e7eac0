"""When a lender looked at each agency that works for it."""

from alembic import op

from fieldvisit.migrations.security import secure

revision = "0045_agency_reviews"
down_revision = "0055_safety_rules"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table agency_reviews (
            id uuid default uuidv7() not null,
            agency_id uuid not null,
            kind varchar(32) not null,
            reviewed_on date not null,
            next_due_on date,
            reference text,
            recorded_by_id uuid,
            recorded_at timestamp with time zone default fieldvisit_now() not null,
            withdrawn_at timestamp with time zone,
            org_id uuid not null,
            constraint pk_agency_reviews primary key (id),
            constraint ck_agency_reviews_agencyreviewkind check (kind in ('evaluation', 'inspection')),
            constraint ck_agency_reviews_dates_in_order check (next_due_on > reviewed_on),
            constraint ck_agency_reviews_of_another check (agency_id <> org_id),
            constraint fk_agency_reviews_agency_id foreign key (agency_id) references organisations (id),
            constraint fk_agency_reviews_org_id foreign key (org_id) references organisations (id)
        );
        create index ix_agency_reviews_of on agency_reviews (org_id, agency_id, reviewed_on);
    """)
    for statement in secure("agency_reviews", "placement"):
        op.execute(statement)
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    op.execute(f"grant select, insert, update on agency_reviews to {role}")


def downgrade() -> None:
    op.execute("drop table agency_reviews")
