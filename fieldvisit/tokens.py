"""Tokens: short signed ones that open a request, and long random ones, each good for one renewal.

An access token says who asks; its signature is checked without the database, and whether its login goes on and its
phone stands is asked with what each call asks anyway. A refresh token is a link in a chain: using it makes the next
one. A link that is shown after the one that came of it was shown is known to two, so the whole chain (its family) ends.
Before that an answer may have got lost on its way, and its phone can only ask again: so a used link is answered with
the very same successor, which follows from it and is kept nowhere. At once anybody may ask again, or two who asked
together; a registered phone may as soon as it has signal again, and seldom: a thief who has each link of it renewed a
while after its owner would be found by nothing else.
"""

import base64
import datetime as dt
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

import sqlalchemy as sa
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from sqlalchemy.orm import Session

from fieldvisit.accounts import may_log_in
from fieldvisit.devices import what_refuses
from fieldvisit.errors import FieldVisitError, Kind, Refused
from fieldvisit.models import Account, RefreshToken
from fieldvisit.vocabulary import Role

ALGORITHM = "HS256"
ISSUER = "fieldvisit"
LOST_ANSWER_S = 60
"""For so long after its use a refresh token may be shown again, by whoever never got the answer."""
NO_SIGNAL_S = 12 * 3_600
"""So long by a registered phone, a day's work; `MOST_LATE` of its links in any 24 hours."""
MOST_LATE = 3


class AccessTokenRefused(FieldVisitError):
    code, kind = "access_token_refused", Kind.UNAUTHENTICATED
    says = "The access token is not ours, was altered or has expired. Renew it with the refresh token or log in."


class RefreshTokenRefused(FieldVisitError):
    code, kind = "refresh_token_refused", Kind.UNAUTHENTICATED
    says = "The refresh token is unknown, expired, revoked or was used before. Log in again."


