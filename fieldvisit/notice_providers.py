"""The services that carry notices, as the settings name them: for each channel the first, the second, and so on."""

from dataclasses import dataclass

from fieldvisit.alarm_providers import check_address, check_name, read_services
from fieldvisit.vocabulary import Channel

CARRIED = (Channel.EMAIL, Channel.SMS)
"""What goes out by itself; a letter is handed over by a person."""


@dataclass(frozen=True, kw_only=True)
class NoticeProvider:
    """One service. `url`: a gateway over HTTP, or an address of Apprise with `{to}` where the debtor's belongs. `token`
    is sent as a bearer token; `secret` signs its receipts (none: it sends no receipts)."""

    name: str
    channel: Channel
    url: str
    token: str | None = None
    secret: str | None = None

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.channel not in CARRIED:
            raise ValueError(f"The channels are {', '.join(CARRIED)}.")
        check_address(self.name, self.url)


def read_notice_providers(given: str) -> tuple[NoticeProvider, ...]:
    """The providers in a JSON list, in their order. Raises ValueError, without repeating what may be a key."""
    return read_services(given, NoticeProvider, Channel)
