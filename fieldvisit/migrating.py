"""The schema is brought to what this version needs, while others go on with their work."""

import psycopg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from psycopg import sql
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from fieldvisit.database import Urls, owner_engine, plain_url, was_held_up
from fieldvisit.errors import FieldVisitError, Kind

ONE_MIGRATES = "select pg_advisory_lock(hashtext('fieldvisit migrations'))"
"""Two that start together migrate one after the other, however long the first one takes."""
WHILE_MIGRATING = (
    # A migration that waits for a table makes everybody behind it wait too: better that it fails and is tried again.
    "set lock_timeout = '4s'",
    # The owner of the tables is under row-level security too: what a migration changes it changes for everybody.
    "set app.sees_all = 'on'",
)


class MigrationHeldUp(FieldVisitError):
    code, kind = "migration_held_up", Kind.UNAVAILABLE
    says = "A table that changes next is in use. What was done stays done. Run again: fieldvisit migrate"


def migrate(urls: Urls, revision: str = "head", *, back: bool = False) -> None:
    """Bring the schema to `revision` (``base`` takes everything away again); with `back` to one passed already.

    Runs as the owner, each migration in a transaction of its own: nobody who raises an alarm waits for the tables of
    more than one. Of a call that was broken off what is done stays done, and the next call does the rest. A second call
    beside it waits until the first has ended. Raises MigrationHeldUp where others do not let go of a table.
    """
    _ensure_app_role(urls)
    config = Config()
    config.set_main_option("script_location", "fieldvisit:migrations")
    with owner_engine(urls).connect() as connection:
        connection.execute(sa.text(ONE_MIGRATES))
        for setting in WHILE_MIGRATING:
            connection.execute(sa.text(setting))
        # From here on each migration begins and commits by itself; the lock is the connection's, and goes with it.
        connection.commit()
        config.attributes["connection"] = connection
        config.attributes["app_role"] = make_url(urls.app).username
        act = command.downgrade if back or revision == "base" else command.upgrade
        try:
            act(config, revision)
        except OperationalError as error:
            if was_held_up(error):
                raise MigrationHeldUp from error
            raise


def _ensure_app_role(urls: Urls) -> None:
    """Create the application's login role where an outside server does not have it yet and the owner may."""
    app = make_url(urls.app)
    if app.username == make_url(urls.owner).username:
        return
    with psycopg.connect(plain_url(urls.owner), autocommit=True) as connection:
        if connection.execute("select 1 from pg_roles where rolname = %s", (app.username,)).fetchone():
            return
        connection.execute(
            sql.SQL("create role {} login nosuperuser nobypassrls password {}").format(
                sql.Identifier(app.username or ""), sql.Literal(app.password or "")
            )
        )
