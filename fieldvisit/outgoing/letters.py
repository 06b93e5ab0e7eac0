"""What is handed over, what came of it, and a provider as the settings name it."""

import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from fieldvisit.outgoing.signatures import Signer

GATEWAYS = ("http", "https")
MAIL = ("mailto", "mailtos")
"""The schemes of addresses: everything else but these two and mail is a service that Apprise knows."""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A message ready to go. `id` is the same on every attempt, so that a provider may leave out what it has had."""

    id: uuid.UUID
    channel: StrEnum
    to: str
    text: str
    language: str
    subject: str | None = None


@dataclass(frozen=True, kw_only=True)
class Handed:
    """What came of handing over: accepted, or a short `error` without anything personal."""

    provider: str
    provider_id: str | None = None
    error: str | None = None
    receipts: bool = False
    """Whether this provider will tell what became of it."""


class Service(Signer, Protocol):
    """A provider as the settings name it: what it carries, where it is, and the bearer token it is shown."""

    @property
    def channel(self) -> StrEnum: ...

    @property
    def url(self) -> str: ...

    @property
    def token(self) -> str | None: ...
