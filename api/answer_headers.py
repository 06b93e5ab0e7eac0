"""The headers of answers, as the document names them: which an endpoint's answer carries, by its contract."""

from collections.abc import Collection, Mapping
from typing import Any

from api import epochs
from api.contracts import JSON, READING, Contract, is_keyed
from api.idempotency import ANSWER_HEADER, TAG
from api.roles import Permission

type Headers = Mapping[str, Mapping[str, Any]]

ETAG: Headers = {
    TAG: {
        "description": "of what is answered; sent back as If-None-Match it is 304 while nothing has changed, and sent "
        "with a change as If-Match it is refused where somebody has changed it since. Given again under an "
        "Idempotency-Key, the answer has the tag of the first time",
        "schema": {"type": "string"},
        "example": '"5d41402abc4b2a76b9719d911017c592"',
    }
}
LIMITS: Headers = {
    f"RateLimit-{name}": {"description": said, "schema": {"type": "integer", "minimum": 0}, "example": example}
    for name, said, example in (
        ("Limit", "so many requests may come in the present while", 600),
        ("Remaining", "so many of them are left", 598),
        ("Reset", "after so many seconds the next while begins", 42),
    )
}
REFUSED: Headers = {
    **LIMITS,
    "Retry-After": {
        "description": "of 429 and 503: after so many seconds it is worth trying again",
        "schema": {"type": "integer", "minimum": 0},
        "example": 5,
    },
    "Content-Language": {
        "description": "of the words that say why",
        "schema": {"type": "string"},
        "example": "en",
    },
    epochs.NAME: epochs.HEADER[epochs.NAME]
    | {"description": f"to a phone that showed a token of ours: {epochs.HEADER[epochs.NAME]['description']}"},
    "WWW-Authenticate": {
        "description": "of 401: a token is needed, or another one",
        "schema": {"type": "string"},
        "example": 'Bearer realm="fieldvisit"',
    },
    "Calls-For-Help": {
        "description": "of a batch that was refused: so many calls for help were heard in it",
        "schema": {"type": "integer", "minimum": 1},
        "example": 1,
    },
}


def headers_of(contract: Contract, methods: Collection[str]) -> dict[str, Any]:
    """What the answer carries by which its caller goes on. No limit is told where none is counted: of safety."""
    reads = all(method in READING for method in methods)
    tagged = contract.returns is not None and contract.media == JSON and (reads or contract.edits is not None)
    return {
        **(epochs.HEADER if contract.may is Permission.USE_PHONE else {}),
        **({} if contract.safety else LIMITS),
        **(ETAG if tagged else {}),
        **contract.tells,
        **(ANSWER_HEADER if all(is_keyed(contract, method) for method in methods) else {}),
    }
