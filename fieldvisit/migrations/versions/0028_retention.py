"""Records go when they have to, with a proof; a case knows when it was closed; debtors ask about their own data."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from fieldvisit.migrations.security import secure

revision = "0028_retention"
down_revision = "0027_visit_records"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
NOW, EMPTY, NONE = sa.text("fieldvisit_now()"), sa.text("'{}'::jsonb"), sa.text("'[]'::jsonb")
NEW_ID = sa.text("uuidv7()")

CLOSES = """
create function case_closed_on() returns trigger language plpgsql as $$
begin
    if new.stage = 'closed' then
        new.closed_on := coalesce(new.closed_on, (fieldvisit_now() at time zone 'utc')::date);
    else
        new.closed_on := null;
    end if;
    return new;
end $$;
create trigger closes before insert or update of stage, closed_on on cases for each row
    execute function case_closed_on();
"""


def upgrade() -> None:
    op.add_column("cases", sa.Column("closed_on", sa.Date(), nullable=True))
    # Of those that are closed already the last change is the best that is known.
    op.execute("update cases set closed_on = (updated_at at time zone 'utc')::date where stage = 'closed'")
    op.execute(CLOSES)
    _create_purges()
    _create_requests()
    # What a purge looks for by: without these each of its deletions would read whole tables.
    op.create_index("ix_contact_attempt_keys_case_id", "contact_attempt_keys", ["case_id"])
    op.create_index("ix_visits_case_id", "visits", ["case_id"])


def downgrade() -> None:
    op.drop_index("ix_visits_case_id", "visits")
    op.drop_index("ix_contact_attempt_keys_case_id", "contact_attempt_keys")
    op.drop_table("debtor_requests")
    op.drop_table("purges")
    op.execute("drop trigger closes on cases; drop function case_closed_on()")
    op.drop_column("cases", "closed_on")


def _create_purges() -> None:
    op.create_table(
        "purges",
        sa.Column("id", sa.Uuid(), server_default=NEW_ID, nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.Column("policies", JSONB(), server_default=NONE, nullable=False),
        sa.Column("records", JSONB(), server_default=EMPTY, nullable=False),
        sa.Column("rows", JSONB(), server_default=EMPTY, nullable=False),
        sa.Column("left_as", JSONB(), server_default=EMPTY, nullable=False),
        sa.Column("ids_sha256", sa.Text(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_purges_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purges")),
    )
    _open("purges", "owned", "select")


def _create_requests() -> None:
    kinds = sa.Enum(
        *("export", "correction", "erasure"),
        name="debtorrequestkind",
        native_enum=False,
        create_constraint=True,
        length=32,
    )
    states = sa.Enum(
        *("open", "done", "refused"), name="debtorrequeststate", native_enum=False, create_constraint=True, length=32
    )
    op.create_table(
        "debtor_requests",
        sa.Column("id", sa.Uuid(), server_default=NEW_ID, nullable=False),
        sa.Column("debtor_id", sa.Uuid(), nullable=False),
        sa.Column("kind", kinds, nullable=False),
        sa.Column("state", states, server_default="open", nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("answered_by_id", sa.Uuid(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", INSTANT, server_default=NOW, nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'open') = (answered_at is null)", name=op.f("ck_debtor_requests_answered_has_a_time")
        ),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["accounts.id"], name=op.f("fk_debtor_requests_recorded_by_id")),
        sa.ForeignKeyConstraint(["answered_by_id"], ["accounts.id"], name=op.f("fk_debtor_requests_answered_by_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_debtor_requests_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_debtor_requests")),
    )
    op.create_index("ix_debtor_requests_debtor_id", "debtor_requests", ["debtor_id"])
    op.create_index("ix_debtor_requests_org_id_state", "debtor_requests", ["org_id", "state"])
    _open("debtor_requests", "placed_by_debtor", "select, insert, update")


def _open(table: str, visibility: str, rights: str) -> None:
    for statement in secure(table, visibility):
        op.execute(statement)
    role = op.get_context().config.attributes["app_role"]
    op.execute(f"grant {rights} on {table} to {op.get_bind().dialect.identifier_preparer.quote(role)}")
