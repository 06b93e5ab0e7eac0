"""Markers are reviewed: who did it last, and what was found; it is told that one is overdue."""

from alembic import op

revision = "0082_marker_reviews"
down_revision = "0081_accuracy"
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
    "new_door",
)


def upgrade() -> None:
    # All empty for what the version before writes: it knows of no review.
    op.execute("""
        alter table markers
            add column reviewed_by_id uuid constraint fk_markers_reviewed_by_id references accounts,
            add column reviewed_at timestamptz,
            add column review bytea,
            add constraint ck_markers_reviewed_by_another check (reviewed_by_id <> placed_by_id),
            add constraint ck_markers_review_is_whole
                check ((reviewed_at is null) = (review is null) and (reviewed_at is null) = (reviewed_by_id is null))
    """)
    _purposes((*PURPOSES_BEFORE, "marker_review_due"))


def downgrade() -> None:
    op.execute("delete from safety_outbox where purpose = 'marker_review_due'")
    _purposes(PURPOSES_BEFORE)
    op.execute("alter table markers drop column reviewed_by_id, drop column reviewed_at, drop column review")


def _purposes(values: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{value}'" for value in values)
    op.execute("alter table safety_outbox drop constraint ck_safety_outbox_messagepurpose")
    op.execute(
        f"alter table safety_outbox add constraint ck_safety_outbox_messagepurpose check (purpose in ({listed}))"
    )
