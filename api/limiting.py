"""How many requests a caller may make. A limit that cannot be counted lets everybody pass: it guards, it is no gate."""

import time
from collections.abc import Callable
from typing import Any

import structlog
from flask import Response, g
from limits import RateLimitItem, parse
from limits.errors import ConfigurationError, StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from api.errors import TooManyRequests
from api.shared import Counts
from fieldvisit.errors import SettingsRefused

IN_MEMORY = "memory://"

ANSWERS_WITHIN_S = 0.2
"""So long a request waits for Redis, which counts in a thousandth of that. Words in its address win."""
LEFT_ALONE_S = 5.0
"""So long nobody asks a Redis that did not answer: not every request waits for what the one before waited for."""

log = structlog.get_logger("fieldvisit.api")


class Limiter:
    """Counts per caller in the storage of the settings: the memory that the processes of one server share, or redis://
    for several servers.

    Raises SettingsRefused for a limit or a storage that is none.
    """

    def __init__(
        self,
        usual: str,
        storage: str,
        counts: Counts | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._parsed: dict[str, RateLimitItem] = {}
        self._clock, self._left_alone_until = clock, clock()
        try:
            self._usual = self._item(usual)
            self._counts = (counts or Counts()) if storage == IN_MEMORY else None
            self._strategy = None
            if self._counts is None:
                self._strategy = FixedWindowRateLimiter(_shared(storage))
        except (ValueError, ConfigurationError) as error:
            raise SettingsRefused(faults=f"RATE_LIMIT, RATE_LIMIT_STORAGE: {error}") from error

    def count(self, caller: str, *, limit: str | None = None) -> None:
        """Count one request of this caller, against `limit` or the usual one; raise TooManyRequests beyond it."""
        item = self._item(limit) if limit else self._usual
        if self._clock() < self._left_alone_until:
            return
        try:
            count, over_at = self._counted(item, caller)
        except StorageError as error:
            self._left_alone_until = self._clock() + LEFT_ALONE_S
            log.warning("rate_limit_not_counted", error=type(error.__cause__ or error).__name__)
            return
        resets_in_s = max(1, round(over_at - time.time()))
        g.rate_limit = (item.amount, max(0, item.amount - count), resets_in_s)
        if count > item.amount:
            terms = {"limit": _said(item), "count": item.amount, "within_s": item.get_expiry()}
            raise TooManyRequests(**terms, retry_after_s=resets_in_s)

    def _counted(self, item: RateLimitItem, caller: str) -> tuple[int, float]:
        """How often by now, and when the while is over."""
        if self._counts is not None:
            return self._counts.add(item.key_for(caller), for_s=item.get_expiry())
        assert self._strategy is not None
        within = self._strategy.hit(item, caller)
        window = self._strategy.get_window_stats(item, caller)
        return item.amount - window.remaining if within else item.amount + 1, window.reset_time

    def _item(self, limit: str) -> RateLimitItem:
        """Of a few that stand in the code and the settings."""
        if limit not in self._parsed:
            self._parsed[limit] = parse(limit)
        return self._parsed[limit]


def tell_limit(response: Response) -> Response:
    """Say in the answer what is left."""
    if "rate_limit" in g:
        for name, value in zip(("Limit", "Remaining", "Reset"), g.rate_limit, strict=True):
            response.headers.add(f"RateLimit-{name}", value)
    return response


def _said(item: RateLimitItem) -> str:
    return f"{item.amount}/{item.multiples if item.multiples > 1 else ''}{item.GRANULARITY.name}"


def _shared(storage: str) -> Storage:
    """Where several servers count together; asked once and briefly."""
    # Who counts in memory need not load it: it is large.
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    options: dict[str, Any] = {
        "socket_connect_timeout": ANSWERS_WITHIN_S,
        "socket_timeout": ANSWERS_WITHIN_S,
        # By itself its client would ask three times more, and rest for seconds in between.
        "retry": Retry(NoBackoff(), 0),
    }
    found = storage_from_string(storage, wrap_exceptions=True, **options)
    if not isinstance(found, Storage):
        raise ConfigurationError("a storage that is waited for is needed")
    return found
