"""Talks that lead nowhere are a reason for a contact block."""

from alembic import op

revision = "0046_deadlock"
down_revision = "0055_handed_duty"
branch_labels = None
depends_on = None

BEFORE = (
    *("dispute", "complaint_open", "cease_request", "represented", "vulnerability", "no_capacity", "minor", "deceased"),
    *("bankruptcy", "moratorium", "hardship_plan", "medium_refused", "place_refused", "time_barred", "paid"),
    *("bereavement", "calamity", "celebration", "hospitalised", "litigation"),
)
NAME = "ck_contact_blocks_blocktrigger"


def upgrade() -> None:
    _allow((*BEFORE, "deadlock"))


def downgrade() -> None:
    op.execute("update contact_blocks set trigger = 'dispute' where trigger = 'deadlock'")
    _allow(BEFORE)


def _allow(triggers: tuple[str, ...]) -> None:
    op.drop_constraint(op.f(NAME), "contact_blocks")
    listed = ", ".join(f"'{trigger}'" for trigger in triggers)
    op.create_check_constraint(op.f(NAME), "contact_blocks", f"trigger in ({listed})")
