"""Who set out without a session is raised where the organisation says after how long."""

from alembic import op

revision = "0055_unwatched"
down_revision = "0045_agency_reviews"
branch_labels = None
depends_on = None

KINDS_BEFORE = (
    "missed_checkin",
    "overrun",
    "lost_contact",
    "not_arrived",
    "left_without_ending",
    "partner_calls",
    "sos",
    "man_down",
    "duress",
)


def upgrade() -> None:
    op.execute("""
        alter table safety_rules
            add column unwatched_s integer,
            add constraint ck_safety_rules_unwatched_within_bounds check (unwatched_s between 300 and 7200)
    """)
    _kinds((*KINDS_BEFORE, "unwatched"))


def downgrade() -> None:
    _kinds(KINDS_BEFORE)
    op.execute("alter table safety_rules drop column unwatched_s")


def _kinds(values: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{value}'" for value in values)
    op.execute("alter table safety_alerts drop constraint ck_safety_alerts_alertkind")
    op.execute(f"alter table safety_alerts add constraint ck_safety_alerts_alertkind check (kind in ({listed}))")
