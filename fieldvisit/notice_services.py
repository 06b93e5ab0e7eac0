"""The services by which an organisation tells things itself, in place of those of the installation.

What is secret goes in and never comes out: nobody reads an address, a token or a key again.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.drafts import Change, acting_organisation, assign, check_text
from fieldvisit.errors import InvalidValue
from fieldvisit.finding import get_by_id
from fieldvisit.models import NoticeService
from fieldvisit.notice_providers import CARRIED, NoticeProvider
from fieldvisit.outgoing.letters import GATEWAYS, MAIL
from fieldvisit.vocabulary import Channel

OPTIONS = frozenset({"mode", "from", "name", "to", "reply", "user", "pass", "format"})
"""What an address of mail may say besides. Others of Apprise's read files, or send to somewhere else."""
LONGEST_URL, LONGEST_SECRET, LAST_PLACE = 2_000, 500, 100
MOST = 20
"""Services of one organisation."""


@dataclass(frozen=True, kw_only=True)
class NoticeServiceDraft:
    """`name` names it: the same again replaces it whole, a token or a key that is left out goes. `url`: a gateway over
    HTTP, or `mailto(s)://` with `{to}` where the reader's address belongs."""

    name: str
    channel: Channel
    url: str
    place: int = 1
    token: str | None = None
    secret: str | None = None

    def __post_init__(self) -> None:
        for path, value, longest in (
            ("url", self.url, LONGEST_URL),
            ("token", self.token, LONGEST_SECRET),
            ("secret", self.secret, LONGEST_SECRET),
        ):
            if value is not None:
                check_text(path, value, longest=longest)
        if not 1 <= self.place <= LAST_PLACE:
            raise InvalidValue(path="place", reason="must lie between 1 and 100")
        if self.channel not in CARRIED:
            raise InvalidValue(path="channel", reason="must be email or sms")
        try:
            provider = self.provider
            parts = urlsplit(self.url)
            host, _ = parts.hostname, parts.port
        except ValueError as error:
            # Its own words may repeat what is a key.
            raise InvalidValue(path="url", reason="is no address of a gateway or a mail server") from error
        if parts.scheme not in (*GATEWAYS, *MAIL) or not host or "{" in host:
            raise InvalidValue(path="url", reason="is no address of a gateway or a mail server")
        options = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
        if parts.scheme in MAIL and not options <= OPTIONS:
            raise InvalidValue(path="url", reason="asks for what is not allowed of a mail server")
        if parts.scheme in MAIL and provider.secret is not None:
            raise InvalidValue(path="secret", reason="is for gateways: mail brings no receipts")

    @property
    def provider(self) -> NoticeProvider:
        return NoticeProvider(name=self.name, channel=self.channel, url=self.url, token=self.token, secret=self.secret)


def put_service(
    session: Session, draft: NoticeServiceDraft, *, made_by_id: uuid.UUID | None
) -> tuple[NoticeService, Change]:
    """Add a service, or replace the one with this name. Raises InvalidValue where there are too many."""
    organisation = acting_organisation(session)
    rows = services_of(session, organisation.id)
    row = next((each for each in rows if each.name == draft.name), None)
    change = Change.UNCHANGED
    if row is None:
        if len(rows) >= MOST:
            raise InvalidValue(path="name", reason="is one too many: remove a service first")
        row = NoticeService(org_id=organisation.id, name=draft.name)
        session.add(row)
        change = Change.ADDED
    values = {name: getattr(draft, name) for name in ("channel", "url", "place", "token", "secret")}
    if assign(row, **values) and change is Change.UNCHANGED:
        change = Change.CHANGED
    row.made_by_id = made_by_id if change is not Change.UNCHANGED else row.made_by_id
    session.flush()
    return row, change


def drop_service(session: Session, service_id: uuid.UUID) -> None:
    """Use it no more. What it carried stays on file with its name. Raises NotFound."""
    session.delete(get_by_id(session, NoticeService, service_id))
    session.flush()


def services_of(session: Session, org_id: uuid.UUID) -> Sequence[NoticeService]:
    return session.scalars(
        sa.select(NoticeService)
        .where(NoticeService.org_id == org_id)
        .order_by(NoticeService.channel, NoticeService.place, NoticeService.name)
    ).all()


def service_named(org_id: uuid.UUID, name: str) -> sa.Select[uuid.UUID]:
    """The id of the organisation's service with this name."""
    return sa.select(NoticeService.id).where(NoticeService.org_id == org_id, NoticeService.name == name)


def provider_of(row: NoticeService) -> NoticeProvider:
    return NoticeProvider(name=row.name, channel=row.channel, url=row.url, token=row.token, secret=row.secret)


def reached_at(row: NoticeService) -> str:
    """Where it is, without what may be secret: the scheme and the host."""
    parts = urlsplit(row.url)
    return f"{parts.scheme}://{parts.hostname}"
