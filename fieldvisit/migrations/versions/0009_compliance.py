"""Compliance keeps: own policies by version, slots of caps that the database grants, overrides, holds, re-judgings; of
consents and contact blocks everything that their rules ask for; the region of a place."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from fieldvisit.migrations.security import secure

revision = "0009_compliance"
down_revision = "0008_devices"
branch_labels = None
depends_on = None

VISIBILITY = {
    "policy_versions": "read_by_all",
    "cap_slots": "shared",
    "overrides": "shared",
    "legal_holds": "placed_by_debtor",
    "rejudgings": "owned",
}
INSTANT, NOW = sa.DateTime(timezone=True), sa.text("fieldvisit_now()")

# The one place where two planners meet: whoever inserts a slot waits for the other's transaction, and then sees what it
# has planned. Counted are the attempts and the other visits ahead, whoever made them; the slot's own visit is not.
GRANT_SLOT = """
create function cap_slots_have_room() returns trigger language plpgsql as $$
declare
    before text := coalesce(current_setting('app.sees_all', true), '');
    today date := (fieldvisit_now() at time zone new.zone)::date;
    taken date[];
    fullest int;
begin
    perform pg_advisory_xact_lock(hashtextextended('fieldvisit cap ' || new.debtor_id, 0));
    perform set_config('app.sees_all', 'on', true);
    taken := array(
        select (a.at at time zone new.zone)::date from debtors d
          join contact_attempts a on a.org_id = d.org_id and a.debtor_id = d.id
         where d.id = new.debtor_id and a.at >= (new.on_day - 400)::timestamp at time zone new.zone
           and a.channel = any (new.channels) and a.result = any (new.results)
           and (new.case_id is null or a.case_id = new.case_id)
        union all
        select v.planned_on from visits v
         where v.debtor_id = new.debtor_id and v.id <> new.visit_id
           and v.state in ('planned', 'published', 'under_way', 'arrived') and v.planned_on >= today
           and (new.case_id is null or v.case_id = new.case_id)
           and (new.place_id is null or v.place_id = new.place_id));
    perform set_config('app.sees_all', before, true);
    if new.period = 'rolling_days' then
        select max(held) into fullest from (
            select (select count(*) from unnest(taken) t where t >= first and t < first + new.days) as held
              from (select new.on_day as first union select unnest(taken)) f
             where first <= new.on_day and first > new.on_day - new.days) counted;
    elsif new.period = 'calendar_week' then
        select count(*) into fullest from unnest(taken) t
         where (t - date '2001-01-01' - new.week_starts + 700000) / 7
             = (new.on_day - date '2001-01-01' - new.week_starts + 700000) / 7;
    elsif new.period = 'calendar_month' then
        select count(*) into fullest from unnest(taken) t
         where date_trunc('month', t) = date_trunc('month', new.on_day);
    else
        select count(*) into fullest from unnest(taken) t where t = new.on_day;
    end if;
    if coalesce(fullest, 0) >= new.most
       or exists (select from unnest(taken) t where abs(t - new.on_day) < new.min_gap_days) then
        raise exception 'no room under %', new.clause_id
            using errcode = 'check_violation', constraint = 'ck_cap_slots_room', table = 'cap_slots';
    end if;
    return new;
end $$;
create trigger have_room before insert on cap_slots for each row execute function cap_slots_have_room();
"""

FREE_SLOT = """
create function cap_slots_freed() returns trigger language plpgsql as $$
begin
    delete from cap_slots where visit_id = new.id
       and (new.state not in ('eligible', 'planned', 'published', 'under_way', 'arrived')
            or new.planned_on is null or on_day <> new.planned_on);
    return null;
end $$;
create trigger frees_slots after update of state, planned_on on visits for each row
    when (new.state is distinct from old.state or new.planned_on is distinct from old.planned_on)
    execute function cap_slots_freed();
