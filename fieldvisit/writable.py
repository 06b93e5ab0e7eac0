"""Which characters a text from outside may hold: what nobody sees is taken out at the border, what cannot be stored is
refused there.

Signs that turn the direction of what follows make ``gpj.exe`` of ``exe.jpg``, and signs of no width make two names of
what looks like one. Neither is ever meant. What Arabic, Hebrew, Persian, Indic and Chinese writing needs stays.
"""

import re

UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters but tab and line ends, and halves of surrogate pairs: PostgreSQL refuses some, people see none."""
# Overrides, embeddings and isolates; soft hyphen, zero-width space, word joiner, invisible operators, byte order mark;
# deprecated formats, annotations, tags; letters that are drawn as nothing.
_NEVER = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u202a-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb"
    "\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)
_LINE_END = re.compile("\r?[\u2028\u2029]")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_MARKS = re.compile("[\u061c\u200e\u200f]")
# A joiner between letters that it shapes, or parts of one picture; not between Latin letters, digits or Chinese ones.
_LOOSE_JOINER = re.compile(
    "(?<![\u0590-\u1fff\u2190-\u2bff\ufe0f\U0001f000-\U0001faff])[\u200c\u200d]"
    "|[\u200c\u200d](?![\u0590-\u1fff\u2190-\u2bff\U0001f000-\U0001faff])"
)


def visible(text: str) -> str:
    """The text without what nobody sees: the same words for every reader."""
    if text.isascii():
        return text
    seen = _NEVER.sub("", _LINE_END.sub("\n", text))
    if _RIGHT_TO_LEFT.search(seen) is None:
        seen = _MARKS.sub("", seen)
    return _LOOSE_JOINER.sub("", seen)
