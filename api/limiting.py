"""How many requests a caller may make. A limit that cannot be counted lets everybody pass: it guards, it is no gate."""

import time
from threading import Lock

import structlog
from flask import Response, g
from limits import RateLimitItem, parse
from limits.errors import ConfigurationError, StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from api.errors import TooManyRequests
from fieldvisit.errors import SettingsRefused

IN_PROCESS = "memory://"
FORGET_EVERY_S = 60

log = structlog.get_logger("fieldvisit.api")


class InProcess(Storage):
    """Counts in the memory of this process. The library's own starts a thread at every request to forget what is over;
    here that is done in passing."""

    STORAGE_SCHEME = None

    def __init__(self) -> None:
        super().__init__()
        self._lock = Lock()
        self._counted: dict[str, tuple[int, float]] = {}
        self._forget_at = 0.0

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        now = time.time()
        with self._lock:
            self._forget(now)
            count, until = self._counted.get(key, (0, 0.0))
            count, until = (count + amount, until) if until > now else (amount, now + expiry)
            self._counted[key] = count, until
        return count

    def get(self, key: str) -> int:
        count, until = self._counted.get(key, (0, 0.0))
        return count if until > time.time() else 0

    def get_expiry(self, key: str) -> float:
        return max(self._counted.get(key, (0, 0.0))[1], time.time())

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        with self._lock:
            held = len(self._counted)
            self._counted.clear()
        return held

    def clear(self, key: str) -> None:
        with self._lock:
            self._counted.pop(key, None)

    def _forget(self, now: float) -> None:
        if now >= self._forget_at:
            self._counted = {key: kept for key, kept in self._counted.items() if kept[1] > now}
            self._forget_at = now + FORGET_EVERY_S


class Limiter:
    """Counts per caller in the storage of the settings: memory for one process, redis:// for several.

    Raises SettingsRefused for a limit or a storage that is none.
    """

    def __init__(self, usual: str, storage: str) -> None:
        try:
            self._usual = parse(usual)
            self._strategy = FixedWindowRateLimiter(
                InProcess() if storage == IN_PROCESS else storage_from_string(storage, wrap_exceptions=True)
            )
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
            terms = {"limit": _said(item), "count": item.amount, "within_s": item.get_expiry()}
            raise TooManyRequests(**terms, retry_after_s=resets_in_s)


def tell_limit(response: Response) -> Response:
    """Say in the answer what is left."""
    if "rate_limit" in g:
        for name, value in zip(("Limit", "Remaining", "Reset"), g.rate_limit, strict=True):
            response.headers[f"RateLimit-{name}"] = str(value)
    return response


def _said(item: RateLimitItem) -> str:
    return f"{item.amount}/{item.multiples if item.multiples > 1 else ''}{item.GRANULARITY.name}"
