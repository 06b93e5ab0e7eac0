"""What a visit needs of its crew, in words: skills stand as they are, languages, papers and sizes are told."""

from babel import Locale, UnknownLocaleError

from fieldvisit.languages import Message
from fieldvisit.planning.crews import AT_MOST, LANGUAGE, PAPERS


def need_words(need: str) -> Message:
    if need.startswith(LANGUAGE):
        return Message("somebody who speaks {language}", {"language": _language(need.removeprefix(LANGUAGE))})
    if need.startswith(PAPERS):
        return Message("papers that hold for its lender")
    if need.startswith(AT_MOST):
        return Message("a crew of at most {people}", {"people": need.removeprefix(AT_MOST)})
    return Message(need.replace("_", " "))


def _language(tag: str) -> str:
    """The language's own name for itself, which both its speakers and its readers know."""
    try:
        return f"{Locale.parse(tag, sep='-').display_name} ({tag})"
    except (UnknownLocaleError, ValueError):
        return tag
