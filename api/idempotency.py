"""`Idempotency-Key`: a write that is sent again under the same key gets the first answer, byte for byte.

What a caller goes on by comes again with it, though it stands in a header: a tus client has the address of its file and
the byte where it stands from nowhere else.

Every write takes it but those that anyone may call without a token, those of safety whose body carries an id of its
own, as a call for help does, and those that take or give an alert or a shift. Where an answer of before could do harm,
as that of an alert which has been lost since, it is made afresh, and nothing but its id is kept. Nothing of safety is
refused for its key: one that is no good counts as none.
"""

import json
import uuid
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from flask import Response, g, request
from sqlalchemy.orm import Session

from api.auth import actor
from api.contracts import Contract, is_keyed
from fieldvisit.answers import FORM, Answer, Asked, IdempotencyKeyReused, earlier_answer, keep_answer, release_key
from fieldvisit.errors import InvalidValue

HEADER, REPLAYED, TAG = "Idempotency-Key", "Idempotency-Replayed", "ETag"

PARAMETER: dict[str, Any] = {
    "in": "header",
    "name": HEADER,
    "required": False,
    "description": "made by the caller for this one write; sent again with it, the first answer comes again",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": f"^{FORM}$"},
    "example": "018f2c5e-7c1a-7d3e-9b0a-3f5d1c2b4a69",
}
DONE_BEFORE: dict[str, Any] = {
    **PARAMETER,
    "description": "made by the caller for this one write; sent again with it, nothing is done twice, and the answer "
    "tells how it stands now",
}
ANSWER_HEADER: dict[str, Any] = {
    REPLAYED: {"description": "true where this was done before, and answered", "schema": {"type": "string"}}
}


@dataclass(frozen=True)
class Turn:
    """One request's dealings with its key; without a key it does nothing. `earlier` is what it was answered the first
    time, None where this is that. Of the first answer's headers those `kept` come again: the others are of the moment,
    as limits and the request's id are. `afresh`: nothing of that answer comes again but what it was about."""

    session: Session
    asked: Asked | None
    kept: Collection[str] = ()
    earlier: Answer | None = None
    afresh: bool = False

    def replay(self, afresh: Callable[[uuid.UUID], Response]) -> Response | None:
        """The answer of the first time, or how that stands now; None where this is the first time."""
        if self.earlier is None:
            return None
        if self.afresh:
            response = afresh(uuid.UUID(json.loads(self.earlier.body)["id"]))
        else:
            response = Response(self.earlier.body, status=self.earlier.status, mimetype=self.earlier.media)
            response.headers.update(self.earlier.headers)
        response.headers[REPLAYED] = "true"
        return response

    def keep(self, response: Response) -> None:
        if self.asked is None:
            return
        answer = Answer(
            status=response.status_code,
            media=response.mimetype or "",
            body=json.dumps({"id": response.get_json()["id"]}) if self.afresh else response.get_data(True),
            headers={name: response.headers[name] for name in self.kept if name in response.headers},
        )
        keep_answer(self.session, self.asked, answer)

    def release(self) -> None:
        if self.asked is not None:
            release_key(self.session, self.asked)


def turn_of(session: Session, contract: Contract) -> Turn:
    """This request's turn, once whoever is at work under its key is done. Raises InvalidValue for a key of the wrong
    form, IdempotencyKeyReused for one of another request."""
    key = request.headers.get(HEADER)
    if key is None or not is_keyed(contract, request.method):
        return Turn(session, None)
    digest = _digest(header["name"] for header in contract.headers)
    try:
        asked = Asked(account_id=actor().account_id, key=key, digest=digest)
        earlier = earlier_answer(session, asked)
        return Turn(session, asked, (TAG, *contract.tells), earlier, afresh=contract.afresh is not None)
    except (InvalidValue, IdempotencyKeyReused):
        # Rather done twice than not at all, where somebody may be in danger.
        if contract.safety:
            return Turn(session, None)
        raise


def _digest(headers: Iterable[str]) -> bytes:
    """Of the request as it is meant, which these headers say beside the body. The order of names and the white space
    of a body do not count, nor does `If-Match`: what was done under the key is done, whichever version its caller has
    read since."""
    said = [request.method, request.full_path, g.get("body")]
    if told := {name: request.headers.get(name) for name in headers}:
        # Where none says anything, the digest stays the one that keys of before were kept with.
        said.append(told)
    return sha256(json.dumps(said, sort_keys=True).encode()).digest()