class LoginEnded(FieldVisitError):
    code, kind = "login_ended", Kind.UNAUTHENTICATED
    says = "This login has ended: it was logged out, or two people held its refresh token. Log in again."


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What an access token says of its bearer, and of which login's chain it came. `expired`: it was good once, and is
    taken for evidence and a call for help alone. `ended`: its login was ended, expired or not; what it tells is kept,
    not believed, but for a call for help and a check-in. `revoked`: its phone was revoked since, and what it tells is
    kept, not believed. `unknown`: its phone is not known, as after a restore to before its login; what it tells is kept
    until it has logged in again, but for what has it watched over."""

    account_id: uuid.UUID
    org_id: uuid.UUID
    roles: frozenset[Role]
    visitor_id: uuid.UUID | None
    issued_at: dt.datetime
    expired: bool = False
    device_id: uuid.UUID | None = None
    revoked: bool = False
    unknown: bool = False
    family_id: uuid.UUID | None = None
    link_id: uuid.UUID | None = None
    ended: bool = False


def sign_access(
    account: Account,
    *,
    key: bytes,
    now: dt.datetime,
    lifetime_s: int,
    device_id: uuid.UUID | None = None,
    family_id: uuid.UUID | None = None,
    link_id: uuid.UUID | None = None,
) -> str:
    claims = {
        "iss": ISSUER,
        "sub": str(account.id),
        "org": str(account.org_id),
        "roles": sorted(account.roles),
        "visitor": str(account.visitor_id) if account.visitor_id else None,
        "device": str(device_id) if device_id else None,
        "family": str(family_id) if family_id else None,
        "link": str(link_id) if link_id else None,
        "iat": int(now.timestamp()),
        "exp": int(now.timestamp()) + lifetime_s,
    }
    return jwt.encode({"alg": ALGORITHM, "typ": "JWT"}, claims, _octets(key))


@cache
def _octets(key: bytes) -> OctKey:
    return OctKey.import_key(key)


def read_access(token: str, *, key: bytes, now: dt.datetime, even_expired: bool = False) -> Claims:
    """The claims of a token that we signed and that has not expired; raises AccessTokenRefused for any other.

    With `even_expired` any token that we once signed is read, however old, and its claims say so.
    """
    try:
        claims, begins_s, ends_s = _signed(token, key)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise AccessTokenRefused() from error
    now_s = int(now.timestamp())
    if now_s < begins_s or (now_s >= ends_s and not even_expired):
        raise AccessTokenRefused()
    return claims if now_s < ends_s else replace(claims, expired=True)


@lru_cache(maxsize=4_096)
def _signed(token: str, key: bytes) -> tuple[Claims, int, int]:
    """What a token says that we signed, from when on it is good and until when, in seconds since 1970; raises
    JoseError, ValueError, KeyError or TypeError for any other. A phone sends one for a quarter of an hour, and it says
    the same each time; whether it has expired is for the caller to see."""
    claims = jwt.decode(token, _octets(key), algorithms=[ALGORITHM]).claims
    ends_s = int(claims["exp"])
    registry = jwt.JWTClaimsRegistry(now=ends_s - 1, iss={"essential": True, "value": ISSUER}, exp={"essential": True})
    registry.validate(claims)
    return _claims(claims), int(claims["iat"]), ends_s


def _claims(claims: Mapping[str, Any]) -> Claims:
    return Claims(
        account_id=uuid.UUID(claims["sub"]),
        org_id=uuid.UUID(claims["org"]),
        roles=frozenset(Role(role) for role in claims["roles"]),
        visitor_id=uuid.UUID(claims["visitor"]) if claims["visitor"] else None,
        issued_at=dt.datetime.fromtimestamp(int(claims["iat"]), dt.UTC),
        device_id=uuid.UUID(claims["device"]) if claims.get("device") else None,
        family_id=uuid.UUID(claims["family"]) if claims.get("family") else None,
        link_id=uuid.UUID(claims["link"]) if claims.get("link") else None,
    )


@dataclass(frozen=True, kw_only=True)
class Renewal:
    """The account that showed a good refresh token, and its next one; of which link and chain, and from which phone."""

    account: Account
    token: str
    family_id: uuid.UUID
    link_id: uuid.UUID
    device_id: uuid.UUID | None = None


def begin_family(
    session: Session, account: Account, now: dt.datetime, *, lifetime_s: int, device_id: uuid.UUID | None = None
) -> Renewal:
    """The first refresh token of a login, from a registered phone where one is named."""
    family_id, token = uuid.uuid4(), secrets.token_urlsafe(32)
    first = RefreshToken(org_id=account.org_id, account_id=account.id, family_id=family_id, device_id=device_id)
    _issue(session, first, token, expires_at=now + dt.timedelta(seconds=lifetime_s), now=now)
    return Renewal(account=account, token=token, family_id=family_id, link_id=first.id, device_id=device_id)


def renew(session: Session, token: str, now: dt.datetime, *, lifetime_s: int, key: bytes) -> Renewal | Refused:
    """Use up a refresh token and make the next, which follows from it under `key`; shown again in time, it gets the
    same. A use that shows that two hold the chain ends it, and that has to stay: so the refusal is answered, not
    raised, and the caller commits."""
    refused = Refused(RefreshTokenRefused())
    family_id = _lock_family(session, token)
    if family_id is None:
        return refused
    link, following = _link(session, token), _following(token, key)
    if link.device_id is not None:
        # Told apart from the rest, so that a phone that was revoked wipes itself.
        whose = {"org_id": link.org_id, "account_id": link.account_id}
        refusal = what_refuses(session, **whose, device_id=link.device_id, issued_at=link.issued_at)
        if refusal is not None:
            return Refused(refusal)
    if link.used_at is not None and not _answer_was_lost(session, link, following, now):
        _end(session, family_id, now)
        return refused
    account = session.get_one(Account, link.account_id)
    if is_ended(session, family_id) or link.expires_at <= now or not may_log_in(session, account):
        return refused
    if link.used_at is None:
        link.used_at = now
        successor = RefreshToken(
            org_id=account.org_id, account_id=account.id, family_id=family_id, device_id=link.device_id
        )
        _issue(session, successor, following, expires_at=now + dt.timedelta(seconds=lifetime_s), now=now)
    elif _is_late(link, now):
        link.repeated_at = now
    # The one that was shown is revoked with its family, as what comes of it is.
    return Renewal(account=account, token=following, family_id=family_id, link_id=link.id, device_id=link.device_id)


def log_out(session: Session, token: str, now: dt.datetime) -> None:
    """End the login that this refresh token belongs to. An unknown token is already as ended as can be."""
    family_id = _lock_family(session, token)
    if family_id is not None:
        _end(session, family_id, now)


def is_ended(session: Session, family_id: uuid.UUID) -> bool:
    """Whether this login was ended: logged out, shown to be known to two, or with its account or its phone."""
    # Any link of it: one that was made while its family ended was not there yet to be revoked with the others.
    return _exists(session, family_id, RefreshToken.revoked_at.is_not(None))


def _lock_family(session: Session, token: str) -> uuid.UUID | None:
    """The family of this token, locked by its oldest link: who renews and who ends it take turns."""
    family_id = session.scalar(sa.select(RefreshToken.family_id).where(RefreshToken.token_hash == _hash(token)))
    if family_id is not None:
        session.execute(
            sa.select(RefreshToken.id)
            .where(RefreshToken.family_id == family_id)
            .order_by(RefreshToken.issued_at, RefreshToken.id)
            .limit(1)
            .with_for_update()
        )
    return family_id


def _link(session: Session, token: str) -> RefreshToken:
    """As it is now: the session may have read it before its family was locked."""
    its_hash = RefreshToken.token_hash == _hash(token)
    return session.scalars(sa.select(RefreshToken).where(its_hash).execution_options(populate_existing=True)).one()


def _following(token: str, key: bytes) -> str:
    """What comes of a refresh token: always the same, made by nobody without the key."""
    made = hmac.digest(key, b"fieldvisit refresh token after " + token.encode("utf-8", "replace"), "sha256")
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def _answer_was_lost(session: Session, link: RefreshToken, following: str, now: dt.datetime) -> bool:
    """Whether a used link may have been used in vain: nobody has shown what came of it, and it is not too long ago."""
    unshown = RefreshToken.token_hash == _hash(following), RefreshToken.used_at.is_(None)
    if not _exists(session, link.family_id, *unshown):
        # Shown; or made under another key, and then nobody can say what it was.
        return False
    return not _is_late(link, now) or _was_without_signal(session, link, now)


def _is_late(link: RefreshToken, now: dt.datetime) -> bool:
    return link.used_at is not None and now - link.used_at > dt.timedelta(seconds=LOST_ANSWER_S)


def _was_without_signal(session: Session, link: RefreshToken, now: dt.datetime) -> bool:
    if link.device_id is None or link.used_at is None or now - link.used_at > dt.timedelta(seconds=NO_SIGNAL_S):
        return False
    late = sa.select(sa.func.count()).where(
        RefreshToken.family_id == link.family_id,
        RefreshToken.id != link.id,
        RefreshToken.repeated_at > now - dt.timedelta(days=1),
    )
    return session.scalars(late).one() < MOST_LATE


def _exists(session: Session, family_id: uuid.UUID, *conditions: sa.ColumnElement[bool]) -> bool:
    links = sa.select(RefreshToken.id).where(RefreshToken.family_id == family_id, *conditions)
    return bool(session.scalar(sa.select(links.exists())))


def _issue(session: Session, link: RefreshToken, token: str, *, expires_at: dt.datetime, now: dt.datetime) -> None:
    link.token_hash, link.issued_at, link.expires_at = _hash(token), now, expires_at
    session.add(link)
    session.flush()


def _end(session: Session, family_id: uuid.UUID, now: dt.datetime) -> None:
    session.execute(
        sa.update(RefreshToken)
        .where(RefreshToken.family_id == family_id, RefreshToken.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def _hash(token: str) -> bytes:
    """The token is 32 bytes that nobody can guess, so a plain hash is as good as a slow one."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
