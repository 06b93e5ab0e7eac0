"""How many requests a caller may make. A limit that cannot be counted lets everybody pass: it guards, it is no gate."""

import time

import structlog
from flask import Response, g
from limits import RateLimitItem, parse
from limits.errors import ConfigurationError, StorageError
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter

from api.errors import TooManyRequests
from fieldvisit.errors import SettingsRefused

log = structlog.get_logger("fieldvisit.api")


class Limiter:
    """Counts per caller in the storage of the settings: memory for one process, redis:// for several.

    Raises SettingsRefused for a limit or a storage that is none.
    """

    def __init__(self, usual: str, storage: str) -> None:
        try:
            self._usual = parse(usual)
            self._strategy = FixedWindowRateLimiter(storage_from_string(storage, wrap_exceptions=True))
        except (ValueError, ConfigurationError) as error:
            raise SettingsRefused(faults=f"RATE_LIMIT, RATE_LIMIT_STORAGE: {error}") from error

    def count(self, caller: str, *, limit: str | None = None) -> None:
        """Count one request of this caller, against `limit` or the usual one; raise TooManyRequests beyond it."""
        item = parse(limit) if limit else self._usual
        try:
            within = self._strategy.hit(item, caller)
            window = self._strategy.get_window_stats(item, caller)
        except StorageError as error:
            log.warning("rate_limit_not_counted", error=type(error.__cause__ or error).__name__)
            return
        resets_in_s = max(1, round(window.reset_time - time.time()))
        g.rate_limit = (item.amount, window.remaining, resets_in_s)
        if not within:
            raise TooManyRequests(limit=_said(item), retry_after_s=resets_in_s)


def tell_limit(response: Response) -> Response:
    """Say in the answer what is left."""
    if "rate_limit" in g:
        for name, value in zip(("Limit", "Remaining", "Reset"), g.rate_limit, strict=True):
            response.headers[f"RateLimit-{name}"] = str(value)
    return response


def _said(item: RateLimitItem) -> str:
    return f"{item.amount}/{item.multiples if item.multiples > 1 else ''}{item.GRANULARITY.name}"
