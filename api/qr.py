"""An address as a picture that any camera reads, dark on white whatever the phone's colours are."""

import base64
from io import BytesIO

import segno

CORRECTION = "m"
"""15 % of it may be scratched or in the sun."""
QUIET = 4
"""Modules of white around it, which the standard asks for."""
PIXELS = 6


def as_svg(address: str) -> str:
    """A document of its own, to be scaled to any size."""
    return _written(address, "svg", scale=PIXELS, xmldecl=False, nl=False).decode()


def as_png(address: str) -> str:
    """In base64."""
    return base64.b64encode(_written(address, "png", scale=PIXELS)).decode()


def _written(address: str, form: str, **more: object) -> bytes:
    written = BytesIO()
    code = segno.make(address, error=CORRECTION, micro=False, boost_error=False)
    code.save(written, kind=form, border=QUIET, dark="#000", light="#fff", **more)
    return written.getvalue()
