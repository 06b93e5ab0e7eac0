"""What a report says beyond its answers, so that the record of a visit is whole; and who looked at whose data."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from fieldvisit.migrations.security import secure

revision = "0027_visit_records"
down_revision = "0025_files"
branch_labels = None
depends_on = None

GAPS = ("battery", "device_fault", "no_permission", "debtor_refused", "storage_full", "other")
NONE = sa.text("'[]'::jsonb")


ROLES = ("visitor", "dispatcher", "safety_officer", "supervisor", "auditor", "integrator", "admin")
ADDED_ROLES = ("privacy_officer",)
PARTITIONED = ("contact_attempts", "visit_events", "safety_events", "audit_events")

FUNCTIONS = """
create or replace function ensure_partition(parent text, month date) returns void language plpgsql security definer
    set search_path = public, pg_temp
    set lock_timeout = '1s'
as $$
declare
    first date := date_trunc('month', month)::date;
    part text := parent || to_char(first, '_YYYY_MM');
begin
    if parent not in ({tables}) then
        raise exception 'not a partitioned table: %', parent;
    end if;
    if first not between date '2000-01-01' and ((fieldvisit_now() + interval '3 months') at time zone 'utc')::date then
        raise exception 'no partition for a month so far away: %', first;
    end if;
    if to_regclass('parts.' || quote_ident(part)) is not null then
        return;
    end if;
    perform pg_advisory_xact_lock(hashtext('fieldvisit partitions'));
    if to_regclass('parts.' || quote_ident(part)) is null then
        execute format('create table parts.%I (like public.%I including all)', part, parent);
        execute format(
            'alter table public.%I attach partition parts.%I for values from (%L) to (%L)', parent, part,
            first::timestamp at time zone 'UTC', (first + interval '1 month') at time zone 'UTC'
        );
    end if;
end $$;

create or replace function maintain_partitions() returns void language plpgsql security definer
    set search_path = public, pg_temp
as $$
declare
    parent text;
begin
    foreach parent in array array[{tables}] loop
        perform ensure_partition(parent, (fieldvisit_now() at time zone 'utc')::date);
        perform ensure_partition(parent, ((fieldvisit_now() + interval '1 month') at time zone 'utc')::date);
    end loop;
end $$;
"""


def upgrade() -> None:
    _create_door_records()
    _create_accesses()
    _allow_roles((*ROLES, *ADDED_ROLES))
    _partition((*PARTITIONED, "debtor_accesses"))
    op.execute("select maintain_partitions()")


def downgrade() -> None:
    _partition(PARTITIONED)
    _allow_roles(ROLES)
    op.drop_table("debtor_accesses")
    op.drop_table("door_records")


def _partition(tables: tuple[str, ...]) -> None:
    """Each of these has a table of its own for every month."""
    op.execute(FUNCTIONS.replace("{tables}", ", ".join(f"'{table}'" for table in tables)))


def _allow_roles(roles: tuple[str, ...]) -> None:
    name = op.f("ck_overrides_role")
    op.drop_constraint(name, "overrides")
    listed = ", ".join(f"'{role}'" for role in roles)
    op.create_check_constraint(name, "overrides", f"role in ({listed})")
    name = op.f("ck_accounts_roles_are_known")
    op.drop_constraint(name, "accounts")
    op.create_check_constraint(name, "accounts", f"roles <@ array[{listed}]::text[]")


def _create_accesses() -> None:
    op.create_table(
        "debtor_accesses",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False),
        sa.Column("debtor_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("lender_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["lender_id"], ["organisations.id"], name=op.f("fk_debtor_accesses_lender_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_debtor_accesses_org_id")),
        sa.PrimaryKeyConstraint("id", "at", name=op.f("pk_debtor_accesses")),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index(
        op.f("ix_debtor_accesses_lender_id_debtor_id_at"), "debtor_accesses", ["lender_id", "debtor_id", "at"]
    )
    op.create_index(op.f("ix_debtor_accesses_org_id_at"), "debtor_accesses", ["org_id", "at"])
    _open("debtor_accesses", "select, insert")


def _open(table: str, rights: str) -> None:
    for statement in secure(table, "shared"):
        op.execute(statement)
    role = op.get_context().config.attributes["app_role"]
    op.execute(f"grant {rights} on {table} to {op.get_bind().dialect.identifier_preparer.quote(role)}")


def _create_door_records() -> None:
    gap = sa.Enum(*GAPS, name="recordinggap", native_enum=False, create_constraint=True, length=32)
    op.create_table(
        "door_records",
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("asked_to_leave_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("represented", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("complaint", sa.LargeBinary(), nullable=True),
        sa.Column("wishes", sa.LargeBinary(), nullable=True),
        sa.Column("spoken_to", sa.LargeBinary(), nullable=True),
        sa.Column("notes_left", JSONB(), server_default=NONE, nullable=False),
        sa.Column("paid_minor", sa.BigInteger(), nullable=True),
        sa.Column("paid_currency", sa.String(3), nullable=True),
        sa.Column("receipt_number", sa.Text(), nullable=True),
        sa.Column("recordings", JSONB(), server_default=NONE, nullable=False),
        sa.Column("recording_gap", gap, nullable=True),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False
        ),
        sa.Column("lender_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(paid_minor is null) = (paid_currency is null)", name=op.f("ck_door_records_payment_is_whole")
        ),
        sa.CheckConstraint(
            "receipt_number is null or paid_minor is not null", name=op.f("ck_door_records_receipt_is_of_a_payment")
        ),
        sa.CheckConstraint("paid_minor > 0", name=op.f("ck_door_records_paid_something")),
        sa.ForeignKeyConstraint(["report_id"], ["visit_reports.id"], name=op.f("fk_door_records_report_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_door_records_visit_id")),
        sa.ForeignKeyConstraint(["lender_id"], ["organisations.id"], name=op.f("fk_door_records_lender_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_door_records_org_id")),
        sa.PrimaryKeyConstraint("report_id", name=op.f("pk_door_records")),
    )
    op.create_index(op.f("ix_door_records_visit_id"), "door_records", ["visit_id"])
    _open("door_records", "select, insert, update, delete")
