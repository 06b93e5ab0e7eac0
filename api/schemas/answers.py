"""What is answered around a thing: a page of them, or what an upsert did with it."""

from dataclasses import dataclass
from functools import cache

from marshmallow import Schema, fields

from api.schemas.base import Out
from api.schemas.fields import Choice, Part
from fieldvisit.drafts import Change


@dataclass(frozen=True)
class Stored:
    """What an upsert did, and the thing as it stands now."""

    change: Change
    item: object

    @classmethod
    def of(cls, upserted: tuple[object, Change]) -> "Stored":
        return cls(change=upserted[1], item=upserted[0])


def stored(schema: Schema) -> Schema:
    """The schema of what an upsert answers: what it did, and the thing as it stands now."""
    return _stored_class(type(schema))()


@cache
def _stored_class(item: type[Schema]) -> type[Schema]:
    name = item.__name__.removesuffix("Out") + "StoredOut"
    return Out.from_dict({"change": Choice(Change, required=True), "item": Part(item, required=True)}, name=name)


@cache
def _page_class(items: type[Schema]) -> type[Schema]:
    name = items.__name__.removesuffix("Out") + "PageOut"
    return Out.from_dict(
        {"items": fields.List(Part(items), required=True), "next": fields.String(allow_none=True, required=True)},
        name=name,
    )


def page_of(schema: Schema) -> Schema:
    """The schema of one page of these."""
    return _page_class(type(schema))()
