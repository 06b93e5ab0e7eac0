"""How many visits a day may hold, and what unequal shares of risk and of chances to earn may cost."""

import sqlalchemy as sa
from alembic import op

revision = "0021_quotas"
down_revision = "0039_evidence"
branch_labels = None
depends_on = None

BEFORE = (
    *("unreachable", "no_crew_offers", "no_crew_large_enough", "outside_every_shift", "window_too_short", "over_limit"),
    *("pin_contradicts", "group_taken", "no_room", "not_worth_its_cost", "not_permitted", "place_unknown"),
    "taken_meanwhile",
)
ADDED = ("quota_full",)
NAME = "ck_unserved_visits_unservedreason"


def upgrade() -> None:
    _allow((*BEFORE, *ADDED))
    for name in ("fair_risk_price", "fair_earning_price"):
        op.add_column("planning_rules", sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("planning_rules", sa.Column("most_visits", sa.Integer(), nullable=True))
    prices = "fair_risk_price between 0 and 3600 and fair_earning_price between 0 and 60"
    op.create_check_constraint(op.f("ck_planning_rules_shares_make_sense"), "planning_rules", prices)
    op.create_check_constraint(op.f("ck_planning_rules_most_visits"), "planning_rules", "most_visits >= 0")
    op.add_column("areas", sa.Column("most_visits", sa.Integer(), nullable=True))
    op.create_check_constraint(op.f("ck_areas_most_visits"), "areas", "most_visits >= 0")
    op.add_column("stops", sa.Column("risk", sa.Integer(), server_default=sa.text("0"), nullable=False))


def downgrade() -> None:
    op.drop_column("stops", "risk")
    op.drop_column("areas", "most_visits")
    for name in ("most_visits", "fair_risk_price", "fair_earning_price"):
        op.drop_column("planning_rules", name)
    op.execute("delete from unserved_visits where reason = 'quota_full'")
    _allow(BEFORE)


def _allow(reasons: tuple[str, ...]) -> None:
    op.drop_constraint(op.f(NAME), "unserved_visits")
    listed = ", ".join(f"'{reason}'" for reason in reasons)
    op.create_check_constraint(op.f(NAME), "unserved_visits", f"reason in ({listed})")
