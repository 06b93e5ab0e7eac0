"""Occasions on which nobody is visited are reasons for a contact block: mourning, calamity, feast, hospital, lawsuit."""

from alembic import op

revision = "0006_occasions"
down_revision = "0005_held_events"
branch_labels = None
depends_on = None

BEFORE = (
    *("dispute", "complaint_open", "cease_request", "represented", "vulnerability", "no_capacity", "minor", "deceased"),
    *("bankruptcy", "moratorium", "hardship_plan", "medium_refused", "place_refused", "time_barred", "paid"),
)
ADDED = ("bereavement", "calamity", "celebration", "hospitalised", "litigation")
NAME = "ck_contact_blocks_blocktrigger"


def upgrade() -> None:
    _allow((*BEFORE, *ADDED))


def downgrade() -> None:
    _allow(BEFORE)


def _allow(triggers: tuple[str, ...]) -> None:
    op.drop_constraint(op.f(NAME), "contact_blocks")
    listed = ", ".join(f"'{trigger}'" for trigger in triggers)
    op.create_check_constraint(op.f(NAME), "contact_blocks", f"trigger in ({listed})")
