"""How fast messages are sent, and sent again. Seconds of the database's clock, but for the timeout."""

from dataclasses import dataclass

RETRIES_S = (1.0, 2.0, 4.0, 8.0, 15.0)
USUAL_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Pace:
    """`lease_s` is longer than a provider may take: only then may somebody else take the message over."""

    timeout_s: float = 5.0
    lease_s: float = 10.0
    receipt_s: float = 30.0
    """So long a provider that sends receipts may stay silent before the message is sent again, by the next one."""

    @property
    def mail_s(self) -> float:
        """A mail server answers several times, and one whose answers add up to more than `timeout_s` still delivers:
        it may take nearly as long as the lease."""
        return self.lease_s - 1.0

    def retry_s(self, attempts: int, providers: int) -> float:
        """The wait after so many attempts that failed: none before the next provider, then longer and longer, and never
        longer than half a minute. There is no last attempt."""
        if attempts % max(providers, 1):
            return 0.0
        passes = attempts // max(providers, 1)
        return RETRIES_S[passes - 1] if passes <= len(RETRIES_S) else USUAL_S


PACE = Pace()
