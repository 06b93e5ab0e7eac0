"""Row-level security as SQL: one policy for each shape of visibility a model may have (see `fieldvisit.models.base`).

`app_org()` and `app_sees_all()` read what `fieldvisit.database` states at the begin of each transaction. Once set, the
setting falls back to an empty string, not to null: hence the nullif.
"""

FUNCTIONS = """
create function app_org() returns uuid language sql stable parallel safe
    as $$ select nullif(current_setting('app.org', true), '')::uuid $$;

create function app_sees_all() returns boolean language sql stable parallel safe
    as $$ select coalesce(current_setting('app.sees_all', true), '') = 'on' $$;

-- Placements in force today, by the date of UTC; since `placed_there` also by the date at the debtor's places.
create function placed_cases() returns setof uuid language sql stable
    as $$ select case_id from placements where agency_id = app_org()
          and from_on <= (fieldvisit_now() at time zone 'utc')::date and (until_on is null or until_on >= (fieldvisit_now() at time zone 'utc')::date) $$;

create function placed_debtors() returns setof uuid language sql stable
    as $$ select debtor_id from placements where agency_id = app_org()
          and from_on <= (fieldvisit_now() at time zone 'utc')::date and (until_on is null or until_on >= (fieldvisit_now() at time zone 'utc')::date) $$;
"""

DROP_FUNCTIONS = """
drop function placed_debtors(); drop function placed_cases(); drop function app_sees_all(); drop function app_org();
"""

_OWN = "org_id = app_org() or app_sees_all()"
# Shape → (rows that may be seen and changed, rows that may be written).
RULES = {
    "owned": (_OWN, _OWN),
    "placement": (f"{_OWN} or agency_id = app_org()", _OWN),
    "placed_case": (f"{_OWN} or id in (select placed_cases())", f"{_OWN} or id in (select placed_cases())"),
    "placed_debtor": (f"{_OWN} or id in (select placed_debtors())", f"{_OWN} or id in (select placed_debtors())"),
    "placed_by_case": (
        f"{_OWN} or case_id in (select placed_cases())",
        f"{_OWN} or case_id in (select placed_cases())",
    ),
    "placed_by_debtor": (
        f"{_OWN} or debtor_id in (select placed_debtors())",
        f"{_OWN} or debtor_id in (select placed_debtors())",
    ),
    "shared": (f"{_OWN} or lender_id = app_org()", f"{_OWN} or lender_id = app_org()"),
}


def secure(table: str, visibility: str) -> list[str]:
    """The statements that put one table under its policy."""
    statements = [f"alter table {table} enable row level security", f"alter table {table} force row level security"]
    if visibility == "organisation":
        return [
            *statements,
            f"create policy readable on {table} for select using (true)",
            f"create policy written on {table} for insert with check (id = app_org() or app_sees_all())",
            f"create policy changed on {table} for update using (id = app_org() or app_sees_all())",
        ]
    if visibility == "read_by_all":
        return [
            *statements,
            f"create policy readable on {table} for select using (true)",
            f"create policy written on {table} for insert with check ({_OWN})",
            f"create policy changed on {table} for update using ({_OWN}) with check ({_OWN})",
        ]
    seen, written = RULES[visibility]
    return [*statements, f"create policy organisation on {table} using ({seen}) with check ({written})"]
