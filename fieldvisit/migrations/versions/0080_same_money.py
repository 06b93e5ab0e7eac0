"""Who tells of one receipt tells of the same money, also when the visit is forgotten by which that was found."""

import sqlalchemy as sa
from alembic import op

revision = "0080_same_money"
down_revision = "0079_new_doors"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("receipts", sa.Column("same_money", sa.Uuid(), nullable=True))
    # As `fieldvisit.receipts` has it.
    op.execute(
        "update receipts set same_money = left(encode(sha256(convert_to("
        "concat_ws(' ', visit_id, stated, currency, amount_minor), 'UTF8')), 'hex'), 32)::uuid"
        " where visit_id is not null and stated is not null"
    )


def downgrade() -> None:
    op.drop_column("receipts", "same_money")
