"""How strictly a house wants its day in the field to go, and how far from its point a place reaches."""

import sqlalchemy as sa
from alembic import op

from fieldvisit.migrations.security import secure

revision = "0014_field_rules"
down_revision = "0013_plan_parts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    rule = sa.Enum("allow", "ask", "refuse", name="orderrule", native_enum=False, create_constraint=True, length=32)
    op.create_table(
        "field_rules",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("order_rule", rule, nullable=False),
        sa.Column("may_reject", sa.Boolean(), nullable=False),
        sa.Column("undo_minutes", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False),
        sa.CheckConstraint("undo_minutes between 0 and 120", name=op.f("ck_field_rules_undo_makes_sense")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_field_rules_org_id")),
        sa.PrimaryKeyConstraint("org_id", name=op.f("pk_field_rules")),
    )
    for statement in secure("field_rules", "owned"):
        op.execute(statement)
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    op.execute(f"grant select, insert, update, delete on field_rules to {role}")
    op.add_column("places", sa.Column("geofence_m", sa.Integer(), nullable=True))
    op.create_check_constraint(op.f("ck_places_geofence_makes_sense"), "places", "geofence_m between 20 and 5000")


def downgrade() -> None:
    op.drop_constraint(op.f("ck_places_geofence_makes_sense"), "places")
    op.drop_column("places", "geofence_m")
    op.drop_table("field_rules")
