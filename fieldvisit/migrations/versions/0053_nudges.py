"""Visitors are reminded before their deadlines: of which, stands on the session."""

from alembic import op

revision = "0053_nudges"
down_revision = "0044_location_looks"
branch_labels = None
depends_on = None

PURPOSES_BEFORE = ("alarm", "reminder", "overdue", "all_clear", "taken", "contact_test", "watch_fails")
PURPOSES = (*PURPOSES_BEFORE, "check_in_soon", "end_soon", "arrival_soon", "leaving_soon")


def upgrade() -> None:
    op.execute("alter table safety_sessions add column nudged jsonb default '{}'::jsonb not null")
    _purposes(PURPOSES)


def downgrade() -> None:
    listed = ", ".join(f"'{value}'" for value in PURPOSES_BEFORE)
    op.execute(f"delete from safety_outbox where purpose not in ({listed})")  # a constant of this file
    _purposes(PURPOSES_BEFORE)
    op.execute("alter table safety_sessions drop column nudged")


def _purposes(values: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{value}'" for value in values)
    op.execute("alter table safety_outbox drop constraint ck_safety_outbox_messagepurpose")
    op.execute(
        f"alter table safety_outbox add constraint ck_safety_outbox_messagepurpose check (purpose in ({listed}))"
    )
