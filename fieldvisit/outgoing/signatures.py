"""What a provider tells later, signed as Standard Webhooks have it (HMAC-SHA256 over `id.timestamp.body`), so that
receivers and gateways find code for it everywhere."""

import base64
import binascii
import datetime as dt
import hmac
from collections.abc import Iterable, Mapping
from typing import Protocol

from fieldvisit.errors import FieldVisitError, Kind

OLDEST = dt.timedelta(minutes=5)
PREFIX = "whsec_"


class ReceiptRefused(FieldVisitError):
    """Not signed by this provider, or long ago."""

    code, kind = "receipt_refused", Kind.UNAUTHENTICATED
    says = "This receipt is not signed by a provider that is known here."


class Signer(Protocol):
    """A provider that may sign receipts; `secret` None: it sends none."""

    @property
    def name(self) -> str: ...

    @property
    def secret(self) -> str | None: ...


def sign(secret: str, *, webhook_id: str, timestamp: int, body: bytes) -> str:
    """The signature header of one webhook."""
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(_key(secret), signed, "sha256")).decode()


def demand_signed(
    providers: Iterable[Signer], name: str, headers: Mapping[str, str], body: bytes, *, now: dt.datetime
) -> None:
    """Raise ReceiptRefused for what this provider did not sign within five minutes of now."""
    secret = next((each.secret for each in providers if each.name == name), None)
    named = {each.lower(): value for each, value in headers.items()}
    webhook_id, timestamp = named.get("webhook-id", ""), named.get("webhook-timestamp", "")
    if secret is None or not timestamp.isdecimal() or len(timestamp) > len("9999999999"):
        raise ReceiptRefused()
    if abs(now - dt.datetime.fromtimestamp(int(timestamp), dt.UTC)) > OLDEST:
        raise ReceiptRefused()
    wanted = sign(secret, webhook_id=webhook_id, timestamp=int(timestamp), body=body)
    given = named.get("webhook-signature", "").split()
    # Several signatures are what a change of keys looks like.
    if not any(hmac.compare_digest(each.encode(), wanted.encode()) for each in given):
        raise ReceiptRefused()


def _key(secret: str) -> bytes:
    plain = secret.removeprefix(PREFIX)
    try:
        return base64.b64decode(plain, validate=True)
    except binascii.Error:
        return plain.encode()
