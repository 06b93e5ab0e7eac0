"""Phones: registered by the login that is made with them, revoked by the office, wiped at their next contact.

A phone is one account's at a time, whichever organisations they are of. Whoever logs in with it next ends the logins of
the one before, whose tokens are then as good as revoked; and is told to wipe until it is said to be done.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.drafts import check_text
from fieldvisit.errors import FieldVisitError, Kind, NotFound
from fieldvisit.models import Account, Device, RefreshToken
from fieldvisit.obeyed import Obeyed

LONGEST_NAME = 100
DEVICES = cast("sa.Table", Device.__table__)
# Both are asked at every call of every phone, and are put together once.
_THIS = DEVICES.c.org_id == sa.bindparam("org"), DEVICES.c.id == sa.bindparam("device")
STANDING = Obeyed(
    sa.select(DEVICES.c.revoked_at, DEVICES.c.account_id, DEVICES.c.account_since, DEVICES.c.handed_on_at).where(*_THIS)
)
LONGEST_SENDING_S = 120
"""What comes later by no more than this was on its way for so long, as far as we know: the clock is as before."""
DRIFT_HOLDS_FOR = dt.timedelta(hours=1)
"""So long a sending says how wrong the clock is where later ones came slower: clocks drift, and are set right."""
_DRIFT, _AT = sa.bindparam("drift", type_=sa.BigInteger), sa.bindparam("at", type_=sa.DateTime(timezone=True))
_WAS_SLOWER = sa.and_(
    # The time on the way only ever adds: of two sendings the quicker one says better how wrong the clock is.
    sa.between(_DRIFT - DEVICES.c.clock_drift_s, 0, LONGEST_SENDING_S),
    DEVICES.c.clock_drift_at >= _AT - DRIFT_HOLDS_FOR,
)
SEEN = Obeyed(
    sa.update(DEVICES)
    .where(*_THIS)
    .values(
        last_seen_at=_AT,
        clock_drift_s=sa.case((_WAS_SLOWER, DEVICES.c.clock_drift_s), else_=_DRIFT),
        clock_drift_at=sa.case((_WAS_SLOWER, DEVICES.c.clock_drift_at), else_=_AT),
        battery_percent=sa.func.coalesce(sa.bindparam("battery", type_=sa.Integer), DEVICES.c.battery_percent),
    )
    .returning(DEVICES.c.clock_drift_s)
)


class DeviceRevoked(FieldVisitError):
    code, kind = "device_revoked", Kind.UNAUTHENTICATED
    says = "This phone was revoked. It wipes what it holds of us; ask the office."


class DeviceUnknown(FieldVisitError):
    """Nobody has revoked it: the database was restored to before its login, and what it holds is there alone."""

    code, kind = "device_unknown", Kind.UNAUTHENTICATED
    says = "This phone is not known here any more. Log in again, and send everything again that it still holds."


class NoDevice(FieldVisitError):
    code, kind = "no_device", Kind.FORBIDDEN
    says = "This login names no phone. Log in with one."


@dataclass(frozen=True, kw_only=True)
class DeviceDraft:
    """What a phone says of itself; the id is of its own making."""

    id: uuid.UUID
    name: str
    app_version: str

    def __post_init__(self) -> None:
        check_text("name", self.name, longest=LONGEST_NAME)
        check_text("app_version", self.app_version, longest=LONGEST_NAME)


@dataclass(frozen=True)
class Registered:
    """The phone that a login belongs to, if any. `wipe`: somebody else's data may still be on it, which is said at each
    login until that one says that it is gone."""

    id: uuid.UUID | None
    wipe: bool = False


def register_device(session: Session, account: Account, draft: DeviceDraft | None, now: dt.datetime) -> Registered:
    """Bind the phone to this account, in a session that sees every organisation whose phone it may have been. Raises
    DeviceRevoked for one that the office has revoked."""
    if draft is None:
        return Registered(None)
    known = {device.org_id: device for device in _locked(session, draft.id)}
    device = known.pop(account.org_id, None)
    if device is not None and device.revoked_at is not None:
        raise DeviceRevoked(wipe=True)
    elsewhere = [each for each in known.values() if each.handed_on_at is None]
    for each in elsewhere:
        each.handed_on_at = now
        _let_go(session, each, now)
    if device is None:
        device = _new(account, draft, now)
        session.add(device)
    elif device.account_id != account.id or device.handed_on_at is not None:
        _let_go(session, device, now)
        device.account_id, device.account_since, device.handed_on_at = account.id, now, None
        device.wiped_at, device.wipe_due = None, True
    device.wipe_due = device.wipe_due or any(map(_may_hold_data, elsewhere))
    device.visitor_id = account.visitor_id
    device.name, device.app_version, device.last_seen_at = draft.name, draft.app_version, now
    session.flush()
    return Registered(draft.id, wipe=device.wipe_due)


def what_refuses(
    session: Session, *, org_id: uuid.UUID, device_id: uuid.UUID, account_id: uuid.UUID, issued_at: dt.datetime
) -> DeviceRevoked | DeviceUnknown | None:
    """Why a token that this account was given then is no good on this phone any more, if it is not. One query."""
    row = STANDING.first(session, {"org": org_id, "device": device_id})
    if row is None:
        return DeviceUnknown()
    revoked_at, its_account, account_since, handed_on_at = row
    if revoked_at is not None:
        return DeviceRevoked(wipe=True)
    went_at = handed_on_at if its_account == account_id else account_since
    if went_at is None:
        return None
    # Given after the phone had gone to somebody else: it was this account's again, in hours that a restore has lost.
    return DeviceUnknown() if issued_at > went_at else DeviceRevoked(wipe=True)


def revoke_device(session: Session, device_id: uuid.UUID, *, reason: str, by: uuid.UUID, now: dt.datetime) -> Device:
    """End every login of this phone, from its next call on. Doing it again changes nothing. Raises NotFound."""
    check_text("reason", reason)
    device = session.get(Device, (session.info["org"], device_id), with_for_update=True, populate_existing=True)
    if device is None:
        raise NotFound(what="device", id=device_id)
    if device.revoked_at is None:
        device.revoked_at, device.revoked_by_id, device.revoked_reason = now, by, reason
        device.wiped_at = None
        set_push_token(device, None, None)
        _end_logins(session, device.org_id, device_id, now)
    session.flush()
    return device


def note_wiped(session: Session, device_id: uuid.UUID | None, account_id: uuid.UUID, now: dt.datetime) -> None:
    """The phone says that nothing of ours is on it any more: of a revoked one that is kept, the last time it says so.

    One that was handed on says that nothing of anybody else is on it, and is not told to wipe again; it goes on being
    used, so that this says nothing of what is on it. A token of the one before, whose it is no more, says nothing at
    all. Raises NoDevice.
    """
    if device_id is None:
        raise NoDevice()
    mine = Device.org_id == session.info["org"], Device.id == device_id, Device.account_id == account_id
    wiped_at = sa.case((Device.revoked_at.is_not(None), now), else_=Device.wiped_at)
    told = sa.or_(Device.revoked_at.is_not(None), Device.wipe_due)
    session.execute(sa.update(Device).where(*mine, told).values(wiped_at=wiped_at, wipe_due=False))


def note_seen(
    session: Session,
    device_id: uuid.UUID | None,
    *,
    drift: dt.timedelta,
    battery_percent: int | None,
    now: dt.datetime,
) -> dt.timedelta:
    """The phone has spoken: when, how far its clock seems to be behind ours, and how full its battery.

    How far it is behind, by this sending and the others of the hour: what comes late on a bad line was slow, and its
    clock is as wrong as before. `drift` itself where no phone is named.
    """
    if device_id is None:
        return drift
    said = {"at": now, "drift": _seconds(drift), "battery": battery_percent}
    row = SEEN.first(session, {"org": session.info["org"], "device": device_id, **said})
    return drift if row is None or row[0] >= _seconds(drift) else dt.timedelta(seconds=row[0])


def set_push_token(device: Device, token: str | None, digest: bytes | None) -> None:
    """From now on pushes go there; nowhere without one."""
    device.push_token, device.push_digest = token, digest


def devices() -> sa.Select[Device]:
    return sa.select(Device)


def _seconds(drift: dt.timedelta) -> int:
    """Whole seconds; a clock that is wrong by more than a lifetime is as wrong as one by a lifetime."""
    return max(-(2**31), min(round(drift.total_seconds()), 2**31 - 1))


def _locked(session: Session, device_id: uuid.UUID) -> Sequence[Device]:
    """Of every organisation that the session sees. In one order, so that nobody waits in a circle."""
    rows = sa.select(Device).where(Device.id == device_id).order_by(Device.org_id).with_for_update()
    return session.scalars(rows.execution_options(populate_existing=True)).all()


def _let_go(session: Session, device: Device, now: dt.datetime) -> None:
    """It is no more whose it was."""
    _end_logins(session, device.org_id, device.id, now)
    set_push_token(device, None, None)


def _may_hold_data(device: Device) -> bool:
    return device.revoked_at is None or device.wiped_at is None


def _new(account: Account, draft: DeviceDraft, now: dt.datetime) -> Device:
    return Device(
        org_id=account.org_id,
        id=draft.id,
        account_id=account.id,
        visitor_id=account.visitor_id,
        name=draft.name,
        app_version=draft.app_version,
        registered_at=now,
        last_seen_at=now,
        account_since=now,
        wipe_due=False,
    )


def _end_logins(session: Session, org_id: uuid.UUID, device_id: uuid.UUID, now: dt.datetime) -> None:
    of_it = RefreshToken.org_id == org_id, RefreshToken.device_id == device_id, RefreshToken.revoked_at.is_(None)
    session.execute(sa.update(RefreshToken).where(*of_it).values(revoked_at=now))
