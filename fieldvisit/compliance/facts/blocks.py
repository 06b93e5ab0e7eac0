"""Reasons not to contact the debtor."""

from dataclasses import dataclass
from datetime import datetime

from fieldvisit.compliance.facts.consents import ConsentForm
from fieldvisit.compliance.intervals import utc
from fieldvisit.errors import InvalidValue
from fieldvisit.vocabulary import BlockScope, BlockTrigger, Channel


@dataclass(frozen=True, kw_only=True)
class BlockFact:
    """A contact block. `until` None: open. `case_id` None: every case of the debtor. A lifted one ends when lifted.

    `form`: how it was stated. `renewals`: how often it was renewed; `lifted`: that it ended because somebody ended it.
    """

    id: str
    trigger: BlockTrigger
    scope: BlockScope
    since: datetime
    until: datetime | None = None
    channel: Channel | None = None
    place_id: str | None = None
    case_id: str | None = None
    form: ConsentForm = ConsentForm.WRITTEN
    renewals: int = 0
    lifted: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "since", utc(self.since, "since"))
        if self.until is not None:
            object.__setattr__(self, "until", utc(self.until, "until"))
        if (self.scope is BlockScope.CHANNEL) != (self.channel is not None):
            raise InvalidValue(path="channel", reason="is named when, and only when, the scope is one channel")
        if (self.scope is BlockScope.PLACE) != (self.place_id is not None):
            raise InvalidValue(path="place_id", reason="is named when, and only when, the scope is one place")
