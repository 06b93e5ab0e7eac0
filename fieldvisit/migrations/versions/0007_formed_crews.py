"""Crews that are formed: a shift need not name its crew, and says who named it; one proposal a day."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from fieldvisit.migrations.security import secure

revision = "0007_formed_crews"
down_revision = "0006_occasions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("shifts", "crew_code", nullable=True)
    source = sa.Enum(
        "file", "proposed", "dispatcher", name="crewsource", native_enum=False, create_constraint=True, length=32
    )
    op.add_column("shifts", sa.Column("crew_by", source, nullable=True))
    op.execute("update shifts set crew_by = 'file'")
    op.create_check_constraint(op.f("ck_shifts_crew_is_whole"), "shifts", "(crew_code is null) = (crew_by is null)")
    states = sa.Enum(
        *("requested", "forming", "formed", "failed"),
        name="formingstate",
        native_enum=False,
        create_constraint=True,
        length=32,
    )
    op.create_table(
        "crew_formings",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("works_on", sa.Date(), nullable=False),
        sa.Column("state", states, nullable=False),
        sa.Column("best", sa.Boolean(), nullable=True),
        sa.Column("home", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("undone", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("failure", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column(
            "requested_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False
        ),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_crew_formings_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crew_formings")),
        sa.UniqueConstraint("org_id", "works_on", name=op.f("uq_crew_formings_org_id_works_on")),
    )
    for statement in secure("crew_formings", "owned"):
        op.execute(statement)
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    op.execute(f"grant select, insert, update, delete on crew_formings to {role}")


def downgrade() -> None:
    op.drop_table("crew_formings")
    op.execute("update shifts set crew_code = 'alone ' || visitor_id where crew_code is null")
    op.drop_column("shifts", "crew_by")
    op.alter_column("shifts", "crew_code", nullable=False)
