"""The field's part of the story: one visit as it should be, one broken off, one that goes silent, one cancelled."""

import datetime as dt
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fieldvisit_client.models.abort_reason import AbortReason
from fieldvisit_client.models.identity_method import IdentityMethod
from fieldvisit_client.models.identity_result import IdentityResult
from fieldvisit_client.models.next_step import NextStep
from fieldvisit_client.models.payment_method import PaymentMethod
from fieldvisit_client.models.promise_in import PromiseIn
from fieldvisit_client.models.report_in import ReportIn
from fieldvisit_client.models.risk_level import RiskLevel
from fieldvisit_client.models.visit_card_out import VisitCardOut
from fieldvisit_client.models.visit_outcome import VisitOutcome

from fieldvisit.demo.client import ApiRefused, Client
from fieldvisit.demo.generator import TODAY
from fieldvisit.demo.phone import Phone
from fieldvisit.demo.processes import DemoStopped
from fieldvisit.demo.screen import Screen
from fieldvisit.demo.world import PASSWORD, ZONE, World
from fieldvisit.languages import tag
from fieldvisit.vocabulary import AlertKind, VisitState

POLL_S = 0.2
ALARM_WITHIN_S = 30
VISIT_S = 1_200


def phone_of(base_url: str, world: World, route: dict[str, Any], screen: Screen) -> Phone:
    """The phone of whoever leads this crew."""
    lead = next(member for member in route["members"] if member["lead"])
    names = {visitor_id: external_id.lower() for external_id, visitor_id in world.visitors.items()}
    return Phone(base_url, names[lead["visitor_id"]], PASSWORD, language=tag(screen.language))


def good_visit(phone: Phone, stop: dict[str, Any], screen: Screen) -> None:
    """Set out, be watched over, arrive, show papers, make sure who it is, check in, report a promise, end."""
    visit_id = uuid.UUID(stop["visit_id"])
    briefing = _card(phone, visit_id).briefing
    screen.tell("The phone pulls the day: {stops} visits, each with its briefing.", stops=len(phone.my_day()))
    if briefing is None or briefing.amounts is not None:
        raise _wrong("the phone was told an amount before anybody was identified, or nothing at all")
    phone.set_out(visit_id)
    session_id = phone.start_safety(visit_id, level=RiskLevel.NORMAL, planned_s=VISIT_S)
    phone.arrive(visit_id, stop["point"])
    shown = [paper.credential_id for paper in briefing.to_show if paper.credential_id is not None]
    phone.show_credentials(visit_id, shown)
    phone.check_identity(visit_id, IdentityMethod.DOCUMENT_SEEN, IdentityResult.CONFIRMED)
    opened = phone.visit(visit_id).briefing
    if opened is None or opened.amounts is None:
        raise _wrong("the amounts stayed hidden after the identity was confirmed")
    screen.tell("Only now, with the identity confirmed, does the phone show the amount.")
    promise = PromiseIn(
        amount_minor=opened.amounts.total_minor // 4,
        currency=opened.amounts.currency,
        due_on=TODAY + dt.timedelta(days=14),
        method=PaymentMethod.TRANSFER,
    )
    report = ReportIn(
        id=uuid.uuid4(),
        outcome=VisitOutcome.MET_DEBTOR,
        left_at=phone.check_in(session_id),
        disclosed=True,
        willing=True,
        able=True,
        next_step=NextStep.CALL,
        promises=[promise],
    )
    phone.report(visit_id, report)
    phone.end_safety(session_id)
    screen.tell("Reported: a promise to pay a quarter within two weeks. The safety session has ended.")


def aborted_visit(phone: Phone, stop: dict[str, Any], screen: Screen) -> None:
    """One call, and the visitor is out of it."""
    visit_id = uuid.UUID(stop["visit_id"])
    phone.set_out(visit_id)
    phone.arrive(visit_id, stop["point"])
    phone.abort(visit_id, AbortReason.ASKED_TO_LEAVE)
    screen.tell("Asked to leave: one call ends the visit, and no other is made to this person.")


def silent_visit(phone: Phone, officer: Client, stop: dict[str, Any], screen: Screen) -> None:
    """Nobody checks in; the watcher raises the alarm, and the officer takes it."""
    visit_id = uuid.UUID(stop["visit_id"])
    phone.set_out(visit_id)
    phone.arrive(visit_id, stop["point"])
    session_id = phone.start_safety(visit_id, level=RiskLevel.DRILL, planned_s=VISIT_S)
    alert = _wait_for_alert(officer, session_id)
    late_s = _instant(alert["opened_at"]) - _instant(alert["deadline_at"])
    screen.tell(
        "Silence: {kind} raised {late} s after the grace ran out; the officer's list shows it.",
        kind=AlertKind(alert["kind"]),
        late=f"{late_s.total_seconds():.1f}",
    )
    taken = officer.post(f"/safety/alerts/{alert['id']}/acknowledgement")
    until = _instant(taken["ack_until"]).astimezone(ZONE)
    screen.tell("Acknowledged; it lapses at {until} unless the officer goes on with it.", until=f"{until:%H:%M:%S}")


def disputed_visit(phone: Phone, stop: dict[str, Any], *, lender: Client, dispatcher: Client, screen: Screen) -> None:
    """The debtor disputes the debt: the published visit is cancelled, the phone is told, the door stays closed."""
    visit_id = uuid.UUID(stop["visit_id"])
    case_id = dispatcher.get(f"/visits/{visit_id}")["case_id"]
    debtor_id = lender.get(f"/cases/{case_id}")["debtor_id"]
    lender.post("/blocks", debtor_id=debtor_id, trigger="dispute", external_id=f"dispute-{case_id}")
    visit = _card(phone, visit_id)
    if visit.state.value != VisitState.CANCELLED:
        raise _wrong("the phone was not told of the cancelled visit")
    state = VisitState(visit.state.value)
    screen.tell("The phone's next pull says: {state}, {why}.", state=state, why=visit.cancelled_words)
    with _refused("visit_cancelled") as refused:
        phone.arrive(visit_id, stop["point"])
    screen.tell("Arriving all the same is refused: {detail}", detail=refused[0])


def _card(phone: Phone, visit_id: uuid.UUID) -> VisitCardOut:
    return next(stop.visit for stop in phone.my_day() if stop.visit.visit_id == visit_id)


def _wait_for_alert(officer: Client, session_id: uuid.UUID) -> dict[str, Any]:
    began_s = time.monotonic()
    while time.monotonic() - began_s < ALARM_WITHIN_S:
        for alert in officer.get("/safety/alerts")["items"]:
            if alert["session_id"] == str(session_id):
                found: dict[str, Any] = alert
                return found
        time.sleep(POLL_S)
    raise DemoStopped(what="the watcher", reason=f"no alarm within {ALARM_WITHIN_S} s")


@contextmanager
def _refused(code: str) -> Iterator[list[str]]:
    """What happens inside has to be refused with this code; the sentence of the refusal is handed out."""
    sentences: list[str] = []
    try:
        yield sentences
    except ApiRefused as refusal:
        if refusal.details["problem_code"] != code:
            raise _wrong(f"refused for another reason: {refusal}") from refusal
        sentences.append(str(refusal.details["detail"]))
        return
    raise DemoStopped(what="a refusal", reason=f"{code} was expected, and nothing was refused")


def _wrong(reason: str) -> DemoStopped:
    return DemoStopped(what="the phone", reason=reason)


def _instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)
