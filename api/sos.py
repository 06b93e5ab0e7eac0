"""The call for help over HTTP: taken by whatever token was signed here once, whatever became of its body, and also when
the database refuses."""

import datetime as dt
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from contextlib import suppress
from dataclasses import dataclass, replace

import structlog
from flask import Response, current_app, jsonify
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from api.auth import NoVisitor, read_bearer
from api.calls import heard, made_out, readable
from api.context import now, now_for_a_call, runtime, settings
from api.contracts import Contract
from api.db import db
from api.epochs import NAME as EPOCH
from api.roles import Permission, refuse_unless
from api.schemas.safety import SafetySessionOut, SosIn
from fieldvisit.database import acting_for, session_factory
from fieldvisit.errors import DatabaseUnavailable, NotFound
from fieldvisit.models import SafetySession
from fieldvisit.outgoing.gateways import Channels
from fieldvisit.safety.caller_facts import caller_facts
from fieldvisit.safety.drafts import Sos
from fieldvisit.safety.emergency import Book, Line
from fieldvisit.safety.emergency_calls import Caller
from fieldvisit.safety.emergency_list import DutyList
from fieldvisit.safety.pace import PACE
from fieldvisit.safety.seeming import as_shown
from fieldvisit.safety.sos import call_under_any_id
from fieldvisit.safety.standing import Standing
from fieldvisit.safety.timers import BY_LEVEL, Timers, seconds
from fieldvisit.sealing import Cipher
from fieldvisit.tokens import Claims
from fieldvisit.vocabulary import RiskLevel, SafetyState

PATIENCE_S = 4.0
"""So long the database may take; then the emergency path goes beside it, and the event's id makes one alert of both."""
THREADS = 16
KEY = "fieldvisit sos"
MAKING = threading.Lock()
CONTRACT = Contract(
    may=Permission.USE_PHONE,
    body=SosIn(),
    returns=SafetySessionOut(),
    status=201,
    safety=True,
    even_expired=True,
    even_revoked=True,
)

log = structlog.get_logger("fieldvisit.emergency")


class Emergency:
    """What an app keeps at hand for the day on which its database is away."""

    def __init__(self) -> None:
        config = settings()
        cipher = Cipher(config.data_key)
        self.sessions: sessionmaker[Session] = session_factory(db.engine)
        config.data_folder.mkdir(parents=True, exist_ok=True)
        self.book = Book(config.data_folder, cipher)
        self.duty = DutyList(config.data_folder, cipher)
        self.channels = Channels.of(config.alarm_providers, PACE.timeout_s, mail_s=PACE.mail_s)
        self.caller = Caller(self.book, self.duty, self.channels, self.sessions)
        self.pool = ThreadPoolExecutor(THREADS, thread_name_prefix="sos")


def emergency() -> Emergency:
    """Made at the first need and not at the start: a worker process has its own threads."""
    with MAKING:
        if KEY not in current_app.extensions:
            current_app.extensions[KEY] = Emergency()
    found: Emergency = current_app.extensions[KEY]
    return found


def stay_ready() -> None:
    """In passing, with every word of a phone: what time it is is known, the list of whom to call stays young, and the
    book is seen to."""
    emergency().duty.keep_fresh(emergency().sessions)
    emergency().caller.wake()
    with suppress(SQLAlchemyError):
        # Asked once, and not first by a call for help that comes when nobody answers any more.
        runtime().clock()


def send_sos() -> Response:
    """Call for help. Opens an alert at once, with or without a session.

    Any token that was signed here once is taken, also one that has expired or whose account is closed, which the
    officer is told. A body that is broken, too large or of an unknown version is read as far as it can be. When the
    database refuses, the call is kept on the disk and the officers on duty are called from a list.
    """
    claims = read_bearer(settings().token_key, now=now_for_a_call(), even_expired=True)
    refuse_unless(CONTRACT.may or Permission.USE_PHONE, claims.roles)
    if claims.visitor_id is None:
        raise NoVisitor()
    raised = raise_call(claims, _told(claims, claims.visitor_id))
    answer = jsonify(SafetySessionOut().dump(raised.standing))
    answer.status_code = CONTRACT.status
    if raised.epoch is not None:
        answer.headers[EPOCH] = str(raised.epoch)
    return answer


@dataclass(frozen=True)
class Raised:
    """How the session stands, and in which epoch of the database; none where no database took the call yet."""

    standing: Standing
    epoch: uuid.UUID | None = None


def raise_call(claims: Claims, told: Sos) -> Raised:
    """Open the alert, or keep the call by the emergency path and have people called. Raises NotFound for a visitor who
    is not there, DatabaseUnavailable where not even the disk took it."""
    try:
        raised = emergency().pool.submit(_store, emergency().sessions, claims, told).result(PATIENCE_S)
    except NotFound:
        raise
    except (Exception, TookTooLong) as error:
        log.error("emergency_path", error=type(error).__name__, event_id=str(told.event_id))
        return Raised(keep_call(claims, told))
    emergency().caller.wake()
    return raised


def _store(sessions: sessionmaker[Session], claims: Claims, told: Sos) -> Raised:
    with acting_for(sessions, claims.org_id) as session:
        facts = caller_facts(session, claims.account_id, claims.device_id, claims.issued_at)
        told = replace(told, account_closed=facts.account_closed, device_revoked=facts.device_revoked)
        return Raised(as_shown(session, call_under_any_id(session, told)), facts.epoch)


def keep_call(claims: Claims, told: Sos) -> Standing:
    """By the emergency path. The answer is that of a success, for that is what it is: somebody is being called. Raises
    DatabaseUnavailable where the disk took it neither."""
    line = Line(org_id=claims.org_id, told=told, at=time.time())
    try:
        emergency().book.append(line)
    except OSError as error:
        log.critical("emergency_not_kept", error=type(error).__name__, event_id=str(told.event_id))
        emergency().caller.call_at_once(line)
        raise DatabaseUnavailable() from error
    emergency().caller.wake()
    moment = now()
    timers = BY_LEVEL[RiskLevel.NORMAL]
    row = SafetySession(
        id=told.session_id or told.event_id,
        visitor_id=told.visitor_id,
        visit_id=told.visit_id,
        level=RiskLevel.NORMAL,
        state=SafetyState.ALARM,
        policy=timers.as_json(),
        started_at=moment,
        extended_s=0,
    )
    if told.covert and not told.on_behalf:
        _seem_quiet(row, timers, moment)
    return Standing(row, moment)


def _seem_quiet(row: SafetySession, timers: Timers, moment: dt.datetime) -> None:
    """What the phone of a covert call is shown: a session in which nobody has called."""
    row.state = SafetyState.ACTIVE
    row.due_at = moment + seconds(timers.check_in_s)
    row.remind_at = row.due_at - seconds(timers.remind_s)
    row.grace_until = row.due_at + seconds(timers.grace_s)
    row.end_at = row.due_at


def _told(claims: Claims, visitor_id: uuid.UUID) -> Sos:
    """What can be made out. Nothing of it is needed: who calls is in the token."""
    raw = heard()
    known = made_out(readable(raw))
    # Without an id of its own the same words are the same call, so that sending them again does nothing twice.
    made_up = "event_id" not in known
    event_id = known.pop("event_id", None) or uuid.uuid5(claims.account_id, raw.hex())
    return Sos(
        **known,
        made_up=made_up,
        event_id=event_id,
        visitor_id=visitor_id,
        actor_id=claims.account_id,
        token_expired=claims.expired,
    )
