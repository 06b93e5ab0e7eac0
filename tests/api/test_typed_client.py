"""The generated client speaks the whole of a phone's day, and is that of the document as it stands."""

import datetime as dt
import uuid
from collections.abc import Iterator

import httpx
import pytest
from fieldvisit_client import AuthenticatedClient, Client
from fieldvisit_client.api.phone import (
    add_to_report,
    arrive,
    check_identity,
    read_changes,
    read_my_day,
    read_my_visit,
    report_visit,
    set_out,
    show_credential,
)
from fieldvisit_client.api.phone_events import list_my_held_events, send_events
from fieldvisit_client.api.safety import check_in, end_safety_session, start_safety_session
from fieldvisit_client.api.tokens import log_in, refresh_tokens
from fieldvisit_client.models.addition_in import AdditionIn
from fieldvisit_client.models.arrival_in import ArrivalIn
from fieldvisit_client.models.arrival_out import ArrivalOut
from fieldvisit_client.models.changes_out import ChangesOut
from fieldvisit_client.models.check_in_event_in import CheckInEventIn
from fieldvisit_client.models.check_in_in import CheckInIn
from fieldvisit_client.models.datum import Datum
from fieldvisit_client.models.device_in import DeviceIn
from fieldvisit_client.models.event_outcome import EventOutcome
from fieldvisit_client.models.events_in import EventsIn
from fieldvisit_client.models.events_taken_out import EventsTakenOut
from fieldvisit_client.models.held_event_page_out import HeldEventPageOut
from fieldvisit_client.models.identity_in import IdentityIn
from fieldvisit_client.models.identity_method import IdentityMethod
from fieldvisit_client.models.identity_out import IdentityOut
from fieldvisit_client.models.identity_result import IdentityResult
from fieldvisit_client.models.login_in import LoginIn
from fieldvisit_client.models.my_day_out import MyDayOut
from fieldvisit_client.models.next_step import NextStep
from fieldvisit_client.models.outside_reason import OutsideReason
from fieldvisit_client.models.payment_method import PaymentMethod
from fieldvisit_client.models.position_in import PositionIn
from fieldvisit_client.models.problem_out import ProblemOut
from fieldvisit_client.models.promise_in import PromiseIn
from fieldvisit_client.models.receipt_out import ReceiptOut
from fieldvisit_client.models.refresh_in import RefreshIn
from fieldvisit_client.models.report_in import ReportIn
from fieldvisit_client.models.report_receipt_out import ReportReceiptOut
from fieldvisit_client.models.safety_session_in import SafetySessionIn
from fieldvisit_client.models.safety_session_out import SafetySessionOut
from fieldvisit_client.models.set_out_in import SetOutIn
from fieldvisit_client.models.showing_in import ShowingIn
from fieldvisit_client.models.showing_out import ShowingOut
from fieldvisit_client.models.tokens_out import TokensOut
from fieldvisit_client.models.visit_card_out import VisitCardOut
from fieldvisit_client.models.visit_outcome import VisitOutcome
from fieldvisit_client.models.visit_state import VisitState
from fieldvisit_client.models.waits_for import WaitsFor
from flask import Flask
from sqlalchemy.orm import Session, sessionmaker

from api.typed_client import digest_of, installed_digest, phone_part
from fieldvisit.accounts import AccountDraft, Passwords, create_account
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.vocabulary import DutyRank, Role
from tests.api.conftest import PASSWORD
from tests.conftest import NOW
from tests.phone.worlds import Morning, make_morning
from tests.safety.worlds import make_account, put_on_duty
from tests.worlds import HELSINKI

HERE = PositionIn(lat=HELSINKI[0], lon=HELSINKI[1], datum=Datum.WGS84, accuracy_m=12)
FAR = PositionIn(lat=HELSINKI[0] + 0.009, lon=HELSINKI[1], datum=Datum.WGS84, accuracy_m=12)


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    """Ilta has a login, and an officer is there to hear her."""
    morning = make_morning(sessions)
    with acting_for_all(sessions) as session:
        put_on_duty(session, make_account(session, morning.world, Role.SAFETY_OFFICER), DutyRank.DUTY)
    with acting_for(sessions, morning.world.agency) as session:
        draft = AccountDraft(username="ilta", password=PASSWORD, roles=(Role.VISITOR,), visitor_id=morning.ilta)
        create_account(session, morning.world.agency, draft, Passwords(environment="test"))
    return morning


@pytest.fixture
def wire(app: Flask) -> Iterator[httpx.Client]:
    with httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://phone.test") as wire:
        yield wire


def test_the_client_is_that_of_the_document(app: Flask) -> None:
    """Written anew by `make client`."""
    document = app.test_client().get("/openapi.json").json
    assert installed_digest() == digest_of(phone_part(document))


