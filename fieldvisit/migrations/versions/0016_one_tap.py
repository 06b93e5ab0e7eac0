"""A visitor may leave with one tap because the debt is disputed or the debtor is vulnerable."""

from alembic import op

revision = "0016_one_tap"
down_revision = "0015_living_day"
branch_labels = None
depends_on = None

BEFORE = ("safety", "asked_to_leave", "distress", "wrong_person", "minor_alone", "other")
ADDED = ("dispute", "vulnerable")


def upgrade() -> None:
    _allow((*BEFORE, *ADDED))


def downgrade() -> None:
    _allow(BEFORE)


def _allow(reasons: tuple[str, ...]) -> None:
    name = op.f("ck_visit_reports_abortreason")
    op.drop_constraint(name, "visit_reports")
    listed = ", ".join(f"'{reason}'" for reason in reasons)
    op.create_check_constraint(name, "visit_reports", f"abort_reason in ({listed})")
