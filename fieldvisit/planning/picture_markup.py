"""Elements of a page, built as a tree: whatever text goes in comes out escaped."""

import re
from xml.etree.ElementTree import Element, tostring

# What no HTML or XML document may hold, escaped or not.
UNSPEAKABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Child = Element | str | None


def element(tag: str, *children: Child, **attributes: object) -> Element:
    """An element with children in order; None is passed over. ``class_`` is ``class``, ``data_x`` is ``data-x``.

    Attributes take our own words and numbers only: text from outside belongs among the children.
    """
    named = {name.rstrip("_").replace("_", "-"): str(value) for name, value in attributes.items() if value is not None}
    made = Element(tag, named)
    for child in children:
        if isinstance(child, str):
            _append_text(made, UNSPEAKABLE.sub("\ufffd", child))
        elif child is not None:
            made.append(child)
    return made


def markup(tree: Element) -> str:
    """The element as HTML."""
    return tostring(tree, encoding="unicode", method="html")


def _append_text(parent: Element, text: str) -> None:
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text