def test_a_day_from_the_login_to_the_report(wire: httpx.Client, morning: Morning) -> None:
    nobody = Client(base_url="http://phone.test").set_httpx_client(wire)
    device = DeviceIn(id=uuid.uuid4(), name="Work phone", app_version="1")
    login = log_in.sync(client=nobody, body=LoginIn(username="ilta", password=PASSWORD, device=device))
    assert isinstance(login, TokensOut)
    renewed = refresh_tokens.sync(client=nobody, body=RefreshIn(refresh_token=login.refresh_token))
    assert isinstance(renewed, TokensOut)
    phone = AuthenticatedClient(base_url="http://phone.test", token=renewed.access_token).set_httpx_client(wire)
    wire.headers["Authorization"] = f"Bearer {renewed.access_token}"
    visit = morning.visit

    day = read_my_day.sync(client=phone)
    assert isinstance(day, MyDayOut)
    (stop,) = day.routes[0].stops
    card = stop.visit
    assert (day.on, card.visit_id, card.state) == (dt.date(2026, 3, 3), visit, VisitState.PUBLISHED)
    assert card.briefing is not None
    assert card.briefing.amounts is None
    under_way = set_out.sync(visit, client=phone, body=SetOutIn(event_id=uuid.uuid4()))
    assert isinstance(under_way, ReceiptOut)
    assert under_way.state is VisitState.UNDER_WAY

    arrival = ArrivalIn(event_id=uuid.uuid4(), position=FAR)
    refused = arrive.sync_detailed(visit, client=phone, body=arrival)
    assert isinstance(refused.parsed, ProblemOut)
    assert (refused.status_code, refused.parsed.code) == (409, "outside_geofence")
    arrival.outside_reason = OutsideReason.POINT_WRONG
    arrived, again = (arrive.sync(visit, client=phone, body=arrival) for _ in range(2))
    assert isinstance(arrived, ArrivalOut)
    assert arrived == again
    assert (arrived.distance_m, arrived.outside_reason) == (1_003, OutsideReason.POINT_WRONG)

    papers = [paper.credential_id for paper in card.briefing.to_show if paper.credential_id is not None]
    shown = show_credential.sync(visit, client=phone, body=ShowingIn(event_id=uuid.uuid4(), credential_ids=papers))
    assert isinstance(shown, ShowingOut)
    assert (shown.passed, shown.faults, shown.missing) == (True, [], [])
    check = IdentityIn(uuid.uuid4(), IdentityMethod.DOCUMENT_SEEN, IdentityResult.CONFIRMED)
    checked = check_identity.sync(visit, client=phone, body=check)
    assert isinstance(checked, IdentityOut)
    assert checked.amounts_shown
    opened = read_my_visit.sync(visit, client=phone)
    assert isinstance(opened, VisitCardOut)
    assert opened.briefing is not None
    assert opened.briefing.amounts is not None
    assert (opened.briefing.amounts.total_minor, opened.briefing.amounts.currency) == (105_500, "EUR")
    _report(phone, visit)


def _report(phone: AuthenticatedClient, visit: uuid.UUID) -> None:
    told = ReportIn(id=uuid.uuid4(), outcome=VisitOutcome.MET_DEBTOR, left_at=NOW, disclosed=True, willing=True)
    incomplete = report_visit.sync(visit, client=phone, body=told)
    assert isinstance(incomplete, ProblemOut)
    assert incomplete.code == "report_incomplete"
    told.next_step = NextStep.CALL
    told.promises = [PromiseIn(25_000, "EUR", dt.date(2026, 3, 17), PaymentMethod.TRANSFER)]
    receipt = report_visit.sync(visit, client=phone, body=told)
    assert isinstance(receipt, ReportReceiptOut)
    assert (receipt.state, receipt.report_id) == (VisitState.REPORTED, told.id)
    assert (receipt.addition_id, receipt.block_ids) == (None, [])
    more = AdditionIn(event_id=uuid.uuid4(), text="The bell is broken.")
    added = add_to_report.sync(visit, client=phone, body=more)
    assert isinstance(added, ReportReceiptOut)
    assert added.report_id == told.id


def test_safety_and_what_is_held(wire: httpx.Client, morning: Morning) -> None:
    nobody = Client(base_url="http://phone.test").set_httpx_client(wire)
    login = log_in.sync(client=nobody, body=LoginIn(username="ilta", password=PASSWORD))
    assert isinstance(login, TokensOut)
    wire.headers["Authorization"] = f"Bearer {login.access_token}"
    phone = AuthenticatedClient(base_url="http://phone.test", token=login.access_token).set_httpx_client(wire)
    session_id, check_in_id = uuid.uuid4(), uuid.uuid4()

    early = CheckInEventIn(kind="check_in", event_id=check_in_id, session_id=session_id, device_at=NOW)
    sent = send_events.sync(client=phone, body=EventsIn(sent_at=NOW, events=[early], battery_percent=41))
    assert isinstance(sent, EventsTakenOut)
    (result,) = sent.results
    assert (result.outcome, result.waits_for) == (EventOutcome.HELD, WaitsFor.SAFETY_SESSION)
    held = list_my_held_events.sync(client=phone)
    assert isinstance(held, HeldEventPageOut)
    assert [each.event_id for each in held.items] == [check_in_id]
    started = start_safety_session.sync(client=phone, body=SafetySessionIn(id=session_id, planned_s=1_800))
    assert isinstance(started, SafetySessionOut)
    changes = read_changes.sync(client=phone)
    assert isinstance(changes, ChangesOut)
    assert (changes.reset, changes.held) == (True, [])
    heard = check_in.sync(session_id, client=phone, body=CheckInIn(event_id=check_in_id))
    assert isinstance(heard, SafetySessionOut)
    ended = end_safety_session.sync(session_id, client=phone, body=CheckInIn(event_id=uuid.uuid4()))
    assert isinstance(ended, SafetySessionOut)
    assert ended.ended_at is not None
