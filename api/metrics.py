"""Numbers for Prometheus: requests by route, and the connections in use; of all processes of one server together."""

import os
import tempfile
from pathlib import Path

import sqlalchemy as sa
from flask import Flask, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
    values,
)

from api.context import runtime

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The library's own name for where the numbers of several processes lie."""


def share_numbers() -> Path:
    """From here on this process and those it forks keep their numbers in files, each its own, that all of them read."""
    folder = Path(tempfile.mkdtemp(prefix="fieldvisit-metrics-"))
    os.environ[FOLDER] = str(folder)
    values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]
    return folder


def forget_process(folder: Path, number: int) -> None:
    """This process has ended: what it did counts on, what it held is no more."""
    multiprocess.mark_process_dead(number, path=str(folder))  # type: ignore[no-untyped-call]


class Metrics:
    """Counted per app, so that two apps in one process do not add up; with a folder, for all that keep theirs there."""

    def __init__(self, engine: sa.Engine, folder: Path | None = None) -> None:
        self._folder = folder
        self._registry = CollectorRegistry()
        names = ("method", "route", "status")
        self._requests = Counter("fieldvisit_requests", "Requests answered", names, registry=self._registry)
        self._seconds = Histogram(
            "fieldvisit_request_seconds", "Time to answer", names[:2], buckets=BUCKETS_S, registry=self._registry
        )
        in_use = Gauge(
            "fieldvisit_connections_in_use",
            "Database connections in use",
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        pool = engine.pool
        if isinstance(pool, sa.QueuePool):
            sa.event.listen(engine, "checkout", lambda *_: in_use.set(pool.checkedout()))
            # It is told before it is done.
            sa.event.listen(engine, "checkin", lambda *_: in_use.set(max(0, pool.checkedout() - 1)))

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        # Anyone may invent a method; each new label would be a series that stays.
        known = method if method in METHODS else "other"
        self._requests.labels(known, route, status).inc()
        self._seconds.labels(known, route).observe(seconds)

    def text(self) -> bytes:
        if self._folder is None:
            return generate_latest(self._registry)
        everybody = CollectorRegistry()
        multiprocess.MultiProcessCollector(everybody, path=str(self._folder))  # type: ignore[no-untyped-call]
        return generate_latest(everybody)


def register(app: Flask) -> None:
    @app.get("/metrics")
    def read_metrics() -> Response:
        return Response(runtime().metrics.text(), content_type=CONTENT_TYPE_LATEST)
