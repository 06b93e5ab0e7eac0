"""What the policies say and why; consents, overrides, holds; and a look at what a new policy would change."""

import uuid
from typing import Any

import sqlalchemy as sa

from api.auth import actor
from api.context import now
from api.db import session
from api.editing import Edited, row_named
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.paging import Keyset
from api.roles import Permission
from api.schemas.compliance import (
    AppliedPoliciesOut,
    ConsentIn,
    ConsentOut,
    DebtorQueryIn,
    ExplanationOut,
    ExplanationQueryIn,
    HoldIn,
    HoldOut,
    OverrideIn,
    OverrideOut,
    OverrideReportOut,
    OverridesQueryIn,
    PolicyVersionIn,
    PolicyVersionOut,
    RejudgingOut,
    SwitchedOut,
    WithdrawnOut,
)
from api.showing import Shows
from fieldvisit import consents, holds, overrides, own_policies, rejudgings
from fieldvisit.compliance.decision import Decision
from fieldvisit.explaining import explain_visit
from fieldvisit.finding import get_by_id
from fieldvisit.models import Consent, Debtor, LegalHold, Organisation, Override, PolicyVersion, Rejudging
from fieldvisit.policies import policies_of
from fieldvisit.visits import get_visit

bp = Blueprint("compliance", __name__, description=__doc__)


@bp.get("/visits/<uuid:visit_id>/explanation")
@endpoint(may=Permission.READ_VISITS, query=ExplanationQueryIn(), returns=ExplanationOut())
def explain(visit_id: uuid.UUID, query: dict[str, Any]) -> Decision:
    """May the visit be made at that instant, by those who are to make it, and which clauses say so?"""
    visit = get_visit(session(), visit_id)
    return explain_visit(session(), visit, begins_at=query["at"] or now(), now=now())


@bp.get("/policies")
@endpoint(may=Permission.READ_POLICIES, returns=AppliedPoliciesOut())
def list_policies() -> dict[str, Any]:
    """Every policy that applies to one's visits, rule by rule; of one's own the versions in force and to come."""
    return {"policies": policies_of((session().get_one(Organisation, actor().org_id),))}


@bp.get("/policy-versions")
@endpoint(
    may=Permission.READ_POLICIES,
    returns=PolicyVersionOut(),
    order=Keyset(PolicyVersion.created_at, PolicyVersion.id, descending=True),
)
def list_policy_versions() -> sa.Select[PolicyVersion]:
    """Every version of one's own policies, withdrawn ones too, newest first."""
    return own_policies.versions_of(actor().org_id)


@bp.get("/policy-versions/<uuid:version_id>")
@endpoint(may=Permission.READ_POLICIES, returns=PolicyVersionOut())
def get_policy_version(version_id: uuid.UUID) -> PolicyVersion:
    """One version of a policy of one's own."""
    return own_policies.get_version(session(), actor().org_id, version_id)


POLICY = Edited(
    get_policy_version,
    found=row_named("version_id", lambda body: own_policies.newest_of(actor().org_id, body)),
    named=own_policies.name_of,
)


@bp.post("/policy-versions")
@endpoint(may=Permission.CHANGE_POLICIES, body=PolicyVersionIn(), returns=SwitchedOut(), status=201, edits=POLICY)
def add_policy_version(body: own_policies.PolicyDraft) -> dict[str, Any]:
    """Switch a version of a policy of one's own on, from a date; every visit ahead is judged anew in the background."""
    version = own_policies.add_version(session(), actor().org_id, body, made_by_id=actor().account_id, now=now())
    return {"version": version, "rejudging": _rejudge("policy_changed", version)}


@bp.post("/policy-versions/previews")
@endpoint(may=Permission.CHANGE_POLICIES, body=PolicyVersionIn(), returns=RejudgingOut(), status=202)
def preview_policy_version(body: own_policies.PolicyDraft) -> Rejudging:
    """Find out, in the background, which visits ahead a version would make unlawful or lawful. Nothing changes."""
    return rejudgings.preview_version(session(), actor().org_id, body, now=now())


@bp.post("/policy-versions/<uuid:version_id>/withdrawal")
@endpoint(may=Permission.CHANGE_POLICIES, returns=SwitchedOut())
def withdraw_policy_version(version_id: uuid.UUID) -> dict[str, Any]:
    """Roll back: the version applies no more, and the one before it does; every visit ahead is judged anew."""
    version = own_policies.withdraw_version(session(), version_id, now=now())
    return {"version": version, "rejudging": _rejudge("policy_withdrawn", version)}


@bp.post("/rejudgings")
@endpoint(may=Permission.CHANGE_POLICIES, returns=RejudgingOut(), status=202)
def rejudge_everything() -> Rejudging:
    """Judge every visit ahead anew, in the background."""
    return rejudgings.ask_rejudging(session(), actor().org_id, reason="asked")


@bp.get("/rejudgings/<uuid:rejudging_id>")
@endpoint(may=Permission.READ_POLICIES, returns=RejudgingOut())
def get_rejudging(rejudging_id: uuid.UUID) -> Rejudging:
    """How far a run over the visits ahead is, and what it did."""
    return rejudgings.get_rejudging(session(), rejudging_id)


