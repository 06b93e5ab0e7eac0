"""What every schema shares: nothing unknown comes in, and shapes that several resources use."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache, cached_property
from operator import attrgetter
from typing import Any, ClassVar

from marshmallow import RAISE, Schema, fields, missing, post_load

from api.schemas.fields import Choice, Latitude, Longitude, Part, Text, WholeInQuery
from fieldvisit.vocabulary import Datum

PAGE_MOST = 200
PAGE_USUAL = 50


class In(Schema):
    """What a caller sends. An unknown field is refused: a misspelt wish must not be lost without a word.

    `sample`: what its example in the document says besides what is needed; `...` for whatever the field's kind gives.
    """

    sample: ClassVar[Mapping[str, Any]] = {}

    class Meta:
        unknown = RAISE


class Out(Schema):
    """What a caller gets: every field is listed, so that nothing leaves by accident.

    Its texts, numbers and lists are marshmallow's own: bounds are for what comes in. `sample` as in what comes in.
    """

    sample: ClassVar[Mapping[str, Any]] = {}

    class Meta:
        unknown = RAISE

    def _serialize(self, obj: Any, *, many: bool = False) -> Any:
        """As marshmallow does for an object of attributes, without finding out anew at each value how one comes by it:
        answers to phones are made of little else. Everything else goes its way."""
        if many or obj is None or hasattr(obj, "__getitem__"):
            return super()._serialize(obj, many=many)
        said = self.dict_class()
        for name, key, field, read in self._read_by:
            try:
                value = read(obj)
            except AttributeError:
                if (value := field.serialize(name, obj, accessor=self.get_attribute)) is not missing:
                    said[key] = value
            else:
                said[key] = field._serialize(value, name, obj)  # noqa: SLF001  # what `field.serialize` ends with
        return said

    @cached_property
    def _read_by(self) -> list[tuple[str, str, fields.Field[Any], Callable[[Any], Any]]]:
        """Of each value: its name here and in the answer, its field, and how it is read. Some fields make theirs."""
        return [
            (name, field.data_key or name, field, _getter(field.attribute or name) if field._CHECK_ATTRIBUTE else _none)  # noqa: SLF001
            for name, field in self.dump_fields.items()
        ]

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        # marshmallow tries each step of a path as an item, then as an attribute. What we dump is nearly always objects
        # of attributes alone, or plain dictionaries.
        if type(obj) is dict and attr in obj:
            return obj[attr]
        if not hasattr(obj, "__getitem__"):
            with suppress(AttributeError):
                return _getter(attr)(obj)
        return super().get_attribute(obj, attr, default)


def _none(_: Any) -> None:
    return None


@cache
def _getter(path: str) -> Callable[[Any], Any]:
    return attrgetter(path)


class PageIn(In):
    """Which page of a list."""

    after = Text(max=500, load_default=None, metadata={"description": "`next` of the page before"})
    limit = WholeInQuery(min=1, max=PAGE_MOST, load_default=PAGE_USUAL)


class PointIn(In):
    """A coordinate and the datum it was measured in: a mistake of datum is hundreds of metres."""

    lat = Latitude(required=True)
    lon = Longitude(required=True)
    datum = Choice(Datum, required=True)


class PointOut(Out):
    """WGS-84, always."""

    lat = fields.Float(required=True)
    lon = fields.Float(required=True)


class MoneyOut(Out):
    amount_minor = fields.Integer(required=True)
    currency = fields.String(required=True)


class Drafted(In):
    """An In schema whose loaded values become one value of the domain: `makes` names its class."""

    makes: type[Any]

    @post_load
    def draft(self, data: dict[str, Any], **_: Any) -> Any:
        # A value of the domain is frozen through and through: its lists are tuples.
        frozen = {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
        return self.makes(**frozen)


class FaultOut(Out):
    place = fields.String(data_key="in", attribute="in", required=True, metadata={"description": "body or query"})
    pointer = fields.String(
        required=True, metadata={"description": "JSON pointer of the value, or the parameter's name"}
    )
    value = fields.Raw(
        allow_none=True,
        metadata={"description": "what was given, shortened; null for an object", "examples": ["tomorrow"]},
    )
    reason = fields.String(required=True)
    expected = fields.String(allow_none=True, required=True)


class ProblemOut(Out):
    """Any refusal, as RFC 9457 has it. Programs read `code`; people read `detail`."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    code = fields.String(required=True)
    request_id = fields.String(required=True)
    details = fields.Dict(metadata={"description": "the facts of `detail` by name"})
    errors = fields.List(Part(FaultOut), metadata={"description": "each value of the request that was refused"})
