"""A visitor's phone: the typed client of the public API and nothing else, each telling under an id of the phone's
own."""

import datetime as dt
import uuid
from typing import Any

from fieldvisit_client import AuthenticatedClient, Client
from fieldvisit_client.api.phone import (
    abort_visit,
    arrive,
    check_identity,
    read_my_day,
    read_my_visit,
    report_visit,
    set_out,
    show_credential,
)
from fieldvisit_client.api.safety import check_in, end_safety_session, start_safety_session
from fieldvisit_client.api.tokens import log_in
from fieldvisit_client.models.abort_in import AbortIn
from fieldvisit_client.models.abort_reason import AbortReason
from fieldvisit_client.models.arrival_in import ArrivalIn
from fieldvisit_client.models.arrival_out import ArrivalOut
from fieldvisit_client.models.check_in_by_pin_in import CheckInByPinIn
from fieldvisit_client.models.datum import Datum
from fieldvisit_client.models.day_stop_out import DayStopOut
from fieldvisit_client.models.device_in import DeviceIn
from fieldvisit_client.models.identity_in import IdentityIn
from fieldvisit_client.models.identity_method import IdentityMethod
from fieldvisit_client.models.identity_out import IdentityOut
from fieldvisit_client.models.identity_result import IdentityResult
from fieldvisit_client.models.login_in import LoginIn
from fieldvisit_client.models.my_day_out import MyDayOut
from fieldvisit_client.models.position_in import PositionIn
from fieldvisit_client.models.problem_out import ProblemOut
from fieldvisit_client.models.receipt_out import ReceiptOut
from fieldvisit_client.models.report_in import ReportIn
from fieldvisit_client.models.report_receipt_out import ReportReceiptOut
from fieldvisit_client.models.risk_level import RiskLevel
from fieldvisit_client.models.safety_session_in import SafetySessionIn
from fieldvisit_client.models.safety_session_out import SafetySessionOut
from fieldvisit_client.models.set_out_in import SetOutIn
from fieldvisit_client.models.showing_in import ShowingIn
from fieldvisit_client.models.showing_out import ShowingOut
from fieldvisit_client.models.tokens_out import TokensOut
from fieldvisit_client.models.visit_card_out import VisitCardOut
from fieldvisit_client.models.with_pin_in import WithPinIn
from fieldvisit_client.types import Response

from fieldvisit.demo.client import ApiRefused

ACCURACY_M, PATIENCE_S = 12, 30


class Phone:
    """One visitor's device, and the day it has pulled. Every call raises ApiRefused where the server refuses."""

    def __init__(self, base_url: str, username: str, password: str, *, language: str) -> None:
        how: dict[str, Any] = {"headers": {"Accept-Language": language}, "timeout": PATIENCE_S}
        device = DeviceIn(id=uuid.uuid4(), name=f"Phone of {username}", app_version="1")
        body = LoginIn(username=username, password=password, device=device)
        with Client(base_url, **how) as nobody:
            login = _given(log_in.sync_detailed(client=nobody, body=body), TokensOut)
        self._client = AuthenticatedClient(base_url, token=login.access_token, **how)

    def my_day(self) -> list[DayStopOut]:
        """Every stop of the day, in order."""
        day = _given(read_my_day.sync_detailed(client=self._client), MyDayOut)
        return [stop for route in day.routes for stop in route.stops]

    def visit(self, visit_id: uuid.UUID) -> VisitCardOut:
        return _given(read_my_visit.sync_detailed(visit_id, client=self._client), VisitCardOut)

    def set_out(self, visit_id: uuid.UUID) -> None:
        _given(set_out.sync_detailed(visit_id, client=self._client, body=SetOutIn(uuid.uuid4())), ReceiptOut)

    def arrive(self, visit_id: uuid.UUID, point: dict[str, float]) -> None:
        position = PositionIn(lat=point["lat"], lon=point["lon"], datum=Datum.WGS84, accuracy_m=ACCURACY_M, mock=False)
        body = ArrivalIn(event_id=uuid.uuid4(), position=position)
        _given(arrive.sync_detailed(visit_id, client=self._client, body=body), ArrivalOut)

    def show_credentials(self, visit_id: uuid.UUID, credential_ids: list[uuid.UUID]) -> None:
        body = ShowingIn(event_id=uuid.uuid4(), credential_ids=credential_ids)
        _given(show_credential.sync_detailed(visit_id, client=self._client, body=body), ShowingOut)

    def check_identity(self, visit_id: uuid.UUID, method: IdentityMethod, result: IdentityResult) -> None:
        body = IdentityIn(uuid.uuid4(), method, result)
        _given(check_identity.sync_detailed(visit_id, client=self._client, body=body), IdentityOut)

    def abort(self, visit_id: uuid.UUID, reason: AbortReason) -> None:
        body = AbortIn(event_id=uuid.uuid4(), reason=reason)
        _given(abort_visit.sync_detailed(visit_id, client=self._client, body=body), ReportReceiptOut)

    def report(self, visit_id: uuid.UUID, report: ReportIn) -> None:
        _given(report_visit.sync_detailed(visit_id, client=self._client, body=report), ReportReceiptOut)

    def start_safety(self, visit_id: uuid.UUID, *, level: RiskLevel, planned_s: int) -> uuid.UUID:
        """Start being watched over; the id of the session."""
        body = SafetySessionIn(id=uuid.uuid4(), visit_id=visit_id, level=level, planned_s=planned_s)
        _given(start_safety_session.sync_detailed(client=self._client, body=body), SafetySessionOut)
        return body.id

    def check_in(self, session_id: uuid.UUID) -> dt.datetime:
        """All is well; what the server's clock shows."""
        body = CheckInByPinIn(event_id=uuid.uuid4())
        return _given(check_in.sync_detailed(session_id, client=self._client, body=body), SafetySessionOut).server_at

    def end_safety(self, session_id: uuid.UUID) -> None:
        body = WithPinIn(event_id=uuid.uuid4())
        _given(end_safety_session.sync_detailed(session_id, client=self._client, body=body), SafetySessionOut)


def _given[Answer](answer: Response[Any], kind: type[Answer]) -> Answer:
    """What was asked for. Raises ApiRefused where it is a problem instead."""
    told = answer.parsed
    if not isinstance(told, kind) or isinstance(told, ProblemOut):
        problem = told.to_dict() if isinstance(told, ProblemOut) else {}
        code, detail = problem.get("code", answer.status_code), problem.get("detail", answer.content[:500].decode())
        raise ApiRefused(
            call=problem.get("title", kind.__name__),
            status=int(answer.status_code),
            detail=detail,
            problem_code=code,
            problem=problem,
        )
    return told
