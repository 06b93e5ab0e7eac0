"""Evidence files: announced, sent in parts, accepted once and never changed; and kinds of files with sound and moving
pictures."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from fieldvisit.migrations.security import secure

revision = "0039_evidence"
down_revision = "0043_canary"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
OURS = sa.text("fieldvisit_now()")
FILES_BEFORE = ("jpeg", "png", "webp", "pdf")
FILES = (*FILES_BEFORE, "mp4", "m4a", "webm", "ogg", "mp3", "wav")
# Who takes rows away by the rules of retention is the owner of the tables.
IMMUTABLE = """
create function evidence_stays() returns trigger language plpgsql as $$
begin
    if old.state = 'accepted' and not pg_has_role(
        current_user, (select relowner from pg_class where oid = tg_relid), 'member'
    ) then
        raise exception 'evidence that was accepted is never changed' using errcode = 'insufficient_privilege';
    end if;
    return case when tg_op = 'DELETE' then old else new end;
end $$
"""


def upgrade() -> None:
    _take_files(FILES)
    op.create_table(
        "evidence",
        *(_id(name) for name in ("id", "org_id", "lender_id", "visit_id", "visitor_id")),
        sa.Column(
            "kind", _stored(("photo", "signature", "audio", "video", "document"), "evidencekind"), nullable=False
        ),
        sa.Column("captured_at", AT, nullable=False),
        sa.Column("by_camera", sa.Boolean(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("stated_sha256", sa.Text(), nullable=True),
        sa.Column("received_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "state",
            _stored(("uploading", "accepted", "refused"), "evidencestate"),
            server_default="uploading",
            nullable=False,
        ),
        sa.Column("refused_for", sa.Text(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("camera_notes", postgresql.JSONB(), nullable=True),
        sa.Column("flaws", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("accepted_at", AT, nullable=True),
        sa.Column("created_at", AT, server_default=OURS, nullable=False),
        *(
            sa.CheckConstraint(rule, name=op.f(f"ck_evidence_{name}"))
            for name, rule in (
                ("sizes_make_sense", "size_bytes > 0 and received_bytes between 0 and size_bytes"),
                ("accepted_is_kept", "(state = 'accepted') = (file_id is not null)"),
                ("accepted_when_it_is", "(state = 'accepted') = (accepted_at is not null)"),
                ("refused_for_a_reason", "(state = 'refused') = (refused_for is not null)"),
            )
        ),
        *(
            sa.ForeignKeyConstraint([column], [to], name=op.f(f"fk_evidence_{column}"))
            for column, to in (
                ("org_id", "organisations.id"),
                ("lender_id", "organisations.id"),
                ("visit_id", "visits.id"),
                ("visitor_id", "visitors.id"),
                ("file_id", "stored_files.id"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
    )
    for column in ("visit_id", "file_id"):
        op.create_index(op.f(f"ix_evidence_{column}"), "evidence", [column])
    op.create_table(
        "evidence_parts",
        _id("org_id"),
        _id("evidence_id"),
        sa.Column("begin", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_evidence_parts_org_id")),
        sa.ForeignKeyConstraint(["evidence_id"], ["evidence.id"], name=op.f("fk_evidence_parts_evidence_id")),
        sa.PrimaryKeyConstraint("evidence_id", "begin", name=op.f("pk_evidence_parts")),
    )
    for table, visibility in (("evidence", "shared"), ("evidence_parts", "owned")):
        for statement in secure(table, visibility):
            op.execute(statement)
    op.execute(IMMUTABLE)
    op.execute(
        "create trigger accepted_stays before update or delete on evidence for each row execute function evidence_stays()"
    )
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    op.execute(f"grant select, insert, update, delete on evidence, evidence_parts to {role}")


def downgrade() -> None:
    op.drop_table("evidence_parts")
    op.drop_table("evidence")
    op.execute("drop function evidence_stays()")
    _take_files(FILES_BEFORE)


def _take_files(kinds: tuple[str, ...]) -> None:
    name = op.f("ck_stored_files_filekind")
    op.drop_constraint(name, "stored_files")
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.create_check_constraint(name, "stored_files", f"kind in ({listed})")


def _id(name: str) -> sa.Column:
    return sa.Column(name, sa.Uuid(), nullable=False)


def _stored(values: tuple[str, ...], name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)
