"""Who may do what, in one table. An endpoint names the permission it needs; only this file knows the roles behind it.

Row-level security decides *whose* rows an actor sees; this table decides *what kind* of thing the actor may do at all.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from fieldvisit.errors import NotPermitted
from fieldvisit.vocabulary import Role

VISITOR, DISPATCHER, OFFICER = Role.VISITOR, Role.DISPATCHER, Role.SAFETY_OFFICER
SUPERVISOR, AUDITOR, INTEGRATOR, ADMIN = Role.SUPERVISOR, Role.AUDITOR, Role.INTEGRATOR, Role.ADMIN
PRIVACY = Role.PRIVACY_OFFICER

PUBLIC: Final = None
"""Said by an endpoint that anyone may call, without a token."""


class Permission(StrEnum):
    LOG_OUT = "log_out"
    READ_ORGANISATIONS = "read_organisations"
    MANAGE_ACCOUNTS = "manage_accounts"
    MANAGE_AREAS = "manage_areas"
    READ_DEBTORS = "read_debtors"
    SEE_CONTACT_POINTS = "see_contact_points"
    CHANGE_DEBTORS = "change_debtors"
    RECORD_WISHES = "record_wishes"
    READ_CASES = "read_cases"
    CHANGE_CASES = "change_cases"
    CHANGE_PLACEMENTS = "change_placements"
    READ_ATTEMPTS = "read_attempts"
    RECORD_ATTEMPTS = "record_attempts"
    READ_PAYMENTS = "read_payments"
    RECORD_PAYMENTS = "record_payments"
    PROPOSE_REPAYMENT_PLANS = "propose_repayment_plans"
    DECIDE_ON_REPAYMENT_PLANS = "decide_on_repayment_plans"
    READ_CASH = "read_cash"
    COUNT_CASH = "count_cash"
    RECONCILE_CASH = "reconcile_cash"
    READ_BLOCKS = "read_blocks"
    FILE_BLOCKS = "file_blocks"
    LIFT_BLOCKS = "lift_blocks"
    RECORD_CONSENTS = "record_consents"
    PLACE_HOLDS = "place_holds"
    READ_POLICIES = "read_policies"
    CHANGE_POLICIES = "change_policies"
    REVIEW_AGENCIES = "review_agencies"
    READ_NOTICES = "read_notices"
    SEND_NOTICES = "send_notices"
    CHANGE_NOTICE_TEMPLATES = "change_notice_templates"
    MANAGE_NOTICE_SERVICES = "manage_notice_services"
    OVERRIDE_CLAUSES = "override_clauses"
    READ_OVERRIDES = "read_overrides"
    READ_STAFF = "read_staff"
    CHANGE_STAFF = "change_staff"
    READ_SHIFTS = "read_shifts"
    CHANGE_SHIFTS = "change_shifts"
    READ_VISITS = "read_visits"
    REQUEST_VISITS = "request_visits"
    CANCEL_VISITS = "cancel_visits"
    CLOSE_VISITS = "close_visits"
    READ_REPORTS = "read_reports"
    READ_PLANS = "read_plans"
    MAKE_PLANS = "make_plans"
    PUBLISH_PLANS = "publish_plans"
    USE_PHONE = "use_phone"
    BE_PUSHED_TO = "be_pushed_to"
    READ_SAFETY = "read_safety"
    HANDLE_ALERTS = "handle_alerts"
    CALL_FOR_OTHERS = "call_for_others"
    MANAGE_ROSTER = "manage_roster"
    OVERRIDE_COVER = "override_cover"
    PLAN_SESSIONS = "plan_sessions"
    SET_TIMERS = "set_timers"
    REPORT_INCIDENTS = "report_incidents"
    MANAGE_MARKERS = "manage_markers"
    READ_WARNINGS = "read_warnings"
    READ_AUDIT = "read_audit"
    READ_ACCESSES = "read_accesses"
    ANSWER_DEBTORS = "answer_debtors"


OFFICE = frozenset({DISPATCHER, SUPERVISOR, AUDITOR})
RUNS_THE_DAY = frozenset({DISPATCHER, SUPERVISOR})

GRANTS: Mapping[Permission, frozenset[Role]] = {
    Permission.LOG_OUT: frozenset(Role),
    Permission.READ_ORGANISATIONS: frozenset(Role),
    Permission.MANAGE_ACCOUNTS: frozenset({ADMIN}),
    Permission.MANAGE_AREAS: frozenset({ADMIN, SUPERVISOR}),
    # Neither the admin nor the safety officer has any business with a debtor's file.
    Permission.READ_DEBTORS: OFFICE | {INTEGRATOR, PRIVACY},
    Permission.SEE_CONTACT_POINTS: RUNS_THE_DAY | {INTEGRATOR},
    Permission.CHANGE_DEBTORS: frozenset({INTEGRATOR}),
    Permission.RECORD_WISHES: RUNS_THE_DAY | {INTEGRATOR},
    Permission.READ_CASES: OFFICE | {INTEGRATOR},
    Permission.CHANGE_CASES: frozenset({INTEGRATOR}),
    Permission.CHANGE_PLACEMENTS: frozenset({SUPERVISOR, INTEGRATOR}),
    Permission.READ_ATTEMPTS: OFFICE | {INTEGRATOR},
    Permission.RECORD_ATTEMPTS: frozenset({DISPATCHER, INTEGRATOR}),
    Permission.READ_PAYMENTS: OFFICE | {INTEGRATOR},
    Permission.RECORD_PAYMENTS: frozenset({INTEGRATOR}),
    Permission.PROPOSE_REPAYMENT_PLANS: RUNS_THE_DAY,
    # How far each of them may go is the house's to say (`fieldvisit.repayment_terms`).
    Permission.DECIDE_ON_REPAYMENT_PLANS: RUNS_THE_DAY,
    Permission.READ_CASH: OFFICE,
    Permission.COUNT_CASH: RUNS_THE_DAY,
    Permission.RECONCILE_CASH: frozenset({SUPERVISOR}),
    Permission.READ_BLOCKS: OFFICE | {INTEGRATOR},
    # A reason to leave somebody alone may be filed by whoever hears it.
    Permission.FILE_BLOCKS: RUNS_THE_DAY | {OFFICER, INTEGRATOR},
    # Which reasons each of them may lift is told by the reason (`fieldvisit.blocks.LIFTED_BY`).
    Permission.LIFT_BLOCKS: RUNS_THE_DAY,
    Permission.RECORD_CONSENTS: RUNS_THE_DAY | {INTEGRATOR},
    Permission.PLACE_HOLDS: frozenset({SUPERVISOR, AUDITOR}),
    Permission.READ_POLICIES: OFFICE | {ADMIN, PRIVACY},
    Permission.CHANGE_POLICIES: frozenset({SUPERVISOR, ADMIN}),
    Permission.REVIEW_AGENCIES: frozenset({SUPERVISOR, AUDITOR}),
    Permission.READ_NOTICES: OFFICE | {INTEGRATOR},
    Permission.SEND_NOTICES: RUNS_THE_DAY | {INTEGRATOR},
    # What a debtor reads is the house's word: not for whoever plans the day.
    Permission.CHANGE_NOTICE_TEMPLATES: frozenset({SUPERVISOR}),
    # Keys and passwords go in here.
    Permission.MANAGE_NOTICE_SERVICES: frozenset({ADMIN}),
    # The clause itself names the one role that may.
    Permission.OVERRIDE_CLAUSES: RUNS_THE_DAY | {OFFICER, AUDITOR},
    Permission.READ_OVERRIDES: frozenset({SUPERVISOR, AUDITOR}),
    Permission.READ_STAFF: OFFICE | {OFFICER, INTEGRATOR, ADMIN},
    Permission.CHANGE_STAFF: frozenset({SUPERVISOR, INTEGRATOR, ADMIN}),
    Permission.READ_SHIFTS: OFFICE | {OFFICER, INTEGRATOR},
    Permission.CHANGE_SHIFTS: RUNS_THE_DAY | {INTEGRATOR},
    Permission.READ_VISITS: OFFICE | {OFFICER},
    Permission.REQUEST_VISITS: RUNS_THE_DAY,
    Permission.CANCEL_VISITS: RUNS_THE_DAY,
    Permission.CLOSE_VISITS: RUNS_THE_DAY,
    Permission.READ_REPORTS: OFFICE | {PRIVACY},
    Permission.READ_PLANS: OFFICE | {OFFICER},
    Permission.MAKE_PLANS: RUNS_THE_DAY,
    Permission.PUBLISH_PLANS: RUNS_THE_DAY,
    Permission.USE_PHONE: frozenset({VISITOR}),
    Permission.BE_PUSHED_TO: frozenset({VISITOR, OFFICER, SUPERVISOR}),
    Permission.READ_SAFETY: frozenset({OFFICER, SUPERVISOR, AUDITOR}),
    Permission.HANDLE_ALERTS: frozenset({OFFICER, SUPERVISOR}),
    # Of visitors, whom one may call for is the domain's to say (`fieldvisit.safety.on_behalf`).
    Permission.CALL_FOR_OTHERS: RUNS_THE_DAY | {OFFICER, VISITOR},
    Permission.MANAGE_ROSTER: frozenset({OFFICER, SUPERVISOR}),
    Permission.OVERRIDE_COVER: frozenset({SUPERVISOR}),
    # Of visitors, each for themselves alone.
    Permission.PLAN_SESSIONS: RUNS_THE_DAY | {VISITOR},
    Permission.SET_TIMERS: frozenset({SUPERVISOR}),
    Permission.REPORT_INCIDENTS: RUNS_THE_DAY | {OFFICER, VISITOR},
    Permission.MANAGE_MARKERS: frozenset({OFFICER, SUPERVISOR}),
    Permission.READ_WARNINGS: RUNS_THE_DAY | {OFFICER, VISITOR},
    Permission.READ_AUDIT: frozenset({AUDITOR}),
    Permission.READ_ACCESSES: frozenset({PRIVACY, AUDITOR}),
    # A debtor's own request: what is kept of them, what of it is wrong, what of it should go.
    Permission.ANSWER_DEBTORS: frozenset({PRIVACY}),
}


def allowed(permission: Permission, roles: Iterable[Role]) -> bool:
    return not GRANTS[permission].isdisjoint(roles)


def refuse_unless(permission: Permission, roles: Iterable[Role]) -> None:
    """Raise NotPermitted, naming the roles that would do."""
    if not allowed(permission, roles):
        raise NotPermitted(roles=", ".join(sorted(GRANTS[permission])))
