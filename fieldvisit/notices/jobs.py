"""The worker's part in notices: a turn every few seconds, in a queue of its own."""

import asyncio
from typing import Protocol

import procrastinate
import structlog
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.clock import Clock
from fieldvisit.notices.carriers import Carriers
from fieldvisit.notices.outbox import Pace
from fieldvisit.notices.sending import Sender
from fieldvisit.settings import Settings

NOTICES = "notices"
EVERY_S = 5

log = structlog.get_logger(__name__)


class Tools(Protocol):
    """What the worker works with."""

    @property
    def settings(self) -> Settings: ...

    @property
    def sessions(self) -> sessionmaker[Session]: ...

    @property
    def clock(self) -> Clock: ...


def sender_of(tools: Tools) -> Sender:
    """The sender for these settings; what it remembers of its providers' health lasts as long as it does."""
    pace = Pace(tries=tools.settings.notice_tries)
    settings = tools.settings
    carriers = Carriers(settings.notice_providers, pace.timeout_s, public_only=settings.is_production)
    return Sender(tools.sessions, carriers, tools.clock, pace=pace)


def add_notices(app: procrastinate.App, tools: Tools) -> None:
    """Give the worker its turns. One that finds another's still running leaves it to that."""
    sender = sender_of(tools)

    @app.periodic(cron=f"* * * * * */{EVERY_S}")
    @app.task(name="send_notices", queue=NOTICES, queueing_lock="send_notices", lock="send_notices")
    async def send_notices(timestamp: int) -> None:
        sent = await asyncio.to_thread(sender.turn)
        if sent:
            log.info("notices_tried", count=sent)
