"""Sealed text opens with its key, in its column, unaltered; or not at all."""

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for_all
from fieldvisit.models import Case
from fieldvisit.sealing import Cipher, Unsealable
from tests.worlds import make_case, make_world

CIPHER = Cipher(bytes(range(32)))


@pytest.mark.parametrize("text", ["", "Meri", "梅里 · 13800138000", "x" * 10_000])
def test_what_was_sealed_opens_again(text: str) -> None:
    assert CIPHER.open(CIPHER.seal(text, "debtors.name"), "debtors.name") == text


def test_the_same_text_never_seals_the_same() -> None:
    assert CIPHER.seal("Meri", "debtors.name") != CIPHER.seal("Meri", "debtors.name")


def test_another_key_opens_nothing() -> None:
    with pytest.raises(Unsealable):
        Cipher(bytes(32)).open(CIPHER.seal("Meri", "debtors.name"), "debtors.name")


def test_moved_to_another_column_it_does_not_open() -> None:
    with pytest.raises(Unsealable):
        CIPHER.open(CIPHER.seal("Meri", "debtors.name"), "visitors.name")


def test_an_altered_byte_is_noticed() -> None:
    sealed = bytearray(CIPHER.seal("Meri", "debtors.name"))
    sealed[-1] ^= 1
    with pytest.raises(Unsealable):
        CIPHER.open(bytes(sealed), "debtors.name")


def test_a_digest_finds_the_same_text_again_under_the_same_key_only() -> None:
    assert CIPHER.digest("+358501") == CIPHER.digest("+358501")
    assert CIPHER.digest("+358501") != CIPHER.digest("+358502")
    assert CIPHER.digest("+358501") != Cipher(bytes(32)).digest("+358501")


def test_free_words_about_a_person_are_sealed_in_their_table(sessions: sessionmaker[Session]) -> None:
    world = make_world(sessions)
    with acting_for_all(sessions) as session:
        case_id = make_case(session, world, reason_for_arrears="illness").id
    with acting_for_all(sessions) as session:
        stored = session.execute(sa.text("select reason_for_arrears from cases")).scalar_one()
        assert session.get_one(Case, case_id).reason_for_arrears == "illness"
    assert b"illness" not in stored