"""


def upgrade() -> None:
    _tables()
    _columns()
    for table, visibility in VISIBILITY.items():
        for statement in secure(table, visibility):
            op.execute(statement)
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().config.attributes["app_role"])
    for table in VISIBILITY:
        rights = "select, insert, update, delete" if table == "cap_slots" else "select, insert, update"
        op.execute(f"grant {rights} on {table} to {role}")
    op.execute(GRANT_SLOT)
    op.execute(FREE_SLOT)


def downgrade() -> None:
    op.execute("drop trigger frees_slots on visits; drop function cap_slots_freed()")
    for table in VISIBILITY:
        op.drop_table(table)
    op.execute("drop function cap_slots_have_room()")
    op.drop_column("places", "region")
    for name in ("form", "evidence", "renewals", "lifted_by_id", "lift_reason"):
        op.drop_column("contact_blocks", name)
    op.drop_constraint(op.f("uq_consents_org_id_external_id"), "consents")
    for name in (
        *("external_id", "about", "place_id", "visit_id", "contents", "days", "from_time", "until_time"),
        *("starts_on", "ends_on", "recorded_by_id", "origin"),
    ):
        op.drop_column("consents", name)


def _columns() -> None:
    op.add_column("places", sa.Column("region", sa.Text(), nullable=True))
    op.add_column("contact_blocks", sa.Column("form", sa.Text(), server_default="any", nullable=False))
    op.add_column("contact_blocks", sa.Column("evidence", sa.Text(), nullable=True))
    op.add_column("contact_blocks", sa.Column("renewals", sa.Integer(), server_default="0", nullable=False))
    op.add_column("contact_blocks", sa.Column("lifted_by_id", sa.Uuid(), nullable=True))
    op.add_column("contact_blocks", sa.Column("lift_reason", sa.LargeBinary(), nullable=True))
    op.create_foreign_key(
        op.f("fk_contact_blocks_lifted_by_id"), "contact_blocks", "accounts", ["lifted_by_id"], ["id"]
    )
    op.create_check_constraint(
        op.f("ck_contact_blocks_form_is_known"), "contact_blocks", "form in ('any', 'written', 'separate_document')"
    )
    op.create_check_constraint(op.f("ck_contact_blocks_renewals_are_counted"), "contact_blocks", "renewals >= 0")
    _consent_columns()


def _consent_columns() -> None:
    texts = postgresql.ARRAY(sa.Text())
    for column in (
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("about", sa.Text(), server_default="visits", nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=True),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column("contents", texts, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("days", texts, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("from_time", sa.Time(), nullable=True),
        sa.Column("until_time", sa.Time(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=True),
        sa.Column("origin", sa.Text(), server_default="api", nullable=False),
    ):
        op.add_column("consents", column)
    for name, table in (("place_id", "places"), ("visit_id", "visits"), ("recorded_by_id", "accounts")):
        op.create_foreign_key(op.f(f"fk_consents_{name}"), "consents", table, [name], ["id"])
    op.create_unique_constraint(op.f("uq_consents_org_id_external_id"), "consents", ["org_id", "external_id"])
    op.create_check_constraint(op.f("ck_consents_about_is_known"), "consents", "about in ('visits', 'recording')")
    op.create_check_constraint(
        op.f("ck_consents_form_is_known"), "consents", "form in ('any', 'written', 'separate_document')"
    )
    op.create_check_constraint(
        op.f("ck_consents_times_are_whole"), "consents", "(from_time is null) = (until_time is null)"
    )
    op.create_check_constraint(op.f("ck_consents_dates_in_order"), "consents", "starts_on <= ends_on")


def _tables() -> None:
    op.create_table(
        "policy_versions",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("policy_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("effective_to", sa.Date(), nullable=True),
        sa.Column("made_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", INSTANT, server_default=NOW, nullable=False),
        sa.Column("withdrawn_at", INSTANT, nullable=True),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("effective_from <= effective_to", name=op.f("ck_policy_versions_dates_in_order")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_policy_versions_version_counts_from_one")),
        *_keys("policy_versions", org_id="organisations"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_versions")),
        sa.UniqueConstraint("org_id", "policy_id", "version", name=op.f("uq_policy_versions_org_id_policy_id_version")),
    )
    _slots()
    _overrides()
    op.create_table(
        "legal_holds",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("debtor_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("placed_by_id", sa.Uuid(), nullable=True),
        sa.Column("placed_at", INSTANT, nullable=False),
        sa.Column("released_by_id", sa.Uuid(), nullable=True),
        sa.Column("released_at", INSTANT, nullable=True),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        *_keys(
            "legal_holds",
            debtor_id="debtors",
            case_id="cases",
            placed_by_id="accounts",
            released_by_id="accounts",
            org_id="organisations",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_holds")),
    )
    op.create_index(op.f("ix_legal_holds_debtor_id"), "legal_holds", ["debtor_id"])
    _rejudgings()


def _slots() -> None:
    texts = postgresql.ARRAY(sa.Text())
    op.create_table(
        "cap_slots",
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("clause_id", sa.Text(), nullable=False),
        sa.Column("debtor_id", sa.Uuid(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("place_id", sa.Uuid(), nullable=True),
        sa.Column("channels", texts, nullable=False),
        sa.Column("results", texts, nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("week_starts", sa.Integer(), nullable=False),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.Column("min_gap_days", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, server_default=NOW, nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("lender_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("most >= 1 and days >= 1 and min_gap_days >= 0", name=op.f("ck_cap_slots_sizes_make_sense")),
        *_keys("cap_slots", visit_id="visits", debtor_id="debtors", org_id="organisations", lender_id="organisations"),
        sa.PrimaryKeyConstraint("visit_id", "clause_id", name=op.f("pk_cap_slots")),
    )
    op.create_index(op.f("ix_cap_slots_debtor_id"), "cap_slots", ["debtor_id"])


def _overrides() -> None:
    op.create_table(
        "overrides",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("clause_id", sa.Text(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                *("visitor", "dispatcher", "safety_officer", "supervisor", "auditor", "integrator", "admin"),
                name="role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("asked_by_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("needs_second", sa.Boolean(), nullable=False),
        sa.Column("confirmed_by_id", sa.Uuid(), nullable=True),
        sa.Column("confirmed_at", INSTANT, nullable=True),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("lender_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("confirmed_by_id <> asked_by_id", name=op.f("ck_overrides_second_person_is_another")),
        sa.CheckConstraint(
            "(confirmed_by_id is null) = (confirmed_at is null)", name=op.f("ck_overrides_confirmed_by_somebody")
        ),
        *_keys(
            "overrides",
            visit_id="visits",
            decision_id="decisions",
            asked_by_id="accounts",
            confirmed_by_id="accounts",
            org_id="organisations",
            lender_id="organisations",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_overrides")),
        sa.UniqueConstraint("visit_id", "clause_id", "on_day", name=op.f("uq_overrides_visit_id_clause_id_on_day")),
    )
    op.create_index(op.f("ix_overrides_visit_id"), "overrides", ["visit_id"])


def _rejudgings() -> None:
    counts = ("total", "done", "cancelled", "taken_back", "flagged")
    op.create_table(
        "rejudgings",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                *("waiting", "running", "done"),
                name="rejudgingstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            server_default="waiting",
            nullable=False,
        ),
        *(sa.Column(name, sa.Integer(), server_default="0", nullable=False) for name in counts),
        sa.Column("asked_at", INSTANT, server_default=NOW, nullable=False),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.Column("detail", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        *_keys("rejudgings", org_id="organisations"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rejudgings")),
    )


def _keys(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([name], [f"{other}.id"], name=op.f(f"fk_{table}_{name}"))
        for name, other in columns.items()
    ]
