"""One row of every kind that an address can name, all of them nobody's business at the third organisation."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.accounts import AccountDraft, Passwords, create_account
from fieldvisit.compliance.parameters import NoticeAbout, NoticeForm
from fieldvisit.database import acting_for_all
from fieldvisit.models import (
    AgencyReview,
    CashDeposit,
    Consent,
    ContactBlock,
    ContactProposal,
    CredentialReminder,
    DayPlan,
    DebtorRequest,
    Device,
    DutyShift,
    Evidence,
    FormVersion,
    HeldEvent,
    LegalHold,
    Marker,
    Notice,
    NoticeService,
    NoticeTemplate,
    OfficerContact,
    Override,
    PolicyVersion,
    ReceiptBlock,
    Rejudging,
    RepaymentPlan,
    SafetyAlert,
    SafetyIncident,
    SafetySession,
    StoredDecision,
    StoredFile,
    Visit,
    VisitReport,
    WeekPlan,
)
from fieldvisit.safety.timers import BY_LEVEL
from fieldvisit.vocabulary import (
    AgencyReviewKind,
    AlarmChannel,
    AlertKind,
    AlertState,
    BlockTrigger,
    Channel,
    CheckMoment,
    ContactPointKind,
    CredentialKind,
    DayPlanState,
    DebtorRequestKind,
    DepositWay,
    DutyRank,
    EvidenceKind,
    FileKind,
    HeldState,
    IncidentKind,
    MarkerKind,
    PaymentMethod,
    ReminderRecipient,
    RiskLevel,
    Role,
    SafetyState,
    Verdict,
    VisitOutcome,
    WeekState,
)
from tests.conftest import NOW
from tests.worlds import OWN_POLICY, TODAY, World, make_case, make_credential, make_shift, make_visit, make_visitor


def make_evidence(session: Session, visit: Visit, visitor_id: uuid.UUID) -> Evidence:
    whose = {"org_id": visit.org_id, "lender_id": visit.lender_id, "visit_id": visit.id, "visitor_id": visitor_id}
    terms = {"kind": EvidenceKind.PHOTO, "captured_at": NOW, "by_camera": True, "size_bytes": 1, "flaws": []}
    evidence = Evidence(id=uuid.uuid4(), **terms, **whose)
    session.add(evidence)
    session.flush()
    return evidence


def make_deposit(session: Session, world: World, visitor_id: uuid.UUID) -> CashDeposit:
    terms = {"amount_minor": 1, "currency": "EUR", "way": DepositWay.BANK, "deposited_at": NOW}
    deposit = CashDeposit(id=uuid.uuid4(), org_id=world.agency, visitor_id=visitor_id, **terms)
    session.add(deposit)
    session.flush()
    return deposit


def make_receipt_block(session: Session, world: World, visitor_id: uuid.UUID) -> ReceiptBlock:
    block = ReceiptBlock(org_id=world.agency, visitor_id=visitor_id, first_number=1, last_number=5, issued_at=NOW)
    session.add(block)
    session.flush()
    return block


def make_form(session: Session, world: World) -> FormVersion:
    form = FormVersion(org_id=world.agency, version=1, questions=[], needs=[])
    session.add(form)
    session.flush()
    return form


def make_repayment_plan(session: Session, visit: Visit) -> RepaymentPlan:
    parts = [{"amount_minor": 500, "due_on": f"2026-0{month}-01"} for month in (4, 5)]
    whose = {"org_id": visit.org_id, "lender_id": visit.lender_id, "case_id": visit.case_id}
    terms = {"currency": "EUR", "method": PaymentMethod.TRANSFER, "grace_days": 3}
    plan = RepaymentPlan(proposed_at=NOW, instalments=parts, total_minor=1_000, **terms, **whose)
    session.add(plan)
    session.flush()
    return plan


def make_agency_review(session: Session, world: World) -> AgencyReview:
    kind = AgencyReviewKind.EVALUATION
    review = AgencyReview(org_id=world.lender, agency_id=world.agency, kind=kind, reviewed_on=TODAY)
    session.add(review)
    session.flush()
    return review


def make_foreign_rows(sessions: sessionmaker[Session], world: World) -> dict[str, Any]:
    """The id of each row, by the name that an address or a body gives to it."""
    with acting_for_all(sessions) as session:
        case = make_case(session, world)
        visitor = make_visitor(session, world)
        shift = make_shift(session, visitor, crew="A")
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
        week = WeekPlan(
            org_id=world.agency, area_id=world.area, first_on=TODAY, days=5, state=WeekState.REQUESTED, seconds=1
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
        session.add_all([block, plan, week, safety, held, device])
        session.flush()
        consent = Consent(org_id=world.lender, debtor_id=case.debtor_id, purpose="visits", form="written", given_at=NOW)
        hold = LegalHold(org_id=world.lender, debtor_id=case.debtor_id, reason="A lawsuit.", placed_at=NOW)
        version = PolicyVersion(
            org_id=world.agency, policy_id="contract", version=1, text=OWN_POLICY, effective_from=TODAY
        )
        rejudging = Rejudging(org_id=world.agency, reason="test")
        request = DebtorRequest(
            org_id=world.lender,
            debtor_id=case.debtor_id,
            kind=DebtorRequestKind.ERASURE,
            received_at=NOW,
            recorded_by_id=account.id,
        )
        session.add_all([consent, hold, version, rejudging, request])
        session.flush()
        template = NoticeTemplate(
            org_id=world.agency,
            code="visit",
            version=1,
            about=NoticeAbout.START,
            channel=Channel.LETTER,
            language="en",
            passages=[],
            contents=[],
            policies=[],
        )
        notice = Notice(
            org_id=world.lender,
            case_id=case.id,
            debtor_id=case.debtor_id,
            sender_id=world.agency,
            about=NoticeAbout.START,
            channel=Channel.LETTER,
            form=NoticeForm.WRITTEN,
            language="en",
            contents=[],
        )
        session.add_all([template, notice])
        session.flush()
        override = make_override(session, visit, account.id)
        alert = make_alert(world, safety.id)
        contact = OfficerContact(org_id=world.agency, account_id=account.id, channel=AlarmChannel.SMS, address="+1")
        duty = DutyShift(
            org_id=world.agency,
            account_id=account.id,
            rank=DutyRank.DUTY,
            starts_at=NOW,
            ends_at=NOW + dt.timedelta(hours=8),
        )
        photo = StoredFile(org_id=world.agency, digest="0" * 64, kind=FileKind.JPEG, size_bytes=1)
        reminder = CredentialReminder(
            org_id=world.agency,
            credential_id=credential.id,
            visitor_id=visitor.id,
            due_on=TODAY,
            days_before=1,
            recipient=ReminderRecipient.OFFICE,
            raised_at=NOW,
        )
        service = NoticeService(
            org_id=world.agency, name="ours", channel=Channel.SMS, place=1, url="https://gateway.example.org/"
        )
        session.add_all([alert, contact, duty, photo, reminder, service])
        session.flush()
        incident = make_incident(session, visit, account.id)
        marker = make_marker(session, incident)
        return {
            "incident_id": incident.id,
            "marker_id": marker.id,
            "provider": "gateway",
            "account_id": account.id,
            "alert_id": alert.id,
            "area_id": world.area,
            "block_id": block.id,
            "consent_id": consent.id,
            "hold_id": hold.id,
            "review_id": make_agency_review(session, world).id,
            "override_id": override.id,
            "rejudging_id": rejudging.id,
            "request_id": request.id,
            "version_id": version.id,
            "case_external_id": case.external_id,
            "case_id": case.id,
            "contact_id": contact.id,
            "credential_id": credential.id,
            "debtor_external_id": session.get_one(type(case.debtor), case.debtor_id).external_id,
            "debtor_id": case.debtor_id,
            "device_id": device.id,
            "file_id": photo.id,
            "evidence_id": make_evidence(session, visit, visitor.id).id,
            "deposit_id": make_deposit(session, world, visitor.id).id,
            "receipt_block_id": make_receipt_block(session, world, visitor.id).id,
            "form_id": make_form(session, world).id,
            "held_event_id": held.event_id,
            "notice_id": notice.id,
            "service_id": service.id,
            "template_id": template.id,
            "organisation_id": world.lender,
            "plan_id": plan.id,
            "proposal_id": make_proposal(session, visit, visitor.id).id,
            "reminder_id": reminder.id,
            "repayment_plan_id": make_repayment_plan(session, visit).id,
            "session_id": safety.id,
            "shift_id": duty.id,
            "work_shift_id": shift.id,
            "token": "nobody-signed-this",
            "visit_id": visit.id,
            "visitor_external_id": visitor.external_id,
            "visitor_id": visitor.id,
            "week_id": week.id,
        }


def make_proposal(session: Session, visit: Visit, visitor_id: uuid.UUID) -> ContactProposal:
    whose = {"org_id": visit.org_id, "lender_id": visit.lender_id}
    heard = {"visitor_id": visitor_id, "kind": ContactPointKind.PHONE, "value": "+358401112223"}
    proposal = ContactProposal(case_id=visit.case_id, **heard, **whose)
    told = {"outcome": VisitOutcome.REFUSED, "left_at": NOW, "disclosed": False, "contact_changes": [proposal]}
    session.add(VisitReport(id=uuid.uuid4(), visit_id=visit.id, visitor_id=visitor_id, **told, **whose))
    session.flush()
    return proposal


def make_incident(session: Session, visit: Visit, account_id: uuid.UUID) -> SafetyIncident:
    incident = SafetyIncident(
        org_id=visit.org_id,
        kind=IncidentKind.DOG,
        happened_at=NOW,
        account="A dog bit.",
        debtor_id=visit.debtor_id,
        reported_by_id=account_id,
        reported_at=NOW,
    )
    session.add(incident)
    session.flush()
    return incident


def make_marker(session: Session, incident: SafetyIncident) -> Marker:
    marker = Marker(
        org_id=incident.org_id,
        incident_id=incident.id,
        debtor_id=incident.debtor_id,
        kind=MarkerKind.DOG,
        level=RiskLevel.HIGH,
        facts="A large dog.",
        placed_by_id=incident.reported_by_id,
        placed_at=NOW,
        told_on=TODAY,
        review_on=TODAY,
        expires_on=TODAY,
    )
    session.add(marker)
    session.flush()
    return marker


def make_override(session: Session, visit: Visit, account_id: uuid.UUID) -> Override:
    decision = StoredDecision(
        org_id=visit.org_id,
        lender_id=visit.lender_id,
        visit_id=visit.id,
        moment=CheckMoment.PLANNING,
        verdict=Verdict.NEEDS_OVERRIDE,
        clauses=[],
        policies=[],
        lawful=[],
        inputs_hash="",
        decided_at=NOW,
    )
    session.add(decision)
    session.flush()
    row = Override(
        org_id=visit.org_id,
        lender_id=visit.lender_id,
        visit_id=visit.id,
        clause_id="us/caps/1",
        policy_version=1,
        decision_id=decision.id,
        role=Role.SUPERVISOR,
        on_day=TODAY,
        reason="A reason.",
        asked_by_id=account_id,
        asked_at=NOW,
        needs_second=True,
    )
    session.add(row)
    session.flush()
    return row


def make_session(world: World, visitor_id: uuid.UUID) -> SafetySession:
    return SafetySession(
        id=uuid.uuid4(),
        org_id=world.agency,
        visitor_id=visitor_id,
        level=RiskLevel.NORMAL,
        state=SafetyState.ALARM,
        policy=BY_LEVEL[RiskLevel.NORMAL].as_json(),
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
