"""A database that is another one than before, or has gone back in time, is noticed by those who ask it, and nobody who
was out is taken for safe by it."""

import uuid

import pytest
import sqlalchemy as sa

from fieldvisit.database import Urls, acting_for, acting_for_all, plain_url
from fieldvisit.models import DatabaseEpoch, SafetySession
from fieldvisit.safety.auditing import Seen, audit
from fieldvisit.safety.beats import engine_transaction
from fieldvisit.safety.engine import watch_once
from fieldvisit.safety.epochs import HEARD_WITHIN_S, Witness, current_epoch, notice
from fieldvisit.vocabulary import AlertKind, RiskLevel
from tests.safety.worlds import ACTIVE, ALARM, MINUTE, Door, another_door

ELSEWHERE = "7:00000001:7"


def look(door: Door, witness: Witness, name: str = "one") -> bool:
    with engine_transaction(door.sessions) as session:
        return notice(session, name, witness)


def epochs(door: Door) -> list[str]:
    with acting_for_all(door.sessions) as session:
        return [each.because for each in session.scalars(sa.select(DatabaseEpoch).order_by(DatabaseEpoch.began_at))]


def restored_elsewhere(door: Door) -> None:
    """As if what is here had been written by another cluster: a backup of it that was read in."""
    with acting_for_all(door.sessions) as session:
        session.execute(sa.text("insert into database_epochs (identity, because, noticed_by, began_at)"
                                " values (:there, 'first', 'before', fieldvisit_now() - interval '1 hour')"),
                        {"there": ELSEWHERE})  # fmt: skip


def test_the_first_look_begins_an_epoch_and_asks_nobody(door: Door) -> None:
    session_id = door.start()
    witness = Witness()
    assert [look(door, witness), look(door, witness), look(door, Witness(), "two")] == [True, False, False]
    assert epochs(door) == ["first"]
    door.watch()
    assert (door.row(session_id).unverified, door.row(session_id).asked_again_at) == (False, None)


def test_another_database_is_noticed_once_by_several_engines(door: Door) -> None:
    restored_elsewhere(door)
    assert [look(door, Witness(), name) for name in ("one", "two")] == [True, False]
    assert epochs(door) == ["first", "replaced"]


@pytest.mark.parametrize("lost", ["the epoch", "a part of the log"])
def test_a_copy_of_the_disk_that_is_put_back_is_noticed_by_who_remembers(door: Door, lost: str) -> None:
    witness = Witness()
    look(door, witness)
    first = witness.epoch_id
    if lost == "the epoch":
        witness.epoch_id = uuid.uuid4()
    else:
        witness.position += 10**12
    others = Witness(witness.epoch_id, witness.position)
    assert [look(door, witness), look(door, witness), look(door, others, "two")] == [True, False, False]
    assert epochs(door) == ["first", "went_back"]
    with acting_for(door.sessions, door.world.agency) as session:
        assert current_epoch(session) == witness.epoch_id != first


@pytest.mark.parametrize("level", [RiskLevel.LOW, RiskLevel.HIGH])
def test_whoever_was_out_is_unverified_and_raised_unless_heard_within_a_minute(door: Door, level: RiskLevel) -> None:
    door.clock.stop()
    heard, silent = door, another_door(door)
    ids = [each.start(level) for each in (heard, silent)]
    restored_elsewhere(door)
    door.watch()
    assert [door.row(each).unverified for each in ids] == [True, True]
    assert door.alerts() == []
    door.pass_under_watch_s(HEARD_WITHIN_S - 5)
    heard.beat(ids[0])
    assert door.watch().raised == 0
    door.pass_under_watch_s(6)
    assert door.watch().raised == 1
    assert [(door.row(each).state, door.row(each).unverified) for each in ids] == [(ACTIVE, False), (ALARM, True)]
    (alert,) = door.alerts()
    assert (alert.session_id, alert.kind, alert.unverified) == (ids[1], AlertKind.LOST_CONTACT, True)
    assert door.told_events(ids[1]) == ["started", "unverified", "contact_lost", "alert_opened", "step_begun"]
    assert door.watch().raised == 0, "asked once for one epoch"


def test_who_starts_afterwards_is_of_the_new_epoch(door: Door) -> None:
    restored_elsewhere(door)
    door.watch()
    session_id = door.start()
    door.pass_under_watch_s(2 * MINUTE)
    door.watch()
    assert not door.row(session_id).unverified


def test_an_engine_that_may_not_ask_which_it_is_raises_all_the_same(door: Door) -> None:
    session_id = door.start(RiskLevel.HIGH)
    with door.clock._owner.begin() as connection:
        connection.execute(sa.text("alter table database_epochs rename column identity to elsewhere"))
    door.pass_under_watch_s(10 * MINUTE)
    with pytest.raises(sa.exc.ProgrammingError):
        look(door, Witness())
    assert watch_once(door.sessions).raised == 1
    assert door.row(session_id).state is ALARM


def test_the_auditor_tells_of_it_for_five_minutes_and_of_what_it_saw_itself(door: Door, urls: Urls) -> None:
    door.watch()
    seen = Seen()

    def found() -> set[str]:
        return {each.subject for each in audit(plain_url(urls.app), seen=seen) if each.number == 10}

    assert found() == set()
    seen.position += 10**12
    assert found() == {"log"}
    assert found() == set()
    restored_elsewhere(door)
    with door.clock._owner.begin() as connection:
        connection.execute(sa.text("update database_epochs set began_at = began_at - interval '2 hours'"
                                   " where identity <> :there"), {"there": ELSEWHERE})  # fmt: skip
    assert found() == {"not noticed"}
    door.watch()
    assert found() == {"replaced"}
    door.pass_under_watch_s(301)
    assert found() == set()
    with acting_for_all(door.sessions) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(SafetySession)) == 0
