"""The kinds of value on the wire. Strict: what is meant is said, nothing is guessed, and a refusal says what is right.

Messages are `fieldvisit.languages.Message`s, so that the translator can speak them in the caller's language.
"""

import base64
import binascii
import datetime as dt
import re
import typing
import uuid
from enum import StrEnum
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from api.closed_lists import MARK
from api.schemas.forms_in_words import CURRENCY, in_words
from fieldvisit.drafts import EARLIEST, LATEST, LONGEST_ID
from fieldvisit.errors import InvalidValue
from fieldvisit.languages import Message
from fieldvisit.writable import UNWRITABLE, visible

BIGGEST = 2**53 - 1
"""The largest whole number that every JSON reader reads exactly."""


def refused(text: str, **values: object) -> ValidationError:
    return ValidationError([Message(text, values)])


class _LengthWithin(validate.Length):
    def _format_error(self, value: Any, message: str) -> Any:
        return [Message("It has {count}, allowed are {min} to {max}.", self._facts(value))]

    def _facts(self, value: Any) -> dict[str, object]:
        return {"count": len(value), "min": self.min, "max": self.max}


class NumberWithin(validate.Range):
    def _format_error(self, value: Any, message: str) -> Any:
        return [Message("It is outside of {min} to {max}.", {"min": self.min, "max": self.max})]


class _Matching(validate.Regexp):
    def __init__(self, form: str) -> None:
        # Anchored in the document; `fullmatch` needs no anchors but minds none.
        super().__init__(f"^(?:{form})$")
        self._words = in_words(form)

    def __call__(self, value: Any) -> Any:
        if self.regex.fullmatch(value) is None:
            raise refused("It has another form than this: {form}.", form=self._words)
        return value


