"""From which level of risk on a house asks for the PIN at each check-in, and for a buddy, who is called too."""

from alembic import op

revision = "0067_pins_and_buddies"
down_revision = "0066_planned_sessions"
branch_labels = None
depends_on = None

LEVELS = "('low', 'normal', 'raised', 'high', 'drill')"
BEFORE = ("officer", "visitor", "external", "device")


def upgrade() -> None:
    op.execute(f"""
        alter table safety_rules
            add column pin_from varchar(32),
            add column buddy_from varchar(32),
            add constraint ck_safety_rules_pin_from check (pin_from in {LEVELS}),
            add constraint ck_safety_rules_buddy_from check (buddy_from in {LEVELS});
    """)
    _recipients((*BEFORE, "buddy"))


def downgrade() -> None:
    op.execute("delete from safety_outbox where recipient = 'buddy'")
    _recipients(BEFORE)
    op.execute("alter table safety_rules drop column buddy_from, drop column pin_from")


def _recipients(values: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{value}'" for value in values)
    op.execute("alter table safety_outbox drop constraint ck_safety_outbox_messagerecipient")
    op.execute(
        f"alter table safety_outbox add constraint ck_safety_outbox_messagerecipient check (recipient in ({listed}))"
    )
