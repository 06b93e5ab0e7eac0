"""The rules of the house for what is told: by which ways to debtors, and where its own office is told things."""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from fieldvisit.drafts import check_text
from fieldvisit.errors import InvalidValue
from fieldvisit.languages import LANGUAGES
from fieldvisit.models import NoticeRules
from fieldvisit.vocabulary import Channel

WAYS = (Channel.EMAIL, Channel.LETTER, Channel.SMS)
LONGEST_ADDRESS = 254


@dataclass(frozen=True, kw_only=True)
class NoticeRulesDraft:
    """`channels`: by which debtors are told things, one at least. `office_email`: where the office is told; None:
    nowhere."""

    channels: tuple[Channel, ...] = WAYS
    office_email: str | None = None
    office_language: str = "en"

    def __post_init__(self) -> None:
        if not self.channels or not set(self.channels) <= set(WAYS) or len(set(self.channels)) < len(self.channels):
            raise InvalidValue(path="channels", reason="must be some of email, letter and sms, each once")
        if self.office_language not in LANGUAGES:
            raise InvalidValue(path="office_language", reason="must be en or zh-CN")
        if self.office_email is not None:
            check_text("office_email", self.office_email, longest=LONGEST_ADDRESS)
            name, _, host = self.office_email.rpartition("@")
            if not name or not host or any(each.isspace() for each in self.office_email):
                raise InvalidValue(path="office_email", reason="must be an e-mail address")


def notice_rules(session: Session, org_id: uuid.UUID) -> NoticeRulesDraft:
    """What this organisation has said, or what is usual."""
    row = session.get(NoticeRules, org_id)
    if row is None:
        return NoticeRulesDraft()
    return NoticeRulesDraft(
        channels=tuple(Channel(each) for each in row.channels),
        office_email=row.office_email,
        office_language=row.office_language,
    )


def set_notice_rules(session: Session, draft: NoticeRulesDraft, *, now: dt.datetime) -> NoticeRulesDraft:
    """Say how it is done from now on."""
    values = {
        "channels": sorted(each.value for each in draft.channels),
        "office_email": draft.office_email,
        "office_language": draft.office_language,
        "updated_at": now,
    }
    org_id: uuid.UUID = session.info["org"]
    said = insert(NoticeRules).values(org_id=org_id, **values)
    session.execute(said.on_conflict_do_update(index_elements=["org_id"], set_=values))
    session.expire_all()
    return notice_rules(session, org_id)
