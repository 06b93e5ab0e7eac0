"""The engine asks for what was approved lately on every turn: it finds it without reading every marker."""

from alembic import op

revision = "0091_approved_at"
down_revision = "0090_frozen_doors"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_markers_approved_at", "markers", ["approved_at"])


def downgrade() -> None:
    op.drop_index("ix_markers_approved_at", "markers")
