"""Handing a message to a provider. Accepted is not delivered: that is told by a receipt, if at all.

The protocol is small, so that a gateway to any service is a page of code: a POST of JSON with `id`, `channel`, `to`,
`text` and `language`, and the header `Idempotency-Key`; any 2xx accepts, with an `id` of the provider's own in the
answer if it has one. Everything else is a failure, and the other provider is asked.
"""

import functools
import json
import ssl
import time
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlsplit

import httpx
import structlog

from fieldvisit.outgoing import hurried
from fieldvisit.outgoing.apprised import Apprised, load_apprise
from fieldvisit.outgoing.letters import GATEWAYS, MAIL, Handed, Letter, Service

__all__ = ["Channel", "Channels", "Gateway", "Handed", "Letter", "Service", "get_ready"]
SHUNNED_S = 30.0
"""A provider that failed is asked second for so long. A preference of this process: nothing depends on it."""
LONGEST_ID, LONGEST_ANSWER = 200, 65_536

log = structlog.get_logger("fieldvisit.outgoing")


@functools.cache
def _trusted() -> ssl.SSLContext:
    """Read once for all providers: each reading takes as long as an alarm."""
    return httpx.create_ssl_context()


class Channel(Protocol):
    """One way to one kind of address."""

    name: str
    receipts: bool

    def hand_over(self, letter: Letter) -> Handed: ...

    def close(self) -> None: ...


class Gateway:
    """A provider behind the HTTP protocol above."""

    def __init__(self, provider: Service, timeout_s: float) -> None:
        self.name = provider.name
        self.receipts = provider.secret is not None
        self._provider = provider
        self._timeout_s = timeout_s
        # One connection pool for a provider; httpx's client may be used by several threads.
        # The parts add up to the whole: a lease counts on it.
        parts = httpx.Timeout(0.6 * timeout_s, connect=0.3 * timeout_s, write=0.1 * timeout_s, pool=1.0)
        self._client = hurried.client(parts, _trusted())

    def hand_over(self, letter: Letter) -> Handed:
        headers = {"Idempotency-Key": str(letter.id)}
        if self._provider.token:
            headers["Authorization"] = f"Bearer {self._provider.token}"
        body = {
            "id": str(letter.id),
            "channel": letter.channel.value,
            "to": letter.to,
            "text": letter.text,
            "language": letter.language,
        }
        if letter.subject is not None:
            body["subject"] = letter.subject
        try:
            with (
                hurried.within(self._timeout_s) as until,
                self._client.stream("POST", self._provider.url, json=body, headers=headers) as answer,
            ):
                if not answer.is_success:
                    return Handed(provider=self.name, error=f"HTTP {answer.status_code}")
                return Handed(provider=self.name, provider_id=_own_id(answer, until), receipts=self.receipts)
        except httpx.HTTPError as error:
            return Handed(provider=self.name, error=type(error).__name__)

    def close(self) -> None:
        self._client.close()


def way_of(provider: Service, timeout_s: float, *, whole_s: float | None = None) -> Channel:
    """A gateway, or what Apprise knows an address for; that may take `whole_s`, where given, for all its answers."""
    if urlsplit(provider.url).scheme in GATEWAYS:
        return Gateway(provider, timeout_s)
    return Apprised(provider, timeout_s, whole_s=whole_s)


def get_ready(providers: Iterable[Service]) -> None:
    """Load now what takes seconds to load, so that the first letter does not wait for it."""
    if any(urlsplit(each.url).scheme not in GATEWAYS for each in providers):
        load_apprise()


class Channels:
    """The providers of each channel in their order, the healthy ones first."""

    def __init__(self, by_channel: Mapping[StrEnum, Iterable[Channel]]) -> None:
        self._by_channel = {channel: tuple(providers) for channel, providers in by_channel.items()}
        self._failed_at: dict[str, float] = {}

    @classmethod
    def of(cls, providers: Iterable[Service], timeout_s: float, *, mail_s: float | None = None) -> "Channels":
        """None takes longer than `timeout_s`; a mail server, which answers again and again, no longer than `mail_s`."""
        found: dict[StrEnum, list[Channel]] = {}
        for provider in providers:
            whole_s = mail_s if urlsplit(provider.url).scheme in MAIL else None
            found.setdefault(provider.channel, []).append(way_of(provider, timeout_s, whole_s=whole_s))
        return cls(found)

    def count(self, channel: StrEnum) -> int:
        return len(self._by_channel.get(channel, ()))

    def hand_over(self, letter: Letter, *, last: str | None) -> Handed:
        """Try one provider: the first that is healthy, but not the one that was tried `last` if there is another."""
        providers = sorted(self._by_channel.get(letter.channel, ()), key=self._shunned)
        if not providers:
            return Handed(provider="none", error="no provider")
        chosen = next((each for each in providers if each.name != last), providers[0])
        try:
            handed = chosen.hand_over(letter)
        except Exception as error:
            # Whatever a provider, or a plug-in for it, does: it has failed, and the next one is asked. The error's own
            # words may hold an address.
            log.error("provider_failed", provider=chosen.name, error=type(error).__name__)
            handed = Handed(provider=chosen.name, error=type(error).__name__)
        if handed.error:
            self._failed_at[chosen.name] = time.monotonic()
        else:
            self._failed_at.pop(chosen.name, None)
        return handed

    def close(self) -> None:
        for providers in self._by_channel.values():
            for each in providers:
                each.close()

    def _shunned(self, channel: Channel) -> bool:
        return time.monotonic() - self._failed_at.get(channel.name, -SHUNNED_S) < SHUNNED_S


def _own_id(answer: httpx.Response, until: float) -> str | None:
    """What the provider calls the message. It has accepted it already: whatever is wrong with the rest of its answer,
    nobody is told a second time for that."""
    read = bytearray()
    try:
        for part in answer.iter_bytes():
            read += part
            if len(read) > LONGEST_ANSWER or time.monotonic() > until:
                return None
        given = json.loads(read)
    except (httpx.HTTPError, ValueError, RecursionError):
        return None
    found = given.get("id") if isinstance(given, dict) else None
    # A database takes no NUL and no half of a pair, and what cannot be stored would be sent for ever.
    return "".join(filter(str.isprintable, str(found)))[:LONGEST_ID] or None if found is not None else None
