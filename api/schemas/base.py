"""What every schema shares: nothing unknown comes in, and shapes that several resources use."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import RAISE, fields, post_load

from api.schemas.fields import Choice, Part, Text, WholeInQuery
from api.schemas.measures import Latitude, Longitude
from api.schemas.short_ways import ReadShortly, ToldShortly
from fieldvisit.vocabulary import Datum

PAGE_MOST = 200
PAGE_USUAL = 50


class In(ReadShortly):
    """What a caller sends. An unknown field is refused: a misspelt wish must not be lost without a word.

    `sample`: what its example in the document says besides what is needed; `...` for whatever the field's kind gives.
    """

    sample: ClassVar[Mapping[str, Any]] = {}

    class Meta:
        unknown = RAISE


class Out(ToldShortly):
    """What a caller gets: every field is listed, so that nothing leaves by accident.

    Its texts, numbers and lists are marshmallow's own: bounds are for what comes in. `sample` as in what comes in.
    """

    sample: ClassVar[Mapping[str, Any]] = {}

    class Meta:
        unknown = RAISE


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
