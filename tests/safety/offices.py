"""The alarm lines of one world, to real processes that stand in for the services outside."""

from collections import Counter

import sqlalchemy as sa

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import OutboxMessage
from fieldvisit.outgoing.gateways import Channels
from fieldvisit.safety.pace import Pace
from fieldvisit.safety.receipts import Receipt, ReceiptKind, take_receipt
from fieldvisit.safety.sending import Sender
from fieldvisit.vocabulary import AlarmChannel
from tests.safety.providers import Providers
from tests.safety.worlds import Door

QUICK = Pace(timeout_s=0.3)


class Office:
    """The alarm lines of one world; the provider's memory is asked about this world's messages only."""

    def __init__(self, door: Door, providers: Providers, *, receipts: bool = False) -> None:
        self.door, self.providers = door, providers
        self.channels = Channels.of(providers.all(receipts=receipts), QUICK.timeout_s)
        self.sender = Sender(door.sessions, self.channels, pace=QUICK)

    def send(self) -> int:
        return self.sender.send_due()

    def turn(self, seconds: float) -> int:
        self.door.pass_under_watch_s(seconds)
        self.door.watch()
        return self.send()

    def messages(self) -> list[OutboxMessage]:
        with acting_for(self.door.sessions, self.door.world.agency) as session:
            return list(session.scalars(sa.select(OutboxMessage).order_by(OutboxMessage.created_at, OutboxMessage.key)))

    def states(self) -> Counter[tuple[str, str]]:
        return Counter((each.channel.value, each.state.value) for each in self.messages())

    def heard(self) -> list[dict[str, str]]:
        mine = {str(each.id) for each in self.messages()}
        return [each for each in self.providers.heard() if each["key"] in mine]

    def receive(
        self, kind: ReceiptKind, message: OutboxMessage, key: str | None = None, *, told_by: str | None = None
    ) -> None:
        """A receipt of who took it last, unless `told_by` says whose."""
        providers = {channel: self.channels.count(channel) for channel in AlarmChannel}
        with acting_for_all(self.door.sessions) as session:
            by = told_by or session.get_one(OutboxMessage, message.id).provider or f"{message.channel.value}-a"
            take_receipt(session, Receipt(message_id=message.id, kind=kind, key=key), providers, told_by=by)
