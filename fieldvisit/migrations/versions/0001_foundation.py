"""The foundation: all tables, the clock, monthly partitions, row-level security and the application role's rights."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from fieldvisit.migrations.security import DROP_FUNCTIONS, FUNCTIONS, secure

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Written out, not read from the models: a migration says what it did then, whatever the models say later.
VISIBILITY = {
    "accounts": "owned",
    "areas": "owned",
    "audit_events": "owned",
    "cases": "placed_case",
    "consents": "placed_by_debtor",
    "contact_attempt_keys": "placed_by_case",
    "contact_attempts": "placed_by_case",
    "contact_blocks": "placed_by_debtor",
    "contact_points": "placed_by_debtor",
    "credential_checks": "owned",
    "credentials": "owned",
    "crew_members": "owned",
    "day_plans": "owned",
    "debtors": "placed_debtor",
    "decisions": "shared",
    "identity_checks": "shared",
    "organisations": "organisation",
    "payments": "placed_by_case",
    "phone_event_keys": "shared",
    "placements": "placement",
    "places": "placed_by_debtor",
    "promises": "shared",
    "refresh_tokens": "owned",
    "report_additions": "shared",
    "routes": "owned",
    "safety_alerts": "owned",
    "safety_events": "owned",
    "safety_keys": "owned",
    "safety_sessions": "owned",
    "shifts": "owned",
    "stops": "owned",
    "unserved_visits": "owned",
    "visit_events": "shared",
    "visit_reports": "shared",
    "visitors": "owned",
    "visits": "shared",
    "wishes": "placed_by_debtor",
}
SYSTEM = ("clock_shift", "engine_beats")
APPEND_ONLY = ("contact_attempts", "visit_events", "safety_events", "audit_events", "decisions", "credential_checks")

CLOCK = """
create function fieldvisit_now() returns timestamptz language plpgsql volatile
    as $$ begin return clock_timestamp() + (select shift from clock_shift); end $$;
"""

# The application may not create tables; this one thing it may ask for, and only for the tables named here.
PARTITIONS = """
create schema parts;

create function ensure_partition(parent text, month date) returns void language plpgsql security definer
    set search_path = public, pg_temp
    -- Whoever waits for these locks keeps everybody behind it waiting too.
    set lock_timeout = '1s'
as $$
declare
    first date := date_trunc('month', month)::date;
    part text := parent || to_char(first, '_YYYY_MM');
begin
    if parent not in ('contact_attempts', 'visit_events', 'safety_events', 'audit_events') then
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
        -- Made apart and attached: `partition of` would wait until nobody, not even a backup, reads the parent. It is
        -- empty, so that attaching has nothing to look through.
        execute format('create table parts.%I (like public.%I including all)', part, parent);
        execute format(
            'alter table public.%I attach partition parts.%I for values from (%L) to (%L)', parent, part,
            first::timestamp at time zone 'UTC', (first + interval '1 month') at time zone 'UTC'
        );
    end if;
end $$;

create function maintain_partitions() returns void language plpgsql security definer
    set search_path = public, pg_temp
as $$
declare
    parent text;
begin
    foreach parent in array array['contact_attempts', 'visit_events', 'safety_events', 'audit_events'] loop
        perform ensure_partition(parent, (fieldvisit_now() at time zone 'utc')::date);
        perform ensure_partition(parent, ((fieldvisit_now() + interval '1 month') at time zone 'utc')::date);
    end loop;