@bp.post("/consents")
@endpoint(may=Permission.RECORD_CONSENTS, body=ConsentIn(), returns=ConsentOut(), status=201)
def record_consent(body: consents.ConsentDraft) -> Consent:
    """Record what the debtor agreed to. The same external id with the same values again changes nothing.

    One that was withdrawn since is refused, for it does not hold any more: only under the same `Idempotency-Key` is the
    first answer told again. Consent that was given anew is recorded under another external id.
    """
    found = consents.record_consent(session(), body, recorded_by_id=actor().account_id, now=now(), origin="api")[0]
    consents.demand_in_force(found)
    return found


@bp.get("/consents")
@endpoint(
    may=Permission.READ_DEBTORS,
    query=DebtorQueryIn(),
    returns=ConsentOut(),
    order=Keyset(Consent.given_at, Consent.id, descending=True),
    shows=Shows.WORK,
)
def list_consents(query: dict[str, Any]) -> sa.Select[Consent]:
    """Every consent of a debtor, withdrawn ones too, newest first."""
    return consents.consents_of(get_by_id(session(), Debtor, query["debtor_id"]).id)


@bp.post("/consents/<uuid:consent_id>/withdrawal")
@endpoint(may=Permission.RECORD_CONSENTS, returns=WithdrawnOut())
def withdraw_consent(consent_id: uuid.UUID) -> dict[str, Any]:
    """The debtor takes a consent back; every visit ahead that rested on it goes."""
    consent, found = consents.withdraw_consent(session(), consent_id, now=now())
    return {
        "consent": consent,
        "cancelled_visit_ids": found.cancelled,
        "taken_back_visit_ids": found.taken_back,
    }


@bp.post("/visits/<uuid:visit_id>/overrides")
@endpoint(may=Permission.OVERRIDE_CLAUSES, body=OverrideIn(), returns=OverrideOut(), status=201)
def override_clause(visit_id: uuid.UUID, body: overrides.OverrideDraft) -> Override:
    """Let a visit go beyond one clause on one day, where its policy lets one's role do so.

    What a policy blocks nobody can open.
    """
    return overrides.override_clause(session(), visit_id, body, by=_person(), now=now())


@bp.post("/overrides/<uuid:override_id>/confirmation")
@endpoint(may=Permission.OVERRIDE_CLAUSES, returns=OverrideOut())
def confirm_override(override_id: uuid.UUID) -> Override:
    """Agree as the second person; from then on the override counts."""
    return overrides.confirm_override(session(), override_id, by=_person(), now=now())


@bp.post("/overrides/<uuid:override_id>/revocation")
@endpoint(may=Permission.OVERRIDE_CLAUSES, returns=OverrideOut())
def revoke_override(override_id: uuid.UUID) -> Override:
    """Take an override back; the visit is judged anew, and is off where it may not be made without."""
    return overrides.revoke_override(session(), override_id, now=now())


@bp.get("/overrides")
@endpoint(
    may=Permission.READ_OVERRIDES,
    query=OverridesQueryIn(),
    returns=OverrideOut(),
    order=Keyset(Override.asked_at, Override.id, descending=True),
)
def list_overrides(query: dict[str, Any]) -> sa.Select[Override]:
    """Every override, newest first; of one clause, person or visit where asked."""
    return overrides.overrides_where(**query)


@bp.get("/overrides/report")
@endpoint(may=Permission.READ_OVERRIDES, returns=OverrideReportOut())
def report_overrides() -> dict[str, Any]:
    """Who overrode which clause how often."""
    return {"counts": overrides.override_report(session())}


@bp.post("/legal-holds")
@endpoint(may=Permission.PLACE_HOLDS, body=HoldIn(), returns=HoldOut(), status=201)
def place_hold(body: holds.HoldDraft) -> LegalHold:
    """Order that nothing of a debtor, or of one case, is purged."""
    return holds.place_hold(session(), body, placed_by_id=actor().account_id, now=now())


@bp.get("/legal-holds")
@endpoint(
    may=Permission.READ_BLOCKS,
    query=DebtorQueryIn(),
    returns=HoldOut(),
    order=Keyset(LegalHold.placed_at, LegalHold.id, descending=True),
    shows=Shows.WORK,
)
def list_holds(query: dict[str, Any]) -> sa.Select[LegalHold]:
    """Every legal hold on a debtor, released ones too, newest first."""
    return holds.holds_of(get_by_id(session(), Debtor, query["debtor_id"]).id)


@bp.post("/legal-holds/<uuid:hold_id>/release")
@endpoint(may=Permission.PLACE_HOLDS, returns=HoldOut(), shows=Shows.WORK)
def release_hold(hold_id: uuid.UUID) -> LegalHold:
    """End a legal hold; the usual retention counts again."""
    return holds.release_hold(session(), hold_id, released_by_id=actor().account_id, now=now())


def _person() -> overrides.Person:
    return overrides.Person(account_id=actor().account_id, roles=actor().roles)


def _rejudge(reason: str, version: PolicyVersion) -> Rejudging:
    return rejudgings.ask_rejudging(session(), actor().org_id, reason=reason, subject=str(version.id))
