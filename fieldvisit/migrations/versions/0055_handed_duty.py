"""A shift of those who answer alarms is offered to another officer, and taken over."""

from alembic import op

revision = "0055_handed_duty"
down_revision = "0055_unwatched"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table duty_shifts
            add column offered_to_id uuid,
            add column taken_from_id uuid,
            add constraint fk_duty_shifts_offered_to_id foreign key (offered_to_id) references accounts (id)
                on delete set null,
            add constraint fk_duty_shifts_taken_from_id foreign key (taken_from_id) references accounts (id)
                on delete set null
    """)


def downgrade() -> None:
    op.execute("alter table duty_shifts drop column taken_from_id, drop column offered_to_id")
