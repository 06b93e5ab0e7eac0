"""Where a push service reaches the app on a phone: told by the phone, which replaces and clears it.

A phone that is revoked, or that somebody else logs in with, has none any more (`fieldvisit.devices`).
"""

import uuid
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.devices import NoDevice, set_push_token
from fieldvisit.drafts import check_text
from fieldvisit.errors import InvalidValue
from fieldvisit.languages import LANGUAGES, Message
from fieldvisit.models import Device
from fieldvisit.sealing import cipher_of

LONGEST = 1_000


@dataclass(frozen=True, kw_only=True)
class PushTokenDraft:
    """`token` as the push service gave it to the app: a topic of ntfy, a registration token of FCM, whatever the
    providers of the installation take. `language`: in which the phone is spoken to."""

    token: str
    language: str = "en"

    def __post_init__(self) -> None:
        check_text("token", self.token, longest=LONGEST)
        if any(sign.isspace() for sign in self.token):
            raise InvalidValue(path="token", reason=Message("a token has no spaces"))
        if self.language not in LANGUAGES:
            raise InvalidValue(path="language", reason=Message("one of {given}", {"given": ", ".join(LANGUAGES)}))


def register_push_token(session: Session, device_id: uuid.UUID | None, draft: PushTokenDraft) -> None:
    """Reach this phone there from now on, and no other one: an app that was installed anew is another phone with the
    token of the one before. Raises NoDevice."""
    digest = cipher_of(session.connection().dialect).digest(draft.token)
    org_id = session.info["org"]
    with_it = sa.select(Device).where(Device.org_id == org_id, Device.push_digest == digest, Device.id != device_id)
    for other in session.scalars(with_it.with_for_update()).all():
        set_push_token(other, None, None)
    session.flush()
    device = _own(session, device_id)
    set_push_token(device, draft.token, digest)
    device.push_language = draft.language
    session.flush()


def clear_push_token(session: Session, device_id: uuid.UUID | None) -> None:
    """Reach this phone no more. Doing it again changes nothing. Raises NoDevice."""
    set_push_token(_own(session, device_id), None, None)
    session.flush()


def _own(session: Session, device_id: uuid.UUID | None) -> Device:
    if device_id is None:
        raise NoDevice()
    key = session.info["org"], device_id
    device = session.get(Device, key, with_for_update=True, populate_existing=True)
    if device is None or device.revoked_at is not None:
        raise NoDevice()
    return device
