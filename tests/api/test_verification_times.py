"""How long an answer takes tells nothing of the code: medians of many, taken in turns, in one run."""

import itertools
import statistics
import time

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.files import FileStore
from fieldvisit.models import Visit
from fieldvisit.settings import Settings
from fieldvisit.signing import as_text
from fieldvisit.verification_codes import code_for_visit
from fieldvisit.verifying import Asking, look_up
from fieldvisit.vocabulary import VisitState
from tests.conftest import NOW
from tests.verification_worlds import make_door

pytestmark = pytest.mark.long
TIMES = 120


def make_codes(sessions: sessionmaker[Session], settings: Settings) -> dict[str, str]:
    door = make_door(sessions, settings)
    with acting_for(sessions, door.agency) as session:
        good, over = (
            code_for_visit(session, door.ilta, visit, key=settings.token_key, now=NOW).text
            for visit in door.morning.visits
        )
        session.get_one(Visit, door.morning.visits[1]).state = VisitState.REPORTED
    return {"good": good, "expired": over, "forged": good[:21] + over[21:], "unknown": as_text(bytes(range(32)))}


def medians(seconds: dict[str, list[float]]) -> dict[str, float]:
    return {name: statistics.median(each) for name, each in seconds.items()}


def test_every_answer_takes_the_same_time(
    app: Flask, client: FlaskClient, sessions: sessionmaker[Session], settings: Settings
) -> None:
    codes, seconds = make_codes(sessions, settings), {}
    work = dict(seconds)
    network = itertools.count(1)
    for _ in range(TIMES):
        for name, code in codes.items():
            address = f"10.{next(network) // 250}.0.{next(network) % 250}"
            began = time.perf_counter()
            client.get(f"/v/{code}", environ_overrides={"REMOTE_ADDR": address})
            seconds.setdefault(name, []).append(time.perf_counter() - began)
    store = FileStore(settings)
    for _ in range(TIMES):
        for name, code in codes.items():
            with acting_for_all(sessions) as session:
                began = time.perf_counter()
                look_up(session, store, Asking(text=code, network="0", now=NOW), key=settings.token_key)
                work.setdefault(name, []).append(time.perf_counter() - began)
    answered, worked = medians(seconds), medians(work)
    print({name: round(each * 1e3, 2) for name, each in answered.items()}, "ms an answer")
    print({name: round(each * 1e3, 2) for name, each in worked.items()}, "ms of work behind it")
    assert max(answered.values()) / min(answered.values()) < 1.03
    # What hides the rest: the work of the most laborious answer ends long before any answer is given.
    assert max(worked.values()) < min(answered.values()) / 2
