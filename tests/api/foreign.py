"""One row of every kind that an address can name, all of them nobody's business at the third organisation."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.accounts import AccountDraft, Passwords, create_account
from fieldvisit.database import acting_for_all
from fieldvisit.models import ContactBlock, DayPlan, Device, HeldEvent, SafetyAlert, SafetySession
from fieldvisit.vocabulary import (
    AlertKind,
    AlertState,
    BlockTrigger,
    CredentialKind,
    DayPlanState,
    HeldState,
    RiskLevel,
    Role,
    SafetyState,
)
from tests.conftest import NOW
from tests.worlds import TODAY, World, make_case, make_credential, make_shift, make_visit, make_visitor


def make_foreign_rows(sessions: sessionmaker[Session], world: World) -> dict[str, Any]:
    """The id of each row, by the name that an address or a body gives to it."""
    with acting_for_all(sessions) as session:
        case = make_case(session, world)
        visitor = make_visitor(session, world)
        make_shift(session, visitor, crew="A")
        credential = make_credential(session, visitor, kind=CredentialKind.BADGE)
        visit = make_visit(session, world, case)
        draft = AccountDraft(username="foreign-admin", password="correct horse battery", roles=(Role.ADMIN,))
        account = create_account(session, world.agency, draft, Passwords(environment="test"))
        block = ContactBlock(
            org_id=world.lender,
            made_by_id=world.lender,
            debtor_id=case.debtor_id,
            trigger=BlockTrigger.DISPUTE,
            since_at=NOW,
        )
        plan = DayPlan(
            org_id=world.agency, area_id=world.area, planned_on=TODAY, state=DayPlanState.REQUESTED, seconds=1
        )
        safety = make_session(world, visitor.id)
        held = HeldEvent(
            org_id=world.agency,
            event_id=uuid.uuid4(),
            visitor_id=visitor.id,
            kind="report",
            body="{}",
            state=HeldState.REFUSED,
        )
        device = Device(
            org_id=world.agency,
            id=uuid.uuid4(),
            account_id=account.id,
            name="Phone",
            app_version="1",
            registered_at=NOW,
            last_seen_at=NOW,
        )
        session.add_all([block, plan, safety, held, device])
        session.flush()
        alert = make_alert(world, safety.id)
        session.add(alert)
        session.flush()
        return {
            "account_id": account.id,
            "alert_id": alert.id,
            "area_id": world.area,
            "block_id": block.id,
            "case_external_id": case.external_id,
            "case_id": case.id,
            "credential_id": credential.id,
            "debtor_external_id": session.get_one(type(case.debtor), case.debtor_id).external_id,
            "debtor_id": case.debtor_id,
            "device_id": device.id,
            "held_event_id": held.event_id,
            "organisation_id": world.lender,
            "plan_id": plan.id,
            "session_id": safety.id,
            "visit_id": visit.id,
            "visitor_external_id": visitor.external_id,
            "visitor_id": visitor.id,
        }


def make_session(world: World, visitor_id: uuid.UUID) -> SafetySession:
    return SafetySession(
        id=uuid.uuid4(),
        org_id=world.agency,
        visitor_id=visitor_id,
        level=RiskLevel.NORMAL,
        state=SafetyState.ALARM,
        policy={},
        started_at=NOW,
    )


def make_alert(world: World, session_id: uuid.UUID) -> SafetyAlert:
    return SafetyAlert(
        org_id=world.agency,
        session_id=session_id,
        kind=AlertKind.MISSED_CHECKIN,
        state=AlertState.OPEN,
        opened_at=NOW,
        deadline_at=NOW - dt.timedelta(seconds=5),
    )
