"""A message says that a call for help named another door than was told before."""

from alembic import op

revision = "0079_new_doors"
down_revision = "0078_raised_at"
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
    "outage",
    "cover_gap",
    "police_undecided",
    "slow_week",
)


def upgrade() -> None:
    _purposes((*PURPOSES_BEFORE, "new_door"))


def downgrade() -> None:
    listed = ", ".join(f"'{value}'" for value in PURPOSES_BEFORE)
    op.execute(f"delete from safety_outbox where purpose not in ({listed})")  # a constant of this file
    _purposes(PURPOSES_BEFORE)


def _purposes(values: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{value}'" for value in values)
    op.execute("alter table safety_outbox drop constraint ck_safety_outbox_messagepurpose")
    op.execute(
        f"alter table safety_outbox add constraint ck_safety_outbox_messagepurpose check (purpose in ({listed}))"
    )
