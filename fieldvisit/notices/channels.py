"""Who carries notices: gateways over HTTP, and by Apprise everything that it knows an address for, mail above all."""

import math
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from fieldvisit.notice_providers import NoticeProvider
from fieldvisit.outgoing.gateways import Channel as Way
from fieldvisit.outgoing.gateways import Channels, Handed, Letter, way_of
from fieldvisit.outgoing.reach import is_public

NOT_PUBLIC = "address not public"


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
        made = way_of(provider, timeout_s, whole_s=math.inf)
        if public_only:
            made = Public(made, urlsplit(provider.url).hostname or "")
        found.setdefault(provider.channel, []).append(made)
    return Channels(found)