class Text(fields.String):
    """Text of `min` to `max` characters, without control characters; of a `form` (a regular expression) if given.

    What nobody sees in it is taken out (`fieldvisit.writable`), unless it is a `secret`, which nobody reads.
    """

    def __init__(
        self, *, min: int = 1, max: int = 200, form: str | None = None, secret: bool = False, **more: Any
    ) -> None:
        checks: list[Any] = [_LengthWithin(min=min, max=max)]
        if form is not None:
            checks.append(_Matching(form))
        self._bounds = (min, max, form)
        self._secret = secret
        super().__init__(validate=checks, **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> str:
        if not isinstance(value, str):
            raise refused("Not a text.")
        if UNWRITABLE.search(value):
            raise refused("It contains a character that cannot be stored.")
        return value if self._secret else visible(value)

    def expected(self) -> Message:
        low, high, form = self._bounds
        if form is not None:
            return in_words(form)
        return Message("a text of {min} to {max} characters", {"min": low, "max": high})


class Base64(fields.Field[bytes]):
    """Bytes, of which at least one and at most `most_bytes`, in base64 (RFC 4648, padded)."""

    def __init__(self, *, most_bytes: int, **more: Any) -> None:
        self.most_bytes = most_bytes
        more.setdefault("metadata", {}).update(type="string", contentEncoding="base64", maxLength=self.most_characters)
        super().__init__(**more)

    @property
    def most_characters(self) -> int:
        return -(-self.most_bytes // 3) * 4

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> bytes:
        if not isinstance(value, str):
            raise refused("Not a text.")
        if len(value) > self.most_characters:
            raise refused(
                "It has {count}, allowed are {min} to {max}.", count=len(value), min=4, max=self.most_characters
            )
        try:
            content = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError) as error:
            raise refused("Not base64.") from error
        if not content:
            raise refused("It is empty.")
        return content

    def expected(self) -> Message:
        return Message("at most {max} bytes in base64", {"max": self.most_bytes})


class Whole(fields.Integer):
    """A whole number in `min` to `max`. 7.0 is one, as JSON Schema says; "7" and true are not."""

    def __init__(self, *, min: int = 0, max: int = BIGGEST, **more: Any) -> None:
        self._bounds = (min, max)
        super().__init__(validate=NumberWithin(min=min, max=max), **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise refused("Not a whole number.")
        if isinstance(value, float) and not value.is_integer():
            raise refused("Not a whole number.")
        return int(value)

    def expected(self) -> Message:
        return Message("a whole number from {min} to {max}", {"min": self._bounds[0], "max": self._bounds[1]})


class WholeInQuery(Whole):
    """The same in a query string, where everything is text."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> int:
        if not isinstance(value, str) or not re.fullmatch(r"-?[0-9]{1,16}", value):
            raise refused("Not a whole number.")
        return int(value)


class Instant(fields.AwareDateTime):
    """A moment with its offset. Loaded as UTC; a moment without an offset is refused, never guessed."""

    def __init__(self, **more: Any) -> None:
        super().__init__(format="iso", **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> dt.datetime:
        try:
            moment = dt.datetime.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            moment = None
        if moment is None or "T" not in value.upper():
            raise refused("Not an instant.")
        if moment.tzinfo is None:
            raise refused("An instant without an offset: it could mean any of 38 moments.")
        if not EARLIEST < moment.date() < LATEST:
            raise refused("It is outside of {min} to {max}.", min=EARLIEST, max=LATEST)
        return moment.astimezone(dt.UTC)

    def expected(self) -> Message:
        return Message("an instant with an offset, like 2026-03-03T09:00:00+02:00")


class Day(fields.Date):
    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> dt.date:
        if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            raise refused("Not a date.")
        try:
            day = dt.date.fromisoformat(value)
        except ValueError as error:
            raise refused("Not a date.") from error
        if not EARLIEST <= day <= LATEST:
            raise refused("It is outside of {min} to {max}.", min=EARLIEST, max=LATEST)
        return day

    def expected(self) -> Message:
        return Message("a date like 2026-03-03")


class LocalTime(fields.Time):
    """A time on the wall clock of the place it is about."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> dt.time:
        if not isinstance(value, str) or not re.fullmatch(r"\d{2}:\d{2}(:\d{2})?", value):
            raise refused("Not a time of day.")
        try:
            return dt.time.fromisoformat(value)
        except ValueError as error:
            raise refused("Not a time of day.") from error

    def _serialize(self, value: Any, attr: str | None, obj: Any, **more: Any) -> str | None:
        return None if value is None else value.isoformat()

    def expected(self) -> Message:
        return Message("a local time of day like 09:30")


class Choice[E: StrEnum](fields.String):
    """One of a closed list, by its value. Dumps members and stored values alike."""

    def __init__(self, choices: type[E], **more: Any) -> None:
        self.choices = choices
        # A null that is allowed has to be in the list too, or the document forbids it.
        none = [None] if more.get("allow_none") or more.get("load_default", ...) is None else []
        listed = {"enum": [*(member.value for member in choices), *none], MARK: choices.__name__}
        more.setdefault("metadata", {}).update(listed)
        super().__init__(**more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        try:
            return self.choices(value)
        except ValueError as error:
            raise refused("Not in the list.") from error

    def expected(self) -> Message:
        return Message("one of: {known}", {"known": ", ".join(member.value for member in self.choices)})


class Id(fields.UUID):
    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> uuid.UUID:
        try:
            return uuid.UUID(value) if isinstance(value, str) and len(value) == 36 else _not_an_id()
        except ValueError as error:
            raise refused("Not an id.") from error

    def expected(self) -> Message:
        return Message("an id like 018f2c5e-7c1a-7d3e-9b0a-3f5d1c2b4a69")


def _not_an_id() -> typing.NoReturn:
    raise refused("Not an id.")


class Flag(fields.Boolean):
    """true or false; neither 1 nor "yes"."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> bool:
        if not isinstance(value, bool):
            raise refused("Neither true nor false.")
        return value

    def expected(self) -> Message:
        return Message("true or false")


class FlagInQuery(Flag):
    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> bool:
        if value not in ("true", "false"):
            raise refused("Neither true nor false.")
        return bool(value == "true")


class Many(fields.List[Any]):
    """A list of `min` to `max` values."""

    def __init__(self, inner: Any, *, min: int = 0, max: int = 100, **more: Any) -> None:
        self._bounds = (min, max)
        super().__init__(inner, validate=_LengthWithin(min=min, max=max), **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> list[Any]:
        if not isinstance(value, list):
            raise refused("Not a list.")
        # Counted before the inside is read: a million values are refused for being a million.
        if len(value) > self._bounds[1]:
            raise refused("It has {count}, allowed are {min} to {max}.", count=len(value), **self._as_facts())
        return super()._deserialize(value, attr, data, **more)

    def _as_facts(self) -> dict[str, int]:
        return {"min": self._bounds[0], "max": self._bounds[1]}

    def expected(self) -> Message:
        return Message("a list of {min} to {max} values", self._as_facts())


class Part(fields.Nested):
    """An object inside an object. What the domain has against it is told at its place."""

    def __init__(self, schema: type[Schema] | Schema, **more: Any) -> None:
        super().__init__(schema, **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, partial: Any = None, **more: Any) -> Any:
        try:
            return super()._deserialize(value, attr, data, partial=partial, **more)
        except InvalidValue as error:
            reason = error.details["reason"]
            said = reason if isinstance(reason, Message) else Message(str(reason))
            raise ValidationError({str(error.details["path"]): [said]}) from error

    def expected(self) -> Message:
        names = (field.data_key or name for name, field in self.schema.load_fields.items())
        return Message("an object with: {known}", {"known": ", ".join(names)})


class Currency(Text):
    """An ISO 4217 code."""

    def __init__(self, **more: Any) -> None:
        # One fault for one mistake: the form says the length too.
        super().__init__(form=CURRENCY, **more)


class OuterId(Text):
    """The id that the sending system gives; the same id again means the same thing."""

    def __init__(self, **more: Any) -> None:
        super().__init__(max=LONGEST_ID, **more)
