"""Handling an alert: kinds by strength, handing over, a second officer, being opened again."""

from alembic import op

revision = "0010_handling"
down_revision = "0009_alarms"
branch_labels = None
depends_on = None

KINDS = ("missed_checkin", "overrun", "lost_contact", "not_arrived", "sos", "man_down", "duress")
OUTCOMES = (
    "genuine_injury",
    "genuine_threat",
    "genuine_other",
    "false_accidental",
    "false_forgot",
    "false_device",
    "false_our_outage",
    "cancelled_by_visitor",
    "drill",
)
STATES = ("pre", "open", "notifying", "acknowledged", "exhausted", "resolved")
KINDS_BEFORE = ("missed_checkin", "overrun", "lost_contact", "sos")
OUTCOMES_BEFORE = tuple(each for each in OUTCOMES if each != "cancelled_by_visitor")
STATES_BEFORE = STATES[1:]


def _check(column: str, name: str, values: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{value}'" for value in values)
    op.execute(f"alter table safety_alerts drop constraint ck_safety_alerts_{name}")
    op.execute(f"alter table safety_alerts add constraint ck_safety_alerts_{name} check ({column} in ({listed}))")


def _proof(condition: str) -> None:
    op.execute("alter table safety_alerts drop constraint ck_safety_alerts_resolved_with_proof")
    op.execute(f"alter table safety_alerts add constraint ck_safety_alerts_resolved_with_proof check ({condition})")


def upgrade() -> None:
    _check("kind", "alertkind", KINDS)
    _check("outcome", "alertoutcome", OUTCOMES)
    _check("state", "alertstate", STATES)
    op.execute("""
        alter table safety_alerts
            add column covert boolean default false not null,
            add column parent_id uuid,
            add column offered_to_id uuid,
            add column first_acknowledged_at timestamptz,
            add column referred_at timestamptz,
            add column closing jsonb,
            add constraint fk_safety_alerts_parent_id foreign key (parent_id) references safety_alerts (id),
            add constraint fk_safety_alerts_offered_to_id foreign key (offered_to_id) references accounts (id)
    """)
    _proof("(state = 'resolved') = (outcome is not null and (proof is not null or outcome = 'cancelled_by_visitor'))")


def downgrade() -> None:
    _proof("(state = 'resolved') = (outcome is not null and proof is not null)")
    op.execute("""
        alter table safety_alerts drop column closing, drop column referred_at, drop column first_acknowledged_at,
            drop column offered_to_id, drop column parent_id, drop column covert
    """)
    _check("state", "alertstate", STATES_BEFORE)
    _check("outcome", "alertoutcome", OUTCOMES_BEFORE)
    _check("kind", "alertkind", KINDS_BEFORE)
