"""What Apprise knows an address for: mail above all, and the push services.

Apprise tells neither ids nor receipts, and its time limits stand in the address alone, for each answer anew.
"""

import uuid
import warnings
from functools import cache
from typing import Any
from urllib.parse import quote, urlsplit

from fieldvisit.outgoing import hurried
from fieldvisit.outgoing.letters import MAIL, Handed, Letter, Service

NOT_ACCEPTED, NOT_UNDERSTOOD = "not accepted", "address not understood"


class Apprised:
    """A service behind an address of Apprise, in which `{to}` stands for the recipient's own.

    Mail bears the letter's id as `X-Notice-Id`, the same on every try: whoever gets it twice can tell. The whole takes
    no longer than `timeout_s`, or than `whole_s` where each of several answers may take its time.
    """

    receipts = False

    def __init__(self, provider: Service, timeout_s: float, *, whole_s: float | None = None) -> None:
        self.name = provider.name
        self._url = provider.url
        self._timeout_s, self._answer_s = timeout_s, 0.7 * timeout_s
        self._whole_s = timeout_s if whole_s is None else whole_s

    def hand_over(self, letter: Letter) -> Handed:
        apprise = load_apprise()
        service = apprise.Apprise.instantiate(self._address(letter.to, letter.id), suppress_exceptions=True)
        if service is None:
            return Handed(provider=self.name, error=NOT_UNDERSTOOD)
        try:
            # Apprise gives a mail server no longer for an answer than for connecting: too short to look at a letter.
            with hurried.within(self._whole_s, each_s=self._answer_s):
                accepted = service.notify(
                    title=letter.subject or "", body=letter.text, body_format=apprise.NotifyFormat.TEXT
                )
        except OSError as error:
            return Handed(provider=self.name, error=type(error).__name__)
        return Handed(provider=self.name, error=None if accepted else NOT_ACCEPTED)

    def close(self) -> None:
        """Nothing stays open between two letters."""

    def _address(self, to: str, letter_id: uuid.UUID) -> str:
        address = self._url.replace("{to}", quote(to, safe=""))
        # The parts add up to the whole: a lease counts on it.
        more = [f"rto={self._answer_s:g}", f"cto={0.3 * self._timeout_s:g}"]
        if urlsplit(self._url).scheme in MAIL:
            more.append(f"+X-Notice-Id={letter_id}")
        return f"{address}{'&' if '?' in address else '?'}{'&'.join(more)}"


@cache
def load_apprise() -> Any:
    """Apprise, once somebody needs it: its hundred services take a second to load, and one of them a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import apprise

        # Loads its services, which it would otherwise do at the first letter.
        apprise.Apprise.instantiate("json://localhost")
    hurried.hurry_files()
    return apprise
