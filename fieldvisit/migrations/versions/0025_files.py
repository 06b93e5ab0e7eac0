"""Files kept by their content, the scanned papers and the portraits among them, and who looked at them."""

import sqlalchemy as sa
from alembic import op

from fieldvisit.migrations.security import secure

revision = "0025_files"
down_revision = "0016_one_tap"
branch_labels = None
depends_on = None

KINDS = ("jpeg", "png", "webp", "pdf")


def upgrade() -> None:
    op.create_table(
        "stored_files",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(*KINDS, name="filekind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False),
        sa.CheckConstraint("size_bytes > 0", name=op.f("ck_stored_files_holds_something")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_stored_files_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_files")),
        sa.UniqueConstraint("org_id", "digest", name=op.f("uq_stored_files_org_id_digest")),
    )
    op.create_table(
        "file_accesses",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_file_accesses_org_id")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_files.id"], name=op.f("fk_file_accesses_file_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file_accesses")),
    )
    op.create_index(op.f("ix_file_accesses_file_id"), "file_accesses", ["file_id"])
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    for table, rights in {"stored_files": "select, insert, delete", "file_accesses": "select, insert"}.items():
        for statement in secure(table, "owned"):
            op.execute(statement)
        op.execute(f"grant {rights} on {table} to {role}")
    for table, column in {"visitors": "photo_id", "credentials": "file_id"}.items():
        op.add_column(table, sa.Column(column, sa.Uuid(), nullable=True))
        op.create_foreign_key(op.f(f"fk_{table}_{column}"), table, "stored_files", [column], ["id"])


def downgrade() -> None:
    for table, column in {"visitors": "photo_id", "credentials": "file_id"}.items():
        op.drop_constraint(op.f(f"fk_{table}_{column}"), table)
        op.drop_column(table, column)
    op.drop_table("file_accesses")
    op.drop_table("stored_files")
