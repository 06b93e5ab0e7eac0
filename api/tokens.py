"""Logging in, staying logged in, logging out."""

from typing import Any

from api.context import now, runtime, settings
from api.db import session
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.roles import PUBLIC
from api.schemas.tokens import LoginIn, RefreshIn, TokensOut
from fieldvisit import accounts, tokens
from fieldvisit.devices import register_device
from fieldvisit.errors import Refused

# Beside the usual limit: a password is guessed with many tries, and each costs us a slow hash.
TRIES = "20/minute"

bp = Blueprint("tokens", __name__, url_prefix="/tokens", description="Log in, renew, log out")


@bp.post("")
@endpoint(may=PUBLIC, sees_all=True, limit=TRIES, limit_by="username", body=LoginIn(), returns=TokensOut(), status=201)
def log_in(body: dict[str, Any]) -> dict[str, Any]:
    """Log in with a user name and a password, and register the phone that does."""
    found = accounts.find_account(session(), body["username"])
    # A rush of logins queues for the slow hash: with a thread each, but without a connection.
    session().commit()
    account = accounts.log_in(session(), found, body["password"], runtime().passwords)
    device = register_device(session(), account, body["device"], now())
    lifetime_s = settings().refresh_token_s
    begun = tokens.begin_family(session(), account, now(), lifetime_s=lifetime_s, device_id=device.id)
    return _issued(begun, wipe=device.wipe)


@bp.post("/refresh")
@endpoint(may=PUBLIC, sees_all=True, counted_by="refresh_token", body=RefreshIn(), returns=TokensOut(), status=201)
def refresh_tokens(body: dict[str, str]) -> dict[str, Any] | Refused:
    """Renew: a refresh token is good for one renewal.

    Where the answer got lost it may be shown again within a minute, by a registered phone within twelve hours and for
    three renewals a day, as long as nobody has used what the answer held: then the same refresh token comes again.
    Used a second time otherwise it ends the login, on every device that took part in it.
    """
    config = settings()
    renewal = tokens.renew(
        session(), body["refresh_token"], now(), lifetime_s=config.refresh_token_s, key=config.token_key
    )
    return renewal if isinstance(renewal, Refused) else _issued(renewal, wipe=False)


@bp.delete("")
@endpoint(may=PUBLIC, sees_all=True, counted_by="refresh_token", body=RefreshIn(), status=204)
def log_out(body: dict[str, str]) -> None:
    """Log out: the refresh token and all that came of its login are no good any more.

    An access token of it opens nothing from the next call on (`login_ended`), and is no good for evidence either: what
    it tells is kept, not believed, but for calls for help and check-ins.
    """
    tokens.log_out(session(), body["refresh_token"], now())


def _issued(renewal: tokens.Renewal, *, wipe: bool) -> dict[str, Any]:
    account, lifetime_s = renewal.account, settings().access_token_s
    belongs = {"device_id": renewal.device_id, "family_id": renewal.family_id, "link_id": renewal.link_id}
    access = tokens.sign_access(account, key=settings().token_key, now=now(), lifetime_s=lifetime_s, **belongs)
    return {
        "access_token": access,
        "token_type": "Bearer",
        "expires_in_s": lifetime_s,
        "refresh_token": renewal.token,
        "account_id": account.id,
        "organisation_id": account.org_id,
        "roles": account.roles,
        "visitor_id": account.visitor_id,
        "device_id": renewal.device_id,
        "wipe": wipe,
    }
