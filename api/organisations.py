"""One's own organisation, its partners, its areas and its accounts."""

import uuid
from typing import Any

import sqlalchemy as sa

from api.auth import actor
from api.context import now, runtime
from api.db import session
from api.editing import Edited, row_named
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.paging import Keyset
from api.roles import Permission
from api.schemas.organisations import (
    AccountIn,
    AccountOut,
    AccountsQueryIn,
    AreaIn,
    AreaOut,
    FieldRulesIn,
    FieldRulesOut,
    OrganisationOut,
    PlanningRulesIn,
    PlanningRulesOut,
)
from fieldvisit import accounts, organisations
from fieldvisit.field_rules import FieldRulesDraft, field_rules, set_field_rules
from fieldvisit.models import Account, Area, Organisation
from fieldvisit.planning_rules import PlanningRulesDraft, planning_rules, set_planning_rules

bp = Blueprint("organisations", __name__, description="Lenders and agencies, where they plan, who may log in")


@bp.get("/organisations")
@endpoint(may=Permission.READ_ORGANISATIONS, returns=OrganisationOut(), order=Keyset(Organisation.code))
def list_organisations() -> sa.Select[Organisation]:
    """One's own organisation, and those that cases are shared with."""
    return organisations.partners_of(actor().org_id)


@bp.get("/organisations/<uuid:organisation_id>")
@endpoint(may=Permission.READ_ORGANISATIONS, returns=OrganisationOut())
def get_organisation(organisation_id: uuid.UUID) -> Organisation:
    """One organisation: one's own or a partner."""
    return organisations.get_partner(session(), actor().org_id, organisation_id)


@bp.get("/areas")
@endpoint(may=Permission.READ_ORGANISATIONS, returns=AreaOut(), order=Keyset(Area.code))
def list_areas() -> sa.Select[Area]:
    """The areas that one's organisation plans in."""
    return organisations.areas_of(actor().org_id)


@bp.get("/areas/<uuid:area_id>")
@endpoint(may=Permission.READ_ORGANISATIONS, returns=AreaOut())
def get_area(area_id: uuid.UUID) -> Area:
    """One area that one's organisation plans in."""
    return organisations.get_area(session(), actor().org_id, area_id)


AREA = Edited(
    get_area,
    found=row_named(
        "area_id", lambda body: organisations.area_coded(actor().org_id, body.code).with_only_columns(Area.id)
    ),
    named=lambda body: body.code,
)


@bp.put("/areas")
@endpoint(may=Permission.MANAGE_AREAS, body=AreaIn(), returns=AreaOut(), edits=AREA)
def put_area(body: organisations.AreaDraft) -> Area:
    """Add an area, or change the one with this code."""
    return organisations.upsert_area(session(), actor().org_id, body)


@bp.get("/field-rules")
@endpoint(may=Permission.READ_ORGANISATIONS, returns=FieldRulesOut())
def read_field_rules() -> FieldRulesDraft:
    """The rules of the house for a day in the field."""
    return field_rules(session())


@bp.put("/field-rules")
@endpoint(may=Permission.MANAGE_AREAS, body=FieldRulesIn(), returns=FieldRulesOut(), edits=Edited(read_field_rules))
def put_field_rules(body: FieldRulesDraft) -> FieldRulesDraft:
    """Say what is made of another order than planned, of visits that are sent back, and of arrivals that were none."""
    return set_field_rules(session(), body, now=now())


@bp.get("/planning-rules")
@endpoint(may=Permission.READ_ORGANISATIONS, returns=PlanningRulesOut())
def read_planning_rules() -> PlanningRulesDraft:
    """How the house wants its days shared out."""
    return planning_rules(session())


@bp.put("/planning-rules")
@endpoint(
    may=Permission.MANAGE_AREAS, body=PlanningRulesIn(), returns=PlanningRulesOut(), edits=Edited(read_planning_rules)
)
def put_planning_rules(body: PlanningRulesDraft) -> PlanningRulesDraft:
    """Say what fair shares over the weeks may cost, and how many visits a day has; from the next plan on."""
    return set_planning_rules(session(), body, now=now())


@bp.get("/accounts")
@endpoint(may=Permission.MANAGE_ACCOUNTS, query=AccountsQueryIn(), returns=AccountOut(), order=Keyset(Account.username))
def list_accounts(query: dict[str, Any]) -> sa.Select[Account]:
    """Who may log in to one's organisation."""
    return accounts.accounts_of(actor().org_id).filter_by(**query)


@bp.post("/accounts")
@endpoint(may=Permission.MANAGE_ACCOUNTS, body=AccountIn(), returns=AccountOut(), status=201)
def create_account(body: accounts.AccountDraft) -> Account:
    """Open an account of one's own organisation."""
    return accounts.create_account(session(), actor().org_id, body, runtime().passwords)


@bp.post("/accounts/<uuid:account_id>/closure")
@endpoint(may=Permission.MANAGE_ACCOUNTS, returns=AccountOut())
def close_account(account_id: uuid.UUID) -> Account:
    """Close an account: its logins end, what it did stays.

    An access token that is out already is good until it runs out, at most a quarter of an hour as delivered.
    """
    return accounts.close_account(session(), account_id, now())
