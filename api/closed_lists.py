"""The closed lists of the document, each a component of its own: a client that is made of it has one type for each."""

from typing import Any

MARK = "x-closed-list"
"""How a field says which list it is of; it does not stay in the document."""
COMPONENTS = "#/components/schemas/"


def name_lists(document: dict[str, Any]) -> None:
    """Put every marked list among the components, and a reference in its place; one that may be null says so beside."""
    found: dict[str, dict[str, Any]] = {}
    _named(document, found)
    components = document["components"]["schemas"]
    clash = sorted(found.keys() & components.keys())
    if clash:
        raise TypeError(f"A schema and a closed list have one name: {', '.join(clash)}")
    components |= dict(sorted(found.items()))


def _named(node: Any, found: dict[str, dict[str, Any]]) -> Any:
    if isinstance(node, list):
        return [_named(each, found) for each in node]
    if not isinstance(node, dict):
        return node
    for name, value in node.items():
        node[name] = _named(value, found)
    return _reference(node, found) if MARK in node else node


def _reference(schema: dict[str, Any], found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    name, values = schema[MARK], [value for value in schema["enum"] if value is not None]
    if found.setdefault(name, {"type": "string", "enum": values})["enum"] != values:
        raise TypeError(f"Two closed lists are called {name}.")
    here: dict[str, Any] = {"$ref": COMPONENTS + name}
    if None in schema["enum"]:
        here = {"anyOf": [here, {"type": "null"}]}
    return here | {said: schema[said] for said in ("description", "default", "readOnly") if said in schema}
