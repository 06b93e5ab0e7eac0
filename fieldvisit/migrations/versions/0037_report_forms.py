"""Report forms of a house, in versions, and the answers that were filled in with one of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from fieldvisit.migrations.security import secure

revision = "0037_report_forms"
down_revision = "0041_plan_fed_timers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "form_versions",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("questions", postgresql.JSONB(), nullable=False),
        sa.Column("needs", postgresql.JSONB(), nullable=False),
        sa.Column("made_by_id", sa.Uuid(), nullable=True),
        sa.Column(
            "published_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False
        ),
        sa.CheckConstraint("version > 0", name=op.f("ck_form_versions_counted_from_one")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_form_versions_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_form_versions")),
        sa.UniqueConstraint("org_id", "version", name=op.f("uq_form_versions_org_id_version")),
    )
    for statement in secure("form_versions", "read_by_all"):
        op.execute(statement)
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    # Never changed: what was filled in with a version is judged by it.
    op.execute(f"grant select, insert on form_versions to {role}")
    op.add_column("visit_reports", sa.Column("form_id", sa.Uuid(), nullable=True))
    op.add_column("visit_reports", sa.Column("answers", sa.LargeBinary(), nullable=True))
    op.create_foreign_key(op.f("fk_visit_reports_form_id"), "visit_reports", "form_versions", ["form_id"], ["id"])
    op.create_check_constraint(
        op.f("ck_visit_reports_answers_to_a_form"), "visit_reports", "(form_id is null) = (answers is null)"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_visit_reports_answers_to_a_form"), "visit_reports")
    op.drop_column("visit_reports", "answers")
    op.drop_column("visit_reports", "form_id")
    op.drop_table("form_versions")
