"""How many people a dispatcher wants at a door, and two crews at one door."""

import sqlalchemy as sa
from alembic import op

revision = "0062_two_crews"
down_revision = "0061_epochs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("visits", sa.Column("people", sa.Integer(), server_default="1", nullable=False))
    op.create_check_constraint(op.f("ck_visits_people_in_a_crew"), "visits", "people between 1 and 3")
    op.add_column("stops", sa.Column("with_crew", sa.Text()))


def downgrade() -> None:
    op.drop_column("stops", "with_crew")
    op.drop_column("visits", "people")
