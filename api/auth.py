"""Who asks: the bearer token of a request, read once."""

import uuid

from flask import g, request

from api import db
from api.context import now, settings
from api.logs import note_actor
from fieldvisit import accounts
from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.tokens import Claims, read_access

SCHEME = "bearer"


class Unauthenticated(FieldVisitError):
    code, kind = "unauthenticated", Kind.UNAUTHENTICATED
    says = "Log in first: send an access token in the header Authorization: Bearer <token>."


class NoVisitor(FieldVisitError):
    code, kind = "no_visitor", Kind.FORBIDDEN
    says = "This account belongs to no visitor."


def authenticate(*, even_expired: bool = False) -> Claims:
    """Read the token and let the session see the rows of its organisation. Raises for a token that is no good.

    With `even_expired` a token that was good once is taken as well, as long as its account is open.
    """
    given = request.headers.get("Authorization", "")
    scheme, _, token = given.partition(" ")
    if scheme.lower() != SCHEME or not token:
        raise Unauthenticated()
    g.actor = read_access(token.strip(), key=settings().token_key, now=now(), even_expired=even_expired)
    note_actor(g.actor)
    db.session().info["org"] = g.actor.org_id
    if g.actor.expired:
        # Nobody renewed this login: whether it could still be renewed is asked where a good token is simply believed.
        accounts.demand_open(db.session(), g.actor.account_id)
    return actor()


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