end $$;
"""


def upgrade() -> None:
    op.execute(CLOCK)
    create_tables()
    op.execute("insert into clock_shift default values")
    op.execute("create sequence visit_references")
    op.execute(PARTITIONS)
    op.execute(FUNCTIONS)
    for table, visibility in VISIBILITY.items():
        for statement in secure(table, visibility):
            op.execute(statement)
    grant_rights()
    op.execute("select maintain_partitions()")


def grant_rights() -> None:
    role = op.get_context().config.attributes["app_role"]
    quoted = op.get_bind().dialect.identifier_preparer.quote(role)
    for table in VISIBILITY:
        rights = "select, insert" if table in APPEND_ONLY else "select, insert, update, delete"
        op.execute(f"grant {rights} on {table} to {quoted}")
    op.execute(f"grant select on clock_shift, alembic_version to {quoted}")
    op.execute(f"grant usage on sequence visit_references to {quoted}")
    op.execute(f"grant select, insert, update, delete on engine_beats to {quoted}")
    # A security-definer function is open to everyone unless it is closed.
    op.execute("revoke all on function ensure_partition(text, date), maintain_partitions() from public")
    op.execute(f"grant execute on function ensure_partition(text, date), maintain_partitions() to {quoted}")


def downgrade() -> None:
    for table in VISIBILITY:
        policies = ("readable", "written", "changed") if table == "organisations" else ("organisation",)
        for policy in policies:
            op.execute(f"drop policy {policy} on {table}")
    op.execute(DROP_FUNCTIONS)
    op.execute("drop function maintain_partitions(); drop function ensure_partition(text, date)")
    drop_tables()
    op.execute("drop schema parts")
    op.execute("drop sequence visit_references")
    op.execute("drop function fieldvisit_now()")


def create_tables() -> None:
    op.create_table(
        "clock_shift",
        sa.Column("one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("shift", sa.Interval(), server_default=sa.text("interval '0'"), nullable=False),
        sa.CheckConstraint("one", name=op.f("ck_clock_shift_one_row")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_clock_shift")),
    )
    op.create_table(
        "engine_beats",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fired", sa.Integer(), nullable=False),
        sa.Column("oldest_due_s", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_engine_beats")),
    )
    op.create_table(
        "organisations",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("lender", "agency", name="organisationkind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("policies", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("debtor_phone", sa.Text(), nullable=True),
        sa.Column("emergency_number", sa.Text(), server_default="112", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False),
        sa.CheckConstraint("code ~ '^[a-z0-9][a-z0-9-]{1,39}$'", name=op.f("ck_organisations_code_is_a_slug")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisations")),
        sa.UniqueConstraint("code", name=op.f("uq_organisations_code")),
    )
    op.create_table(
        "areas",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("radius_m", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("lat between -90 and 90 and lon between -180 and 180", name=op.f("ck_areas_on_earth")),
        sa.CheckConstraint("radius_m between 100 and 200000", name=op.f("ck_areas_radius_is_local")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_areas_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_areas")),
        sa.UniqueConstraint("org_id", "code", name=op.f("uq_areas_org_id_code")),
    )
    op.create_table(
        "audit_events",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("detail", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_audit_events_org_id")),
        sa.PrimaryKeyConstraint("id", "at", name=op.f("pk_audit_events")),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index("ix_audit_events_org_id_at", "audit_events", ["org_id", "at"], unique=False)
    op.create_table(
        "debtors",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column(
            "party",
            sa.Enum("borrower", "guarantor", name="debtorparty", native_enum=False, create_constraint=True, length=32),
            server_default="borrower",
            nullable=False,
        ),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("national_id", sa.LargeBinary(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_debtors_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_debtors")),
        sa.UniqueConstraint("org_id", "external_id", name=op.f("uq_debtors_org_id_external_id")),
    )
    op.create_table(
        "visitors",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("staff_number", sa.Text(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.Column("skills", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("languages", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("home_address", sa.LargeBinary(), nullable=True),
        sa.Column("home_lat", sa.Double(), nullable=True),
        sa.Column("home_lon", sa.Double(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(home_lat is null) = (home_lon is null)", name=op.f("ck_visitors_home_is_whole")),
        sa.CheckConstraint(
            "home_lat between -90 and 90 and home_lon between -180 and 180", name=op.f("ck_visitors_home_on_earth")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_visitors_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visitors")),
        sa.UniqueConstraint("org_id", "external_id", name=op.f("uq_visitors_org_id_external_id")),
    )
    op.create_table(
        "accounts",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("roles", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("visitor_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.LargeBinary(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "roles <@ array['visitor','dispatcher','safety_officer','supervisor','auditor','integrator','admin']::text[]",
            name=op.f("ck_accounts_roles_are_known"),
        ),
        sa.CheckConstraint("cardinality(roles) > 0", name=op.f("ck_accounts_has_a_role")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_accounts_org_id")),
        sa.ForeignKeyConstraint(["visitor_id"], ["visitors.id"], name=op.f("fk_accounts_visitor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("username", name=op.f("uq_accounts_username")),
    )
    op.create_table(
        "cases",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("debtor_id", sa.Uuid(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("principal_minor", sa.BigInteger(), nullable=False),
        sa.Column("interest_minor", sa.BigInteger(), nullable=False),
        sa.Column("fees_minor", sa.BigInteger(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("as_of_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("days_past_due", sa.Integer(), nullable=False),
        sa.Column(
            "stage",
            sa.Enum(
                "remind",
                "phone",
                "letter",
                "visit",
                "legal",
                "closed",
                name="casestage",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason_for_arrears", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("days_past_due >= 0", name=op.f("ck_cases_days_past_due_not_negative")),
        sa.CheckConstraint(
            "principal_minor >= 0 and interest_minor >= 0 and fees_minor >= 0", name=op.f("ck_cases_not_negative")
        ),
        sa.CheckConstraint(
            "total_minor = principal_minor + interest_minor + fees_minor", name=op.f("ck_cases_total_adds_up")
        ),
        sa.ForeignKeyConstraint(["debtor_id"], ["debtors.id"], name=op.f("fk_cases_debtor_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_cases_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
        sa.UniqueConstraint("org_id", "external_id", name=op.f("uq_cases_org_id_external_id")),
    )
    op.create_index(op.f("ix_cases_debtor_id"), "cases", ["debtor_id"], unique=False)
    op.create_table(
        "consents",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("debtor_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["debtor_id"], ["debtors.id"], name=op.f("fk_consents_debtor_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_consents_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    op.create_index(op.f("ix_consents_debtor_id"), "consents", ["debtor_id"], unique=False)
    op.create_table(
        "contact_points",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("debtor_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "phone", "email", "post", name="contactpointkind", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["debtor_id"], ["debtors.id"], name=op.f("fk_contact_points_debtor_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_contact_points_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_points")),
        sa.UniqueConstraint("debtor_id", "digest", name=op.f("uq_contact_points_debtor_id_digest")),
    )
    op.create_table(
        "places",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("debtor_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "home",
                "work",
                "chosen",
                "hospital",
                "school",
                "public",
                name="placekind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            server_default="home",
            nullable=False,
        ),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column(
            "found_by",
            sa.Enum(
                "given", "geocoded", "none", name="pointsource", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("found_note", sa.Text(), nullable=True),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(found_by = 'none') = (lat is null)", name=op.f("ck_places_point_says_how_it_was_found")),
        sa.CheckConstraint("(lat is null) = (lon is null)", name=op.f("ck_places_point_is_whole")),
        sa.CheckConstraint("lat between -90 and 90 and lon between -180 and 180", name=op.f("ck_places_on_earth")),
        sa.ForeignKeyConstraint(["debtor_id"], ["debtors.id"], name=op.f("fk_places_debtor_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_places_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_places")),
        sa.UniqueConstraint("debtor_id", "digest", name=op.f("uq_places_debtor_id_digest")),
    )
    op.create_table(
        "shifts",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("visitor_id", sa.Uuid(), nullable=False),
        sa.Column("works_on", sa.Date(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("crew_code", sa.Text(), nullable=False),
        sa.Column("lead", sa.Boolean(), nullable=False),
        sa.Column("from_office", sa.Boolean(), nullable=False),
        sa.Column("break_from_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("break_until_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("break_s", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(break_s is null) = (break_from_at is null) and (break_s is null) = (break_until_at is null)",
            name=op.f("ck_shifts_break_is_whole"),
        ),
        sa.CheckConstraint("break_s > 0 and break_from_at < break_until_at", name=op.f("ck_shifts_break_in_order")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_shifts_times_in_order")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_shifts_org_id")),
        sa.ForeignKeyConstraint(["visitor_id"], ["visitors.id"], name=op.f("fk_shifts_visitor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shifts")),
        sa.UniqueConstraint("visitor_id", "works_on", name=op.f("uq_shifts_visitor_id_works_on")),
    )
    op.create_index("ix_shifts_org_id_works_on", "shifts", ["org_id", "works_on"], unique=False)
    op.create_table(
        "wishes",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("debtor_id", sa.Uuid(), nullable=False),
        sa.Column("only", sa.Boolean(), nullable=False),
        sa.Column("days", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("from_time", sa.Time(), nullable=False),
        sa.Column("until_time", sa.Time(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("stated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "days <@ array['mon','tue','wed','thu','fri','sat','sun']", name=op.f("ck_wishes_days_are_known")
        ),
        sa.CheckConstraint("cardinality(days) > 0", name=op.f("ck_wishes_has_a_day")),
        sa.CheckConstraint("from_time < until_time", name=op.f("ck_wishes_times_in_order")),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_wishes_dates_in_order")),
        sa.ForeignKeyConstraint(["debtor_id"], ["debtors.id"], name=op.f("fk_wishes_debtor_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_wishes_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wishes")),
        sa.UniqueConstraint(
            "debtor_id",
            "only",
            "days",
            "from_time",
            "until_time",
            name=op.f("uq_wishes_debtor_id_only_days_from_time_until_time"),
        ),
    )
    op.create_index(op.f("ix_wishes_debtor_id"), "wishes", ["debtor_id"], unique=False)
    op.create_table(
        "contact_attempt_keys",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("made_by_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_contact_attempt_keys_case_id")),
        sa.ForeignKeyConstraint(["made_by_id"], ["organisations.id"], name=op.f("fk_contact_attempt_keys_made_by_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_contact_attempt_keys_org_id")),
        sa.PrimaryKeyConstraint("org_id", "made_by_id", "source", "external_id", name=op.f("pk_contact_attempt_keys")),
    )
    op.create_table(
        "contact_attempts",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("debtor_id", sa.Uuid(), nullable=False),
        sa.Column("contact_point_id", sa.Uuid(), nullable=True),
        sa.Column("made_by_id", sa.Uuid(), nullable=False),
        sa.Column(
            "channel",
            sa.Enum(
                "call",
                "sms",
                "email",
                "letter",
                "visit",
                name="channel",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "result",
            sa.Enum(
                "no_answer",
                "busy",
                "voicemail",
                "number_invalid",
                "switched_off",
                "refused_call",
                "wrong_person",
                "third_party",
                "reached",
                "delivered",
                "bounced",
                "read",
                "nobody_home",
                name="attemptresult",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "detail",
            sa.Enum(
                "talked",
                "promised",
                "disputed",
                "asked_to_stop",
                "other",
                name="reacheddetail",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False
        ),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "detail is null or result = 'reached'", name=op.f("ck_contact_attempts_detail_belongs_to_reached")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_contact_attempts_case_id")),
        sa.ForeignKeyConstraint(
            ["contact_point_id"], ["contact_points.id"], name=op.f("fk_contact_attempts_contact_point_id")
        ),
        sa.ForeignKeyConstraint(["debtor_id"], ["debtors.id"], name=op.f("fk_contact_attempts_debtor_id")),
        sa.ForeignKeyConstraint(["made_by_id"], ["organisations.id"], name=op.f("fk_contact_attempts_made_by_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_contact_attempts_org_id")),
        sa.PrimaryKeyConstraint("id", "at", name=op.f("pk_contact_attempts")),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index(
        "ix_contact_attempts_org_id_debtor_id_at", "contact_attempts", ["org_id", "debtor_id", "at"], unique=False
    )
    op.create_table(
        "contact_blocks",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("debtor_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column(
            "trigger",
            sa.Enum(
                "dispute",
                "complaint_open",
                "cease_request",
                "represented",
                "vulnerability",
                "no_capacity",
                "minor",
                "deceased",
                "bankruptcy",
                "moratorium",
                "hardship_plan",
                "medium_refused",
                "place_refused",
                "time_barred",
                "paid",
                name="blocktrigger",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "scope",
            sa.Enum(
                "all",
                "visits",
                "channel",
                "place",
                name="blockscope",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            server_default="all",
            nullable=False,
        ),
        sa.Column(
            "channel",
            sa.Enum(
                "call",
                "sms",
                "email",
                "letter",
                "visit",
                name="channel",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("place_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("filed_by_id", sa.Uuid(), nullable=True),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(scope = 'channel') = (channel is not null)", name=op.f("ck_contact_blocks_channel_is_named")
        ),
        sa.CheckConstraint("(scope = 'place') = (place_id is not null)", name=op.f("ck_contact_blocks_place_is_named")),
        sa.CheckConstraint("since_at < until_at", name=op.f("ck_contact_blocks_times_in_order")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_contact_blocks_case_id")),
        sa.ForeignKeyConstraint(["debtor_id"], ["debtors.id"], name=op.f("fk_contact_blocks_debtor_id")),
        sa.ForeignKeyConstraint(["filed_by_id"], ["accounts.id"], name=op.f("fk_contact_blocks_filed_by_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_contact_blocks_org_id")),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"], name=op.f("fk_contact_blocks_place_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_blocks")),
        sa.UniqueConstraint("org_id", "external_id", name=op.f("uq_contact_blocks_org_id_external_id")),
    )
    op.create_index(op.f("ix_contact_blocks_debtor_id"), "contact_blocks", ["debtor_id"], unique=False)
    op.create_table(
        "credentials",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("visitor_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "badge",
                "id_card",
                "authorisation_letter",
                "notice_copy",
                "licence",
                "approval_letter",
                "certificate",
                name="credentialkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("number", sa.LargeBinary(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("for_org_id", sa.Uuid(), nullable=True),
        sa.Column("for_case_id", sa.Uuid(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("valid_from <= valid_until", name=op.f("ck_credentials_dates_in_order")),
        sa.ForeignKeyConstraint(["for_case_id"], ["cases.id"], name=op.f("fk_credentials_for_case_id")),
        sa.ForeignKeyConstraint(["for_org_id"], ["organisations.id"], name=op.f("fk_credentials_for_org_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_credentials_org_id")),
        sa.ForeignKeyConstraint(["visitor_id"], ["visitors.id"], name=op.f("fk_credentials_visitor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credentials")),
        sa.UniqueConstraint("org_id", "external_id", name=op.f("uq_credentials_org_id_external_id")),
    )
    op.create_index(op.f("ix_credentials_visitor_id"), "credentials", ["visitor_id"], unique=False)
    op.create_table(
        "day_plans",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("area_id", sa.Uuid(), nullable=False),
        sa.Column("planned_on", sa.Date(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "requested",
                "solving",
                "draft",
                "published",
                "superseded",
                "dropped",
                "failed",
                name="dayplanstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("iterations", sa.Integer(), nullable=True),
        sa.Column("seed", sa.Integer(), server_default="1", nullable=False),
        sa.Column("progress", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("stayed_home", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("failure", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("problem", postgresql.JSONB(), nullable=True),
        sa.Column("plan", postgresql.JSONB(), nullable=True),
        sa.Column("travel_source", sa.Text(), nullable=True),
        sa.Column("cost", sa.BigInteger(), nullable=True),
        sa.Column("requested_by_id", sa.Uuid(), nullable=True),
        sa.Column("published_by_id", sa.Uuid(), nullable=True),
        sa.Column(
            "requested_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False
        ),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state in ('published', 'superseded')) = (version is not null)",
            name=op.f("ck_day_plans_version_when_public"),
        ),
        sa.ForeignKeyConstraint(["area_id"], ["areas.id"], name=op.f("fk_day_plans_area_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_day_plans_org_id")),
        sa.ForeignKeyConstraint(["published_by_id"], ["accounts.id"], name=op.f("fk_day_plans_published_by_id")),
        sa.ForeignKeyConstraint(["requested_by_id"], ["accounts.id"], name=op.f("fk_day_plans_requested_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_day_plans")),
    )
    op.create_index("ix_day_plans_org_id_planned_on", "day_plans", ["org_id", "planned_on"], unique=False)
    op.create_index(
        "uq_day_plans_published",
        "day_plans",
        ["area_id", "planned_on"],
        unique=True,
        postgresql_where=sa.text("state = 'published'"),
    )
    op.create_table(
        "payments",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_payments_positive")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_payments_case_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_payments_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint("org_id", "external_id", name=op.f("uq_payments_org_id_external_id")),
    )
    op.create_index(op.f("ix_payments_case_id"), "payments", ["case_id"], unique=False)
    op.create_table(
        "placements",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("debtor_id", sa.Uuid(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("from_on <= until_on", name=op.f("ck_placements_dates_in_order")),
        sa.ForeignKeyConstraint(["agency_id"], ["organisations.id"], name=op.f("fk_placements_agency_id")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_placements_case_id")),
        sa.ForeignKeyConstraint(["debtor_id"], ["debtors.id"], name=op.f("fk_placements_debtor_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_placements_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_placements")),
        sa.UniqueConstraint("case_id", "agency_id", "from_on", name=op.f("uq_placements_case_id_agency_id_from_on")),
    )
    op.create_index("ix_placements_agency", "placements", ["agency_id", "from_on", "until_on"], unique=False)
    op.create_index(op.f("ix_placements_case_id"), "placements", ["case_id"], unique=False)
    op.create_table(
        "refresh_tokens",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_refresh_tokens_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_refresh_tokens_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refresh_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_refresh_tokens_token_hash")),
    )
    op.create_index(op.f("ix_refresh_tokens_account_id"), "refresh_tokens", ["account_id"], unique=False)
    op.create_index(op.f("ix_refresh_tokens_family_id"), "refresh_tokens", ["family_id"], unique=False)
    op.create_table(
        "routes",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("crew_code", sa.Text(), nullable=False),
        sa.Column("start_lat", sa.Double(), nullable=False),
        sa.Column("start_lon", sa.Double(), nullable=False),
        sa.Column("from_office", sa.Boolean(), nullable=False),
        sa.Column("depart_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("return_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("travel_s", sa.Integer(), nullable=False),
        sa.Column("travel_m", sa.Integer(), nullable=True),
        sa.Column("wait_s", sa.Integer(), nullable=False),
        sa.Column("break_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("break_s", sa.Integer(), nullable=True),
        sa.Column("path", postgresql.JSONB(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_routes_org_id")),
        sa.ForeignKeyConstraint(["plan_id"], ["day_plans.id"], name=op.f("fk_routes_plan_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_routes")),
        sa.UniqueConstraint("plan_id", "crew_code", name=op.f("uq_routes_plan_id_crew_code")),
    )
    op.create_index(op.f("ix_routes_plan_id"), "routes", ["plan_id"], unique=False)
    op.create_table(
        "visits",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("debtor_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "requested",
                "eligible",
                "planned",
                "published",
                "under_way",
                "arrived",
                "reported",
                "closed",
                "cancelled",
                "expired",
                name="visitstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("requested_reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("requires", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("service_s", sa.Integer(), nullable=False),
        sa.Column("value_s", sa.Integer(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("planned_on", sa.Date(), nullable=True),
        sa.Column("plan_id", sa.Uuid(), nullable=True),
        sa.Column("under_way_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "met_debtor",
                "met_other",
                "nobody",
                "moved",
                "refused",
                "asked_to_leave",
                "aborted",
                "unsafe",
                "not_reached",
                name="visitoutcome",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column(
            "cancelled_reason",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "next_step",
            sa.Enum(
                "call",
                "visit_again",
                "approve_plan",
                "hand_over",
                "legal_step",
                "stop",
                name="nextstep",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False),
        sa.Column("lender_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state not in ('planned', 'published', 'under_way', 'arrived') or planned_on is not null",
            name=op.f("ck_visits_planned_has_a_day"),
        ),
        sa.CheckConstraint("service_s > 0 and value_s >= 0", name=op.f("ck_visits_sizes_make_sense")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_visits_case_id")),
        sa.ForeignKeyConstraint(["debtor_id"], ["debtors.id"], name=op.f("fk_visits_debtor_id")),
        sa.ForeignKeyConstraint(["lender_id"], ["organisations.id"], name=op.f("fk_visits_lender_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_visits_org_id")),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"], name=op.f("fk_visits_place_id")),
        sa.ForeignKeyConstraint(["plan_id"], ["day_plans.id"], name=op.f("fk_visits_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visits")),
        sa.UniqueConstraint("org_id", "reference", name=op.f("uq_visits_org_id_reference")),
    )
    op.create_index(op.f("ix_visits_debtor_id"), "visits", ["debtor_id"], unique=False)
    op.create_index("ix_visits_org_id_state_planned_on", "visits", ["org_id", "state", "planned_on"], unique=False)
    op.create_index(
        "uq_visits_live_case",
        "visits",
        ["case_id"],
        unique=True,
        postgresql_where=sa.text("state not in ('reported', 'closed', 'cancelled', 'expired')"),
    )
    op.create_table(
        "credential_checks",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("visitor_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column(
            "moment",
            sa.Enum(
                "eligible",
                "planning",
                "publishing",
                "door",
                "debtor",
                name="checkmoment",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("credential_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("faults", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False
        ),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_credential_checks_org_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_credential_checks_visit_id")),
        sa.ForeignKeyConstraint(["visitor_id"], ["visitors.id"], name=op.f("fk_credential_checks_visitor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credential_checks")),
    )
    op.create_index(op.f("ix_credential_checks_visit_id"), "credential_checks", ["visit_id"], unique=False)
    op.create_index(op.f("ix_credential_checks_visitor_id"), "credential_checks", ["visitor_id"], unique=False)
    op.create_table(
        "crew_members",
        sa.Column("route_id", sa.Uuid(), nullable=False),
        sa.Column("visitor_id", sa.Uuid(), nullable=False),
        sa.Column("lead", sa.Boolean(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_crew_members_org_id")),
        sa.ForeignKeyConstraint(["route_id"], ["routes.id"], name=op.f("fk_crew_members_route_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["visitor_id"], ["visitors.id"], name=op.f("fk_crew_members_visitor_id")),
        sa.PrimaryKeyConstraint("route_id", "visitor_id", name=op.f("pk_crew_members")),
    )
    op.create_index("uq_crew_members_lead", "crew_members", ["route_id"], unique=True, postgresql_where=sa.text("lead"))
    op.create_table(
        "decisions",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column(
            "moment",
            sa.Enum(
                "eligible",
                "planning",
                "publishing",
                "door",
                "debtor",
                name="checkmoment",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "verdict",
            sa.Enum(
                "allowed",
                "needs_override",
                "blocked",
                name="verdict",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("clauses", postgresql.JSONB(), nullable=False),
        sa.Column("policies", postgresql.JSONB(), nullable=False),
        sa.Column("lawful", postgresql.JSONB(), nullable=False),
        sa.Column("next_lawful_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("inputs_hash", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False
        ),
        sa.Column("lender_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["lender_id"], ["organisations.id"], name=op.f("fk_decisions_lender_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_decisions_org_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_decisions_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
    )
    op.create_index(op.f("ix_decisions_visit_id"), "decisions", ["visit_id"], unique=False)
    op.create_table(
        "identity_checks",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("visitor_id", sa.Uuid(), nullable=False),
        sa.Column(
            "method",
            sa.Enum(
                "document_seen",
                "two_facts",
                "known_before",
                name="identitymethod",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "result",
            sa.Enum(
                "confirmed",
                "someone_else",
                "not_confirmed",
                name="identityresult",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False
        ),
        sa.Column("lender_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["lender_id"], ["organisations.id"], name=op.f("fk_identity_checks_lender_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_identity_checks_org_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_identity_checks_visit_id")),
        sa.ForeignKeyConstraint(["visitor_id"], ["visitors.id"], name=op.f("fk_identity_checks_visitor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_checks")),
    )
    op.create_index(op.f("ix_identity_checks_visit_id"), "identity_checks", ["visit_id"], unique=False)
    op.create_table(
        "phone_event_keys",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body_digest", sa.LargeBinary(), nullable=False),
        sa.Column("answer", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False
        ),
        sa.Column("lender_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["lender_id"], ["organisations.id"], name=op.f("fk_phone_event_keys_lender_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_phone_event_keys_org_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_phone_event_keys_visit_id")),
        sa.PrimaryKeyConstraint("org_id", "event_id", name=op.f("pk_phone_event_keys")),
    )
    op.create_table(
        "safety_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("visitor_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column(
            "level",
            sa.Enum(
                "low",
                "normal",
                "raised",
                "high",
                "drill",
                name="risklevel",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "planned",
                "active",
                "alarm",
                "ended",
                "cancelled",
                name="safetystate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("policy", postgresql.JSONB(), nullable=False),
        sa.Column("generation", sa.Integer(), server_default="1", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("remind_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("grace_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lost_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lost_contact", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("unverified", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_lat", sa.Double(), nullable=True),
        sa.Column("last_lon", sa.Double(), nullable=True),
        sa.Column("last_heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("extended_s", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_sequence", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_hash", sa.LargeBinary(), server_default=sa.text("''"), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state <> 'active' or (grace_until is not null and end_at is not null)",
            name=op.f("ck_safety_sessions_active_has_deadlines"),
        ),
        sa.CheckConstraint(
            "remind_at <= due_at and due_at <= grace_until", name=op.f("ck_safety_sessions_deadlines_in_order")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_safety_sessions_org_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_safety_sessions_visit_id")),
        sa.ForeignKeyConstraint(["visitor_id"], ["visitors.id"], name=op.f("fk_safety_sessions_visitor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_safety_sessions")),
    )
    op.create_index(
        "ix_safety_sessions_end",
        "safety_sessions",
        ["end_at"],
        unique=False,
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_index(
        "ix_safety_sessions_grace",
        "safety_sessions",
        ["grace_until"],
        unique=False,
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_index(
        "ix_safety_sessions_lost",
        "safety_sessions",
        ["lost_at"],
        unique=False,
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_index("ix_safety_sessions_visitor_id_ended_at", "safety_sessions", ["visitor_id", "ended_at"])
    op.create_index(
        "uq_safety_sessions_open",
        "safety_sessions",
        ["visitor_id"],
        unique=True,
        postgresql_where=sa.text("state in ('planned', 'active', 'alarm')"),
    )
    op.create_table(
        "stops",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("route_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("arrive_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begin_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("travel_s", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("arrive_at <= begin_at and begin_at < end_at", name=op.f("ck_stops_times_in_order")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_stops_org_id")),
        sa.ForeignKeyConstraint(["route_id"], ["routes.id"], name=op.f("fk_stops_route_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_stops_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stops")),
        sa.UniqueConstraint("route_id", "position", name=op.f("uq_stops_route_id_position")),
    )
    op.create_index(op.f("ix_stops_visit_id"), "stops", ["visit_id"], unique=False)
    op.create_table(
        "unserved_visits",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "unreachable",
                "no_crew_offers",
                "no_crew_large_enough",
                "outside_every_shift",
                "window_too_short",
                "over_limit",
                "pin_contradicts",
                "group_taken",
                "no_room",
                "not_worth_its_cost",
                "not_permitted",
                "place_unknown",
                "taken_meanwhile",
                name="unservedreason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("detail", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_unserved_visits_org_id")),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["day_plans.id"], name=op.f("fk_unserved_visits_plan_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_unserved_visits_visit_id")),
        sa.PrimaryKeyConstraint("plan_id", "visit_id", name=op.f("pk_unserved_visits")),
    )
    op.create_table(
        "visit_events",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("visitor_id", sa.Uuid(), nullable=True),
        sa.Column("device_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("detail", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("lender_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["lender_id"], ["organisations.id"], name=op.f("fk_visit_events_lender_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_visit_events_org_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_visit_events_visit_id")),
        sa.PrimaryKeyConstraint("id", "at", name=op.f("pk_visit_events")),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index("ix_visit_events_visit_id_at", "visit_events", ["visit_id", "at"], unique=False)
    op.create_table(
        "visit_reports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("visitor_id", sa.Uuid(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "met_debtor",
                "met_other",
                "nobody",
                "moved",
                "refused",
                "asked_to_leave",
                "aborted",
                "unsafe",
                "not_reached",
                name="visitoutcome",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disclosed", sa.Boolean(), nullable=False),
        sa.Column("willing", sa.Boolean(), nullable=True),
        sa.Column("able", sa.Boolean(), nullable=True),
        sa.Column("reason_for_arrears", sa.LargeBinary(), nullable=True),
        sa.Column("hardship", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("vulnerable", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("disputed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "abort_reason",
            sa.Enum(
                "safety",
                "asked_to_leave",
                "distress",
                "wrong_person",
                "minor_alone",
                "other",
                name="abortreason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column(
            "next_step",
            sa.Enum(
                "call",
                "visit_again",
                "approve_plan",
                "hand_over",
                "legal_step",
                "stop",
                name="nextstep",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("after_cancellation", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False
        ),
        sa.Column("lender_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(outcome = 'aborted') = (abort_reason is not null)", name=op.f("ck_visit_reports_aborted_for_a_reason")
        ),
        sa.ForeignKeyConstraint(["lender_id"], ["organisations.id"], name=op.f("fk_visit_reports_lender_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_visit_reports_org_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_visit_reports_visit_id")),
        sa.ForeignKeyConstraint(["visitor_id"], ["visitors.id"], name=op.f("fk_visit_reports_visitor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_reports")),
        sa.UniqueConstraint("visit_id", name=op.f("uq_visit_reports_visit_id")),
    )
    op.create_table(
        "promises",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column(
            "method",
            sa.Enum(
                "transfer",
                "direct_debit",
                "card",
                "mobile",
                "branch",
                name="paymentmethod",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "kept",
                "partly_kept",
                "broken",
                name="promisestate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            server_default="open",
            nullable=False,
        ),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False
        ),
        sa.Column("lender_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_promises_positive")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_promises_case_id")),
        sa.ForeignKeyConstraint(["lender_id"], ["organisations.id"], name=op.f("fk_promises_lender_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_promises_org_id")),
        sa.ForeignKeyConstraint(["report_id"], ["visit_reports.id"], name=op.f("fk_promises_report_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promises")),
    )
    op.create_index(op.f("ix_promises_case_id"), "promises", ["case_id"], unique=False)
    op.create_index(op.f("ix_promises_report_id"), "promises", ["report_id"], unique=False)
    op.create_table(
        "report_additions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("visitor_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False
        ),
        sa.Column("lender_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_report_additions_account_id")),
        sa.ForeignKeyConstraint(["lender_id"], ["organisations.id"], name=op.f("fk_report_additions_lender_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_report_additions_org_id")),
        sa.ForeignKeyConstraint(["report_id"], ["visit_reports.id"], name=op.f("fk_report_additions_report_id")),
        sa.ForeignKeyConstraint(["visitor_id"], ["visitors.id"], name=op.f("fk_report_additions_visitor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_additions")),
    )
    op.create_index(op.f("ix_report_additions_report_id"), "report_additions", ["report_id"], unique=False)
    op.create_table(
        "safety_alerts",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "missed_checkin",
                "overrun",
                "lost_contact",
                "sos",
                name="alertkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "notifying",
                "acknowledged",
                "exhausted",
                "resolved",
                name="alertstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("step", sa.Integer(), server_default="1", nullable=False),
        sa.Column("round", sa.Integer(), server_default="1", nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_action_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ack_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("visitor_reports_safe_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unverified", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "genuine_injury",
                "genuine_threat",
                "genuine_other",
                "false_accidental",
                "false_forgot",
                "false_device",
                "false_our_outage",
                "drill",
                name="alertoutcome",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column(
            "proof",
            sa.Enum(
                "voice_contact",
                "seen_in_person",
                "emergency_service",
                name="resolutionproof",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'resolved') = (outcome is not null and proof is not null)",
            name=op.f("ck_safety_alerts_resolved_with_proof"),
        ),
        sa.CheckConstraint(
            "state <> 'acknowledged' or (owner_id is not null and ack_until is not null)",
            name=op.f("ck_safety_alerts_acknowledged_by_someone"),
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_safety_alerts_org_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["accounts.id"], name=op.f("fk_safety_alerts_owner_id")),
        sa.ForeignKeyConstraint(["session_id"], ["safety_sessions.id"], name=op.f("fk_safety_alerts_session_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_safety_alerts")),
    )
    op.create_index(
        "ix_safety_alerts_next_action",
        "safety_alerts",
        ["next_action_at"],
        unique=False,
        postgresql_where=sa.text("state <> 'resolved'"),
    )
    op.create_index(
        "ix_safety_alerts_org_id_state_opened_at", "safety_alerts", ["org_id", "state", "opened_at"], unique=False
    )
    op.create_index(op.f("ix_safety_alerts_session_id"), "safety_alerts", ["session_id"], unique=False)
    op.create_index(
        "uq_safety_alerts_open_kind",
        "safety_alerts",
        ["session_id", "kind"],
        unique=True,
        postgresql_where=sa.text("state <> 'resolved'"),
    )
    op.create_table(
        "safety_events",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("device_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("detail", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_safety_events_org_id")),
        sa.ForeignKeyConstraint(["session_id"], ["safety_sessions.id"], name=op.f("fk_safety_events_session_id")),
        sa.PrimaryKeyConstraint("session_id", "sequence", "at", name=op.f("pk_safety_events")),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_table(
        "safety_keys",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("fieldvisit_now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_safety_keys_org_id")),
        sa.ForeignKeyConstraint(["session_id"], ["safety_sessions.id"], name=op.f("fk_safety_keys_session_id")),
        sa.PrimaryKeyConstraint("org_id", "event_id", name=op.f("pk_safety_keys")),
    )


def drop_tables() -> None:
    op.drop_table("safety_keys")
    op.drop_table("safety_events")
    op.drop_index(
        "uq_safety_alerts_open_kind", table_name="safety_alerts", postgresql_where=sa.text("state <> 'resolved'")
    )
    op.drop_index(op.f("ix_safety_alerts_session_id"), table_name="safety_alerts")
    op.drop_index("ix_safety_alerts_org_id_state_opened_at", table_name="safety_alerts")
    op.drop_index(
        "ix_safety_alerts_next_action",
        table_name="safety_alerts",
        postgresql_where=sa.text("state <> 'resolved'"),
    )
    op.drop_table("safety_alerts")
    op.drop_index(op.f("ix_report_additions_report_id"), table_name="report_additions")
    op.drop_table("report_additions")
    op.drop_index(op.f("ix_promises_report_id"), table_name="promises")
    op.drop_index(op.f("ix_promises_case_id"), table_name="promises")
    op.drop_table("promises")
    op.drop_table("visit_reports")
    op.drop_index("ix_visit_events_visit_id_at", table_name="visit_events")
    op.drop_table("visit_events")
    op.drop_table("unserved_visits")
    op.drop_index(op.f("ix_stops_visit_id"), table_name="stops")
    op.drop_table("stops")
    op.drop_index(
        "uq_safety_sessions_open",
        table_name="safety_sessions",
        postgresql_where=sa.text("state in ('planned', 'active', 'alarm')"),
    )
    op.drop_index("ix_safety_sessions_visitor_id_ended_at", table_name="safety_sessions")
    op.drop_index("ix_safety_sessions_lost", table_name="safety_sessions", postgresql_where=sa.text("state = 'active'"))
    op.drop_index(
        "ix_safety_sessions_grace", table_name="safety_sessions", postgresql_where=sa.text("state = 'active'")
    )
    op.drop_index("ix_safety_sessions_end", table_name="safety_sessions", postgresql_where=sa.text("state = 'active'"))
    op.drop_table("safety_sessions")
    op.drop_table("phone_event_keys")
    op.drop_index(op.f("ix_identity_checks_visit_id"), table_name="identity_checks")
    op.drop_table("identity_checks")
    op.drop_index(op.f("ix_decisions_visit_id"), table_name="decisions")
    op.drop_table("decisions")
    op.drop_index("uq_crew_members_lead", table_name="crew_members", postgresql_where=sa.text("lead"))
    op.drop_table("crew_members")
    op.drop_index(op.f("ix_credential_checks_visitor_id"), table_name="credential_checks")
    op.drop_index(op.f("ix_credential_checks_visit_id"), table_name="credential_checks")
    op.drop_table("credential_checks")
    op.drop_index(
        "uq_visits_live_case",
        table_name="visits",
        postgresql_where=sa.text("state not in ('reported', 'closed', 'cancelled', 'expired')"),
    )
    op.drop_index("ix_visits_org_id_state_planned_on", table_name="visits")
    op.drop_index(op.f("ix_visits_debtor_id"), table_name="visits")
    op.drop_table("visits")
    op.drop_index(op.f("ix_routes_plan_id"), table_name="routes")
    op.drop_table("routes")
    op.drop_index(op.f("ix_refresh_tokens_family_id"), table_name="refresh_tokens")
    op.drop_index(op.f("ix_refresh_tokens_account_id"), table_name="refresh_tokens")
    op.drop_table("refresh_tokens")
    op.drop_index(op.f("ix_placements_case_id"), table_name="placements")
    op.drop_index("ix_placements_agency", table_name="placements")
    op.drop_table("placements")
    op.drop_index(op.f("ix_payments_case_id"), table_name="payments")
    op.drop_table("payments")
    op.drop_index("uq_day_plans_published", table_name="day_plans", postgresql_where=sa.text("state = 'published'"))
    op.drop_index("ix_day_plans_org_id_planned_on", table_name="day_plans")
    op.drop_table("day_plans")
    op.drop_index(op.f("ix_credentials_visitor_id"), table_name="credentials")
    op.drop_table("credentials")
    op.drop_index(op.f("ix_contact_blocks_debtor_id"), table_name="contact_blocks")
    op.drop_table("contact_blocks")
    op.drop_index("ix_contact_attempts_org_id_debtor_id_at", table_name="contact_attempts")
    op.drop_table("contact_attempts")
    op.drop_table("contact_attempt_keys")
    op.drop_index(op.f("ix_wishes_debtor_id"), table_name="wishes")
    op.drop_table("wishes")
    op.drop_index("ix_shifts_org_id_works_on", table_name="shifts")
    op.drop_table("shifts")
    op.drop_table("places")
    op.drop_table("contact_points")
    op.drop_index(op.f("ix_consents_debtor_id"), table_name="consents")
    op.drop_table("consents")
    op.drop_index(op.f("ix_cases_debtor_id"), table_name="cases")
    op.drop_table("cases")
    op.drop_table("accounts")
    op.drop_table("visitors")
    op.drop_table("debtors")
    op.drop_index("ix_audit_events_org_id_at", table_name="audit_events")
    op.drop_table("audit_events")
    op.drop_table("areas")
    op.drop_table("organisations")
    op.drop_table("engine_beats")
    op.drop_table("clock_shift")
