"""What is held says of which visit it tells, understood or not, and that visit's lender may read it."""

from alembic import op

revision = "0070_held_of_visits"
down_revision = "0069_repeated_renewals"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table held_events add column visit_id uuid, add column lender_id uuid;
        update held_events held set visit_id = v.id, lender_id = v.lender_id
            from visits v where v.id = held.subject_id and v.org_id = held.org_id and exists (
                select from stops s join crew_members c on c.route_id = s.route_id
                where s.visit_id = v.id and c.visitor_id = held.visitor_id);
        alter table held_events
            add constraint fk_held_events_lender_id foreign key (lender_id) references organisations (id),
            add constraint ck_held_events_visit_has_a_lender check ((visit_id is null) = (lender_id is null));
        create index ix_held_events_visit_id on held_events (visit_id);
        create policy lender on held_events for select using (lender_id = app_org())
    """)


def downgrade() -> None:
    op.execute("""
        drop policy lender on held_events;
        alter table held_events drop column lender_id, drop column visit_id
    """)
