"""Answers kept under the caller's own key: who asks the same again gets what was answered, and nothing is done twice.

The key is claimed in the transaction of what is asked. Of two who ask at once the second waits for the first; where the
first leaves nothing behind, the second does the work. A refusal leaves nothing behind, so it uses up no key.
"""

import datetime as dt
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from fieldvisit.errors import FieldVisitError, InvalidValue, Kind
from fieldvisit.models import KeptAnswer, PhoneEventKey
from fieldvisit.sealing import cipher_of

KEPT_FOR = dt.timedelta(days=31)
"""As long as a phone may be without signal, which is thirty days, and one more for clocks that differ."""
KEYED = b"\x01"
"""Begins each digest that is kept. One of before has none, is a plain hash, and is keyed over in passing."""
PLAIN_BYTES, MOST_KEYED = 32, 5_000
FORM = r"[\x21-\x7e]{1,255}"


class IdempotencyKeyReused(FieldVisitError):
    code, kind = "idempotency_key_reused", Kind.INVALID
    says = "The Idempotency-Key {key} was used before, for another request. Every request has a key of its own."


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request under its key. `digest` is of everything that makes it this request. It is kept under the data key
    only: a body may hold a password, and what is left of it to guess is little."""

    account_id: uuid.UUID
    key: str
    digest: bytes

    def __post_init__(self) -> None:
        if re.fullmatch(FORM, self.key) is None:
            raise InvalidValue(path="Idempotency-Key", reason="has 1 to 255 visible characters of ASCII")


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    media: str
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)


def earlier_answer(session: Session, asked: Asked) -> Answer | None:
    """The answer that this request got before; None where the key is now claimed for it, by this transaction.

    Waits for a transaction that works on the same key. Raises IdempotencyKeyReused for another request.
    """
    while not _claim(session, asked):
        row = session.execute(sa.select(KeptAnswer).where(*_of(session, asked))).scalar_one_or_none()
        # None: forgotten between the two statements, so the key is free.
        if row is not None:
            if _keyed_over(session, bytes(row.request_digest)) != _keyed(session, asked.digest):
                raise IdempotencyKeyReused(key=asked.key)
            headers = json.loads(row.headers or "{}")
            return Answer(status=row.status or 0, media=row.media or "", body=row.body or "", headers=headers)
    return None


def keep_answer(session: Session, asked: Asked, answer: Answer) -> None:
    """Keep what was answered under the key that this transaction has claimed."""
    headers = json.dumps(dict(answer.headers)) if answer.headers else None
    values = {"status": answer.status, "media": answer.media, "body": answer.body, "headers": headers}
    session.execute(sa.update(KeptAnswer).where(*_of(session, asked)).values(values))


def release_key(session: Session, asked: Asked) -> None:
    """Give the key back: what was asked was refused, though something of it is committed."""
    session.execute(sa.delete(KeptAnswer).where(*_of(session, asked)))


def forget_answers(session: Session, now: dt.datetime) -> int:
    """Forget what no phone can ask for again: the answers and event ids of more than `KEPT_FOR` ago. How many."""
    org_id, before = session.info["org"], now - KEPT_FOR
    _key_plain_ones(session)
    old = [
        sa.delete(KeptAnswer).where(KeptAnswer.org_id == org_id, KeptAnswer.recorded_at < before),
        sa.delete(PhoneEventKey).where(PhoneEventKey.org_id == org_id, PhoneEventKey.recorded_at < before),
    ]
    return sum(len(session.execute(each.returning(sa.literal(1))).all()) for each in old)


def _claim(session: Session, asked: Asked) -> bool:
    values = {
        "org_id": session.info["org"],
        "account_id": asked.account_id,
        "key": asked.key,
        "request_digest": _keyed(session, asked.digest),
    }
    claimed = insert(KeptAnswer).values(values).on_conflict_do_nothing().returning(KeptAnswer.key)
    return session.execute(claimed).first() is not None


def _keyed(session: Session, digest: bytes) -> bytes:
    return KEYED + cipher_of(session.connection().dialect).digest(f"request {digest.hex()}")


def _keyed_over(session: Session, kept: bytes) -> bytes:
    return _keyed(session, kept) if len(kept) == PLAIN_BYTES else kept


def _key_plain_ones(session: Session) -> None:
    """Leave no plain hash lying for the month for which it may be asked for again."""
    columns = KeptAnswer.account_id, KeptAnswer.key, KeptAnswer.request_digest
    plain = KeptAnswer.org_id == session.info["org"], sa.func.octet_length(KeptAnswer.request_digest) == PLAIN_BYTES
    for account_id, key, digest in session.execute(sa.select(*columns).where(*plain).limit(MOST_KEYED)).all():
        this = *plain, KeptAnswer.account_id == account_id, KeptAnswer.key == key
        session.execute(sa.update(KeptAnswer).where(*this).values(request_digest=_keyed(session, bytes(digest))))


def _of(session: Session, asked: Asked) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        KeptAnswer.org_id == session.info["org"],
        KeptAnswer.account_id == asked.account_id,
        KeptAnswer.key == asked.key,
    )
