"""Who carries notices: gateways over HTTP, and by Apprise everything that it knows an address for, mail above all.

Apprise tells neither ids nor receipts, and its time limits stand in the address alone.
"""

import uuid
import warnings
from collections.abc import Iterable
from functools import cache
from typing import Any
from urllib.parse import quote, urlsplit

from fieldvisit.notice_providers import GATEWAYS, MAIL, NoticeProvider
from fieldvisit.outgoing.gateways import Channel as Way
from fieldvisit.outgoing.gateways import Channels, Gateway, Handed, Letter
from fieldvisit.outgoing.reach import is_public

NOT_ACCEPTED, NOT_UNDERSTOOD, NOT_PUBLIC = "not accepted", "address not understood", "address not public"


class Apprised:
    """A service behind an address of Apprise, in which `{to}` stands for the debtor's own.

    Mail bears the notice's id as `X-Notice-Id`, the same on every try: whoever gets it twice can tell.
    """

    receipts = False

    def __init__(self, provider: NoticeProvider, timeout_s: float) -> None:
        self.name = provider.name
        self._url = provider.url
        self._timeout_s = timeout_s

    def hand_over(self, letter: Letter) -> Handed:
        apprise = load_apprise()
        service = apprise.Apprise.instantiate(self._address(letter.to, letter.id), suppress_exceptions=True)
        if service is None:
            return Handed(provider=self.name, error=NOT_UNDERSTOOD)
        try:
            accepted = service.notify(
                title=letter.subject or "", body=letter.text, body_format=apprise.NotifyFormat.TEXT
            )
        except OSError as error:
            return Handed(provider=self.name, error=type(error).__name__)
        return Handed(provider=self.name, error=None if accepted else NOT_ACCEPTED)

    def close(self) -> None:
        """Nothing stays open between two letters."""

    def _address(self, to: str, notice_id: uuid.UUID) -> str:
        address = self._url.replace("{to}", quote(to, safe=""))
        more = [f"rto={self._timeout_s}", f"cto={self._timeout_s}"]
        if urlsplit(self._url).scheme in MAIL:
            more.append(f"+X-Notice-Id={notice_id}")
        return f"{address}{'&' if '?' in address else '?'}{'&'.join(more)}"


class Public:
    """A service that a customer named: asked only where it lies in the public network, and not in ours."""

    def __init__(self, way: Way, host: str) -> None:
        self.name, self.receipts = way.name, way.receipts
        self._way, self._host = way, host

    def hand_over(self, letter: Letter) -> Handed:
        # Each time: a name may lead elsewhere than it did when it was saved.
        if not is_public(self._host):
            return Handed(provider=self.name, error=NOT_PUBLIC)
        return self._way.hand_over(letter)

    def close(self) -> None:
        self._way.close()


def notice_channels(providers: Iterable[NoticeProvider], timeout_s: float, *, public_only: bool = False) -> Channels:
    """The providers of each channel in their order."""
    found: dict[Any, list[Way]] = {}
    for provider in providers:
        parts = urlsplit(provider.url)
        made: Way = Gateway(provider, timeout_s) if parts.scheme in GATEWAYS else Apprised(provider, timeout_s)
        if public_only:
            made = Public(made, parts.hostname or "")
        found.setdefault(provider.channel, []).append(made)
    return Channels(found)


@cache
def load_apprise() -> Any:
    """Apprise, once somebody needs it: its hundred services take a second to load, and one of them a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import apprise

        # Loads its services, which it would otherwise do at the first letter.
        apprise.Apprise.instantiate("json://localhost")
    return apprise
