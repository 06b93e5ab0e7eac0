"""The id of a payment is of whoever sends it: an agency's is not the lender's. Who sent those of old is not known.

The version before, which may still run beside this one, names no sender either: of those one id stays one payment."""

import sqlalchemy as sa
from alembic import op

revision = "0087_payments_by_sender"
down_revision = "0086_covert_since"
branch_labels = None
depends_on = None

OLD, NEW = "uq_payments_org_id_external_id", "uq_payments_org_id_made_by_id_external_id"


def upgrade() -> None:
    op.add_column("payments", sa.Column("made_by_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_payments_made_by_id"), "payments", "organisations", ["made_by_id"], ["id"])
    op.create_unique_constraint(
        op.f(NEW), "payments", ["org_id", "made_by_id", "external_id"], postgresql_nulls_not_distinct=True
    )
    op.drop_constraint(op.f(OLD), "payments", type_="unique")


def downgrade() -> None:
    """Where two told of money under one id, the later one gets its own id in its name: no money is lost."""
    op.execute(
        "update payments set external_id = payments.external_id || ' ' || payments.id from payments as first"
        " where first.org_id = payments.org_id and first.external_id = payments.external_id and first.id < payments.id"
    )
    op.create_unique_constraint(op.f(OLD), "payments", ["org_id", "external_id"])
    op.drop_constraint(op.f(NEW), "payments", type_="unique")
    op.drop_column("payments", "made_by_id")
