"""Who asks: the bearer token of a request, read once."""

import datetime as dt
import uuid
from dataclasses import replace

from flask import g, request

from api import db
from api.context import now, settings
from api.logs import note_actor
from fieldvisit import accounts
from fieldvisit.database import has_login_ended
from fieldvisit.devices import DeviceRevoked, DeviceUnknown, what_refuses
from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.tokens import AccessTokenRefused, Claims, LoginEnded, is_ended, read_access

SCHEME = "bearer"


class Unauthenticated(FieldVisitError):
    code, kind = "unauthenticated", Kind.UNAUTHENTICATED
    says = "Log in first: send an access token in the header Authorization: Bearer <token>."


class NoVisitor(FieldVisitError):
    code, kind = "no_visitor", Kind.FORBIDDEN
    says = "This account belongs to no visitor."


def authenticate(
    *, even_expired: bool = False, even_revoked: bool = False, even_ended: bool = False, even_unknown: bool = False
) -> Claims:
    """Read the token and let the session see the rows of its organisation. Raises for a token that is no good.

    With `even_expired` a token that was good once is taken as well, as long as its account is open; with `even_revoked`
    that of a phone that was revoked. A revoked phone hears that first, whatever else is wrong: it has to wipe itself.
    With `even_ended` one is taken also where its login was ended since, and with `even_unknown` that of a phone that is
    not known, as after a restore. All of it is asked at every call, so that revoking a phone and ending a login work at
    the next one; but where an ended login is taken, whoever wants to know of it asks (`has_ended`).
    """
    claims = read_bearer(settings().token_key, now=now(), even_expired=True)
    note_actor(claims)
    db.session().info.update(org=claims.org_id, login=None if even_ended else claims.link_id)
    g.actor = _with_device(claims, even_revoked=even_revoked, even_unknown=even_unknown)
    if claims.expired and not even_expired:
        raise AccessTokenRefused()
    if claims.expired:
        # Nobody renewed this login: whether it could still be renewed is asked where a good token is simply believed.
        accounts.demand_open(db.session(), claims.account_id)
    g.actor = _with_login(actor(), even_ended=even_ended)
    return actor()


def _with_device(claims: Claims, *, even_revoked: bool, even_unknown: bool) -> Claims:
    """The same, knowing how its phone stands."""
    if claims.device_id is None:
        return claims
    whose = {"org_id": claims.org_id, "account_id": claims.account_id}
    refusal = what_refuses(db.session(), **whose, device_id=claims.device_id, issued_at=claims.issued_at)
    if refusal is None:
        return claims
    if not (even_unknown if isinstance(refusal, DeviceUnknown) else even_revoked):
        raise refusal
    return replace(claims, revoked=isinstance(refusal, DeviceRevoked), unknown=isinstance(refusal, DeviceUnknown))


def _with_login(claims: Claims, *, even_ended: bool) -> Claims:
    """The same, knowing whether its login was ended: of one that goes on it is told by the statement that began the
    transaction; one that nobody renewed is looked up."""
    known = not even_ended and claims.link_id is not None and has_login_ended(db.session())
    if not known and claims.expired and claims.family_id is not None:
        known = is_ended(db.session(), claims.family_id)
    if not known:
        return claims
    if not even_ended:
        raise LoginEnded()
    return replace(claims, ended=True)


def has_ended() -> bool:
    """Whether the login of who asks was ended, where one that was is taken all the same. Asked once a request."""
    if "login_ended" not in g:
        claims = actor()
        g.login_ended = claims.ended or (claims.family_id is not None and is_ended(db.session(), claims.family_id))
    known: bool = g.login_ended
    return known


def read_bearer(key: bytes, *, now: dt.datetime, even_expired: bool) -> Claims:
    """The claims of the token in the request; the database is not asked for anything."""
    given = request.headers.get("Authorization", "")
    scheme, _, token = given.partition(" ")
    if scheme.lower() != SCHEME or not token:
        raise Unauthenticated()
    return read_access(token.strip(), key=key, now=now, even_expired=even_expired)


def actor() -> Claims:
    """Who asks: account, organisation, roles, and the visitor whom the account belongs to."""
    claims: Claims = g.actor
    return claims


def visitor_id() -> uuid.UUID:
    """The visitor who asks; raises NoVisitor for an account of the office."""
    found = actor().visitor_id
    if found is None:
        raise NoVisitor()
    return found
