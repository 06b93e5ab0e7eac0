"""A visit that comes back from its day says why; how long who set out for it is waited for is the house's to say."""

from alembic import op

revision = "0060_not_done"
down_revision = "0058_buddies"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table visits
            add column not_done varchar(32),
            add column not_done_on date,
            add constraint ck_visits_notdone check (not_done in ('day_over', 'not_arrived', 'sent_back')),
            add constraint ck_visits_not_done_has_a_day check ((not_done is null) = (not_done_on is null));
        alter table field_rules
            add column give_back_hours integer default 4 not null,
            add constraint ck_field_rules_give_back_makes_sense check (give_back_hours between 0 and 72);
    """)


def downgrade() -> None:
    op.execute("""
        alter table field_rules drop column give_back_hours;
        alter table visits drop column not_done_on, drop column not_done;
    """)
