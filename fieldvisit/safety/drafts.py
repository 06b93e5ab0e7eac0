"""What a visitor's phone and a safety officer say, checked when made."""

import datetime as dt
import uuid
from dataclasses import dataclass

from fieldvisit.drafts import check_text
from fieldvisit.errors import InvalidValue
from fieldvisit.languages import Message
from fieldvisit.vocabulary import AlertOutcome, ResolutionProof, RiskLevel

LONGEST_NOTE = 2_000
OLDEST_S = 7 * 86_400
"""A phone that was off the network for longer than a week tells nothing about now."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """Something a phone tells. `age_s`: how many seconds ago the visitor did it, by the phone's own running counter,
    which no wrong wall clock can falsify; `device_at` is evidence only. `event_id` is the phone's: told twice, done
    once. `lat` and `lon` are WGS-84, unless `datum_unfit`: as the phone gave them then, in a datum that is used nowhere
    near. `accuracy_m` is the phone's own estimate; `mock` says that another app made the position up."""

    visitor_id: uuid.UUID
    actor_id: uuid.UUID | None
    event_id: uuid.UUID
    age_s: int = 0
    device_at: dt.datetime | None = None
    lat: float | None = None
    lon: float | None = None
    accuracy_m: int | None = None
    mock: bool = False
    datum_unfit: bool = False
    pin: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.age_s <= OLDEST_S:
            raise InvalidValue(path="age_s", reason=Message("0 seconds to 7 days"))
        if (self.lat is None) != (self.lon is None):
            raise InvalidValue(path="lat", reason=Message("latitude and longitude come together"))
        if self.lat is not None and self.lon is not None and not (abs(self.lat) <= 90 and abs(self.lon) <= 180):
            raise InvalidValue(path="lat", reason=Message("not a place on earth"))

    @property
    def said_of_position(self) -> dict[str, object]:
        """How good the position is, as an event keeps it: never where it is, for no trail is kept."""
        if self.lat is None:
            return {}
        said: dict[str, object] = {} if self.accuracy_m is None else {"accuracy_m": self.accuracy_m}
        return said | {name: True for name in ("mock", "datum_unfit") if getattr(self, name)}


@dataclass(frozen=True, kw_only=True)
class SessionDraft(Told):
    """A session to be started, under the phone's own id, which is its `event_id` as well."""

    planned_s: int
    level: RiskLevel = RiskLevel.NORMAL
    visit_id: uuid.UUID | None = None
    buddy_id: uuid.UUID | None = None
    """Another visitor of the house who may call for help for this one."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.buddy_id == self.visitor_id:
            raise InvalidValue(path="buddy_id", reason=Message("nobody is their own buddy"))
        if self.planned_s < 1:
            raise InvalidValue(path="planned_s", reason=Message("the planned length is at least one second"))


@dataclass(frozen=True, kw_only=True)
class Extension(Told):
    by_s: int
    reason: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.by_s < 1:
            raise InvalidValue(path="by_s", reason=Message("the planned end is only ever moved later"))
        check_text("reason", self.reason)


@dataclass(frozen=True, kw_only=True)
class Sos(Told):
    """A call for help. `session_id` and `visit_id` are hints: a wrong one costs nothing. `token_expired`: the phone had
    not renewed its login, which is told to the officer and changes nothing."""

    session_id: uuid.UUID | None = None
    visit_id: uuid.UUID | None = None
    token_expired: bool = False
    account_closed: bool = False
    device_revoked: bool = False
    """The token was good once, its account is closed or its phone revoked now: taken all the same, and told."""
    man_down: bool = False
    """Not a person but the phone called: nothing moves any more."""
    covert: bool = False
    on_behalf: bool = False
    """Somebody else calls for the visitor, whose phone has said nothing: nobody takes it back by a PIN."""
    note: str | None = None
    """What that one has heard or seen."""
    made_up: bool = False
    """It came without an id of its own; the one it has was made of its words, which another call may have too."""


@dataclass(frozen=True, kw_only=True)
class Officer:
    """Who handles an alert; `visitor_id` if this person also goes out."""

    account_id: uuid.UUID
    visitor_id: uuid.UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """How an alert ended and how that is known. `resume`: the visit goes on, with fresh deadlines. `read_to`: the
    sequence of the last event of the session that the officer has read, where that is told."""

    outcome: AlertOutcome
    proof: ResolutionProof
    resume: bool
    note: str | None = None
    read_to: int | None = None

    def __post_init__(self) -> None:
        if self.note is not None:
            check_note(self.note)
        if self.proof is ResolutionProof.EMERGENCY_SERVICE and self.note is None:
            raise InvalidValue(path="note", reason=Message("the emergency service's reference is needed"))


def check_note(text: str) -> None:
    check_text("note", text.translate({9: " ", 10: " ", 13: " "}), longest=LONGEST_NOTE)
