"""Who goes in together: a session's cover, and the alarm of whoever's partner calls for help."""

from alembic import op

revision = "0042_pairs"
down_revision = "0037_report_forms"
branch_labels = None
depends_on = None

KINDS_BEFORE = (
    "missed_checkin",
    "overrun",
    "lost_contact",
    "not_arrived",
    "left_without_ending",
    "sos",
    "man_down",
    "duress",
)
KINDS = (*KINDS_BEFORE, "partner_calls")


def upgrade() -> None:
    _kinds(KINDS)
    op.execute("""
        alter table safety_sessions
            add column cover varchar(32) default 'solo' not null,
            add constraint ck_safety_sessions_sessioncover check (cover in ('solo', 'pair', 'none'))
    """)


def downgrade() -> None:
    op.execute("alter table safety_sessions drop column cover")
    _kinds(KINDS_BEFORE)


def _kinds(values: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{value}'" for value in values)
    op.execute("alter table safety_alerts drop constraint ck_safety_alerts_alertkind")
    op.execute(f"alter table safety_alerts add constraint ck_safety_alerts_alertkind check (kind in ({listed}))")
