"""What an endpoint promises and asks for, as data: views fulfil it, the document tells it, tests walk over it all."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema

from api.editing import Edited
from api.paging import Keyset
from api.roles import PUBLIC, Permission
from api.schemas.answers import page_of
from api.showing import Shows

type View = Callable[..., Any]
CONTRACTS = "_contract"
READING = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_IDS = frozenset({"id", "event_id"})
JSON = "application/json"


@dataclass(frozen=True, kw_only=True)
class Contract:
    """`may` is the permission needed, or PUBLIC. `query` and `body` arrive at the view under these names.

    With `order` the view returns a select and the answer is one page of it. `safety` frees an endpoint from every limit
    and from the audit trail, which safety keeps itself; `unlimited` frees it from the limits alone. `limit` is one of
    its own beside the usual one, counted for each value that the body's field `limit_by` has. `counted_by` names a
    secret in the body whose bearer is counted instead of the address: behind one address of a mobile network stands a
    whole fleet. `sees_all` is for logging in, when there is no organisation yet. `even_expired` lets in whoever has a
    token that was good once: help is called with whatever is at hand. `even_revoked` lets in a phone that was revoked,
    to say so or to call for help, `even_ended` a token whose login was ended, and `even_unknown` a phone that
    is not known, as after a restore: before it has logged in again it is watched over. `traced` puts a
    reading into the audit trail, as every change is. `shows` puts it into the log of accesses: whose data it showed,
    and for a file why. `media` is the answer's, where not JSON.
    With `raw` the view is given the bytes of the body, which has to be of that media type: as many as came, should the
    connection break off. `headers` are the request's own, as the document names them: what it asks for is said in them
    too. `tells` are those of the answer by which its caller goes on.
    `edits` says what this one changes and which view reads it: two who change it take turns, and with `If-Match` the
    second is told of the first (see `api.editing`).
    `steady_s`: no answer comes sooner, so that its time tells nothing; with `steady_with` only where the body has that
    field.
    `taking`: it says who holds something, so it takes no key: sent again it is done again, or refused by how things
    stand now. `afresh` reads the thing that was answered, by its id: who sends a write again under its key is told how
    that stands now, and not how it stood.
    """

    may: Permission | None
    body: Schema | None = None
    query: Schema | None = None
    returns: Schema | None = None
    status: int = 200
    order: Keyset | None = None
    safety: bool = False
    unlimited: bool = False
    limit: str | None = None
    limit_by: str = ""
    counted_by: str = ""
    sees_all: bool = False
    even_expired: bool = False
    even_revoked: bool = False
    even_ended: bool = False
    even_unknown: bool = False
    traced: bool = False
    shows: Shows | None = None
    steady_s: float = 0.0
    steady_with: str = ""
    taking: bool = False
    afresh: Callable[[uuid.UUID], Any] | None = None
    media: str = JSON
    raw: str = ""
    edits: Edited | None = None
    headers: tuple[Mapping[str, Any], ...] = ()
    tells: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def contract_of(view: View) -> Contract | None:
    return getattr(view, CONTRACTS, None)


def is_keyed(contract: Contract, method: str) -> bool:
    """Whether a caller may send it under a key of their own, to get the same answer if they have to send it again. What
    safety is told under an id of its own is done once by that, and who takes something holds it or does not: an answer
    that was kept would say so of whoever has lost it since."""
    has_id = contract.body is not None and not OWN_IDS.isdisjoint(contract.body.fields)
    done_once = contract.taking or (contract.safety and has_id)
    return method not in READING and contract.may is not PUBLIC and not done_once


def answer_schema(contract: Contract) -> Schema | None:
    """What is answered: one thing, or a page of them; None where it is no JSON."""
    return page_of(contract.returns) if contract.order and contract.returns else contract.returns
