"""The database as a request sees it: one session, which sees the actor's organisation and nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import REACHING, SAME_EVERYWHERE, scope_transactions, tested_when_in_doubt
from fieldvisit.models import Base
from fieldvisit.partitions import lacks_partition, make_partitions
from fieldvisit.sealing import Cipher, attach_cipher
from fieldvisit.settings import Settings

WAIT_FOR_CONNECTION_S = 5
STATEMENT_S = 30
LIMITS = f"-c statement_timeout={STATEMENT_S}s -c idle_in_transaction_session_timeout={2 * STATEMENT_S}s"

db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
scope_transactions(db.session)


def attach(app: Flask, url: str, settings: Settings) -> sa.Engine:
    """Give the app its engine. Nothing is connected yet: a database that is away is met by the first request."""
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        # A connection for every thread: a request that waits for one would hold a thread and help nobody.
        "pool_size": settings.threads,
        "max_overflow": 2,
        # The one that was used last: its process of the database has at hand what it needs.
        "pool_use_lifo": True,
        "pool_timeout": WAIT_FOR_CONNECTION_S,
        # The parameters of a failed statement are names and numbers of people; no log may repeat them.
        "hide_parameters": True,
        "connect_args": REACHING | {"options": f"{SAME_EVERYWHERE} {LIMITS}"},
    }
    db.init_app(app)
    with app.app_context():
        return attach_cipher(tested_when_in_doubt(db.engine), Cipher(settings.data_key))


def session() -> Session:
    """This request's session."""
    return db.session()


@contextmanager
def transaction() -> Iterator[Session]:
    """Commit at the end; leave nothing behind when anything is raised.

    Where only the month's partition was missing it is made, so that asking again succeeds.
    """
    current = session()
    try:
        yield current
        current.commit()
    except BaseException as error:
        current.rollback()
        if lacks_partition(error):
            make_partitions(sessionmaker(db.engine))
        raise
