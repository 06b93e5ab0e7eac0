"""Statements that are sent as they are do what they do on the usual way, in success and in failure."""

import uuid

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import Organisation
from fieldvisit.obeyed import Obeyed, Rows
from fieldvisit.vocabulary import HeldState
from tests.worlds import World

WORDS = Obeyed(
    sa.select(
        sa.bindparam("id", type_=sa.Uuid),
        sa.bindparam("ids", type_=sa.ARRAY(sa.Uuid)),
        sa.bindparam("said", type_=sa.JSON),
        sa.literal(HeldState.WAITING),
    )
)
MINE = Obeyed(sa.select(Organisation.__table__.c.id).where(sa.text("id = cast(current_setting('app.org') as uuid)")))
ALL_OF_IT = Rows(Organisation)
WHOLE = Obeyed(sa.select(*ALL_OF_IT.columns).where(Organisation.__table__.c.id == sa.bindparam("id")))
BROKEN = Obeyed(sa.text("select 1 / cast(:by as int)"))
RENAMED = Obeyed(sa.text("update organisations set name = 'another' where id = cast(:id as uuid)"))
END = sa.text("select pg_terminate_backend(:number, 5000)")


def test_both_ways_send_and_answer_the_same(engine: sa.Engine, sessions: sessionmaker[Session]) -> None:
    given = {"id": (one := uuid.uuid4()), "ids": [one, uuid.uuid4()], "said": {"a": [1, None]}}
    with acting_for_all(sessions) as session:
        sent = [*WORDS.one(session, given)]
    sa.event.listen(engine, "before_cursor_execute", lambda *_: None)
    with acting_for_all(sessions) as session:
        usual = [*WORDS.one(session, given)]
    assert sent == usual == [one, given["ids"], given["said"], "waiting"]
    assert type(sent[3]) is type(usual[3])


def test_each_transaction_sees_its_own_organisation(sessions: sessionmaker[Session], world: World) -> None:
    for org_id in (world.agency, world.lender, world.agency):
        with acting_for(sessions, org_id) as session:
            assert MINE.one(session, {})[0] == org_id


def test_a_row_is_the_same_object_that_a_query_gives(sessions: sessionmaker[Session], world: World) -> None:
    given = {"id": world.agency}
    with acting_for(sessions, world.agency) as session:
        held = ALL_OF_IT.held(session, WHOLE.one(session, given))
        assert held is session.get(Organisation, world.agency)
        assert held not in session.dirty
        name = held.name
        session.execute(
            sa.update(Organisation).values(name="another"), execution_options={"synchronize_session": False}
        )
        assert ALL_OF_IT.held(session, WHOLE.one(session, given)) is held
        assert held.name == "another"
        held.name = name
        session.flush()
        assert WHOLE.one(session, given)[ALL_OF_IT.columns.index(Organisation.__table__.c.name)] == name


def test_what_the_database_has_against_it_is_told_as_ever(sessions: sessionmaker[Session]) -> None:
    with acting_for_all(sessions) as session:
        with pytest.raises(sa.exc.DataError) as told, session.begin_nested():
            BROKEN.run(session, {"by": 0})
        assert BROKEN.one(session, {"by": 1})[0] == 1
    assert not told.value.connection_invalidated


def test_a_connection_that_was_lost_is_given_up_and_the_next_one_works(sessions: sessionmaker[Session]) -> None:
    with acting_for_all(sessions) as other, sessions(info={"sees_all": True}) as session:
        number = session.scalar(sa.text("select pg_backend_pid()"))
        other.execute(END, {"number": number})
        with pytest.raises(sa.exc.OperationalError) as told:
            BROKEN.run(session, {"by": 1})
        session.rollback()
    assert told.value.connection_invalidated
    with acting_for_all(sessions) as session:
        assert BROKEN.one(session, {"by": 1})[0] == 1


def test_a_savepoint_is_set_before_the_first_of_them(sessions: sessionmaker[Session], world: World) -> None:
    with acting_for_all(sessions) as session:
        name = WHOLE.one(session, {"id": world.agency})
        with session.begin_nested() as savepoint:
            RENAMED.run(session, {"id": world.agency})
            savepoint.rollback()
        assert WHOLE.one(session, {"id": world.agency}) == name


def test_after_a_rollback_what_was_forgotten_by_it_is_prepared_anew(sessions: sessionmaker[Session]) -> None:
    with acting_for_all(sessions) as session:
        for _ in range(8):  # by then psycopg has prepared something by itself
            session.execute(sa.text("select 1"))
        BROKEN.run(session, {"by": 1})
        with pytest.raises(sa.exc.DataError), session.begin_nested():
            BROKEN.run(session, {"by": 0})
        assert BROKEN.one(session, {"by": 1})[0] == 1
