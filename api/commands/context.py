"""What every command may need, made when it is first asked for: a command that needs no database opens none."""

import uuid
from functools import cached_property

import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from api.commands.spoken import reader_language
from fieldvisit.accounts import Passwords
from fieldvisit.clock import Clock
from fieldvisit.database import Urls, acting_for_all, app_engine, database_urls, refuse_unsafe, session_factory
from fieldvisit.languages import Message, say
from fieldvisit.organisations import get_only_organisation, get_organisation_by_code
from fieldvisit.settings import Settings, read_settings


class Context:
    """Take it with `@click.pass_obj`. Reading a property raises what the settings or the database have against it."""

    @cached_property
    def settings(self) -> Settings:
        return read_settings()

    @cached_property
    def urls(self) -> Urls:
        """The two logins; starts the embedded server where the settings name none."""
        return database_urls(self.settings)

    @cached_property
    def engine(self) -> sa.Engine:
        """The application role's engine, on a database that may be used: right role, right schema."""
        refuse_unsafe(self._unchecked_engine, self.settings)
        return self._unchecked_engine

    @cached_property
    def _unchecked_engine(self) -> sa.Engine:
        return app_engine(self.urls.app, self.settings, pool_size=4)

    def close(self) -> None:
        """Give back the connections, if any were opened."""
        if "_unchecked_engine" in vars(self):
            self._unchecked_engine.dispose()

    @cached_property
    def sessions(self) -> sessionmaker[Session]:
        return session_factory(self.engine)

    @cached_property
    def clock(self) -> Clock:
        return Clock(self.engine)

    @cached_property
    def passwords(self) -> Passwords:
        return Passwords(environment=self.settings.environment)

    @cached_property
    def language(self) -> str:
        return reader_language()

    def say(self, text: str, **values: object) -> str:
        """The sentence in the reader's language."""
        return say(Message(text, values), self.language)

    def organisation(self, code: str | None) -> uuid.UUID:
        """The id of the organisation with this code; without one, of the only one there is.

        Raises NotFound, and OrganisationNotNamed where there are several.
        """
        with acting_for_all(self.sessions) as session:
            found = get_organisation_by_code(session, code) if code else get_only_organisation(session)
            return found.id
