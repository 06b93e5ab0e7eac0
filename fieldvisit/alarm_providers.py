"""The services that carry alarms, as the settings name them: for each channel the first, the second, and so on."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Protocol
from urllib.parse import urlsplit

from fieldvisit.outgoing.letters import GATEWAYS
from fieldvisit.vocabulary import AlarmChannel

APPRISED = (AlarmChannel.PUSH, AlarmChannel.MAIL)


class Named(Protocol):
    @property
    def name(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class AlarmProvider:
    """One service. `url`: a gateway over HTTP, or for push and mail an address of Apprise with `{to}` where the
    recipient's belongs. `token` is sent as a bearer token; `secret` signs its receipts (none: it sends no receipts)."""

    name: str
    channel: AlarmChannel
    url: str
    token: str | None = None
    secret: str | None = None

    def __post_init__(self) -> None:
        check_name(self.name)
        check_address(self.name, self.url)
        if urlsplit(self.url).scheme in GATEWAYS:
            return
        # A call and a text message have to tell what became of them: only a gateway can.
        if self.channel not in APPRISED:
            raise ValueError(f"{self.name}: its url is not an http address.")
        if self.secret is not None:
            raise ValueError(f"{self.name}: such a service sends no receipts, so that a secret is of no use.")


def check_name(name: str) -> None:
    if not name or not name.replace("-", "").replace("_", "").isalnum():
        raise ValueError(f"{name!r} is no name: letters, digits, - and _.")


def check_address(name: str, url: str) -> None:
    """A gateway over HTTP, or an address of Apprise that says where the recipient's belongs."""
    scheme = urlsplit(url).scheme
    if not scheme or (scheme in GATEWAYS and not urlsplit(url).hostname):
        raise ValueError(f"{name}: its url is no address.")
    if scheme not in GATEWAYS and "{to}" not in url:
        raise ValueError(f"{name}: its url does not say where the recipient belongs ({{to}}).")


def read_providers(given: str) -> tuple[AlarmProvider, ...]:
    """The providers in a JSON list, in their order. Raises ValueError, without repeating what may be a key."""
    return read_services(given, AlarmProvider, AlarmChannel)


def read_services[Made: Named](given: str, make: Callable[..., Made], channels: type[StrEnum]) -> tuple[Made, ...]:
    """The same for providers of any kind, whose channels are of that list."""
    try:
        listed = json.loads(given or "[]")
    except ValueError as error:
        raise ValueError("Not JSON.") from error
    if not isinstance(listed, list):
        raise ValueError("Not a JSON list.")
    services = tuple(_service(each, make, channels) for each in listed)
    if len({each.name for each in services}) != len(services):
        raise ValueError("Two providers have one name.")
    return services


def _service[Made: Named](given: object, make: Callable[..., Made], channels: type[StrEnum]) -> Made:
    known = {field.name for field in fields(AlarmProvider)}
    if not isinstance(given, Mapping) or not {"name", "channel", "url"} <= set(given) <= known:
        raise ValueError(f"A provider is an object of {', '.join(sorted(known))}.")
    values: dict[str, Any] = dict(given)
    if not all(isinstance(value, str) for value in values.values() if value is not None):
        raise ValueError("The values of a provider are texts.")
    if values["channel"] not in set(channels):
        raise ValueError(f"The channels are {', '.join(channels)}.")
    return make(**values | {"channel": channels(values["channel"])})
