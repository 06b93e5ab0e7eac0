"""What nobody sees in a text is taken out where it comes in; what a language needs stays."""

import pytest

from api.schemas.fields import Text
from fieldvisit.drafts import check_text
from fieldvisit.errors import InvalidValue
from fieldvisit.imports.columns import Column, Origin, text
from fieldvisit.writable import visible

HONEST = [
    "张伟，住在北京市朝阳区",
    "葛󠄀城",  # a variant of a Chinese letter, asked for by a selector
    "שלום עולם",
    "א\u200f(ב) 5",
    "محمد علي",
    "می\u200cخواهم",  # a Persian word, its parts kept apart
    "क्\u200dष",
    "👩\u200d💻 ok",
    "Ä\u0308iti",
    "two\nlines\tand a tab",
]
TAKEN_OUT = {
    "Anna\u202egpj.exe": "Annagpj.exe",
    "\u2066Ilta\u2069 Example": "Ilta Example",
    "An\u200bna": "Anna",
    "An\u200cna": "Anna",
    "张\u200d伟": "张伟",
    "Anna\u200f": "Anna",
    "An\u00adna\ufeff": "Anna",
    "a\u2028b": "a\nb",
    "\U000e0041A\u3164": "A",
}


@pytest.mark.parametrize("honest", HONEST)
def test_honest_texts_stay_as_they_are(honest: str) -> None:
    assert visible(honest) == honest
    assert Text().deserialize(honest) == honest
    check_text("name", honest)


@pytest.mark.parametrize(("given", "seen"), TAKEN_OUT.items())
def test_what_nobody_sees_is_taken_out_at_every_border(given: str, seen: str) -> None:
    assert Text().deserialize(given) == seen
    assert Column(name="name", read=text).value(given, Origin(zone="Europe/Helsinki", country="FI")) == seen
    assert visible(seen) == seen
    with pytest.raises(InvalidValue):
        check_text("name", given)


def test_a_secret_is_what_was_typed() -> None:
    assert Text(secret=True).deserialize("pass\u200bword") == "pass\u200bword"
