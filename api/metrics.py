"""Numbers for Prometheus: requests by route, and the connections in use."""

import sqlalchemy as sa
from flask import Flask, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from api.context import runtime

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """Counted per app, so that two apps in one process do not add up."""

    def __init__(self, engine: sa.Engine) -> None:
        self._registry = CollectorRegistry()
        names = ("method", "route", "status")
        self._requests = Counter("fieldvisit_requests", "Requests answered", names, registry=self._registry)
        self._seconds = Histogram(
            "fieldvisit_request_seconds", "Time to answer", names[:2], buckets=BUCKETS_S, registry=self._registry
        )
        pool = engine.pool
        in_use = Gauge("fieldvisit_connections_in_use", "Database connections in use", registry=self._registry)
        in_use.set_function(lambda: pool.checkedout() if isinstance(pool, sa.QueuePool) else 0)

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        # Anyone may invent a method; each new label would be a series that stays.
        known = method if method in METHODS else "other"
        self._requests.labels(known, route, status).inc()
        self._seconds.labels(known, route).observe(seconds)

    def text(self) -> bytes:
        return generate_latest(self._registry)


def register(app: Flask) -> None:
    @app.get("/metrics")
    def read_metrics() -> Response:
        return Response(runtime().metrics.text(), content_type=CONTENT_TYPE_LATEST)
