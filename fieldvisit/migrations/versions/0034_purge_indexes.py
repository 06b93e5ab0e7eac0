"""Whatever a purge looks for is found by an index, and a file knows since when another has its place."""

import sqlalchemy as sa
from alembic import op

revision = "0034_purge_indexes"
down_revision = "0040_forgotten_files"
branch_labels = None
depends_on = None

# A row that goes is looked for in each of these, by the purge and by the foreign key itself.
COLUMNS = (
    ("consents", "place_id"),
    ("consents", "visit_id"),
    ("contact_attempts", "case_id"),
    ("contact_attempts", "contact_point_id"),
    ("contact_blocks", "case_id"),
    ("contact_blocks", "place_id"),
    ("credentials", "for_case_id"),
    ("held_events", "subject_id"),
    ("legal_holds", "case_id"),
    ("notice_receipts", "case_id"),
    ("notice_tries", "case_id"),
    ("notices", "contact_point_id"),
    ("notices", "place_id"),
    ("overrides", "decision_id"),
    ("phone_event_keys", "visit_id"),
    ("placements", "debtor_id"),
    ("repayment_plans", "block_id"),
    ("safety_incidents", "debtor_id"),
    ("safety_incidents", "visit_id"),
    ("safety_sessions", "visit_id"),
    ("unserved_visits", "visit_id"),
    ("verification_lookups", "code_id"),
    ("visits", "place_id"),
    ("week_visits", "visit_id"),
    ("withdrawn_attempts", "visit_id"),
)
BY_ORGANISATION, BY_DEBTOR = "ix_contact_attempts_org_id_debtor_id_at", "ix_contact_attempts_debtor_id_org_id_at"


def upgrade() -> None:
    for table, column in COLUMNS:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
    op.create_index(BY_DEBTOR, "contact_attempts", ["debtor_id", "org_id", "at"])
    op.drop_index(BY_ORGANISATION, "contact_attempts")
    op.add_column("stored_files", sa.Column("unused_since", sa.DateTime(timezone=True), nullable=True))
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    op.execute(f"grant update (unused_since) on stored_files to {role}")


def downgrade() -> None:
    op.drop_column("stored_files", "unused_since")
    op.create_index(BY_ORGANISATION, "contact_attempts", ["org_id", "debtor_id", "at"])
    op.drop_index(BY_DEBTOR, "contact_attempts")
    for table, column in reversed(COLUMNS):
        op.drop_index(op.f(f"ix_{table}_{column}"), table)
