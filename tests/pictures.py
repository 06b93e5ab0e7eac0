"""Pictures for tests, made and not kept."""

from io import BytesIO
from typing import Any

from PIL import Image

PLACE = "60.1699 N, 24.9384 E"


def picture(width: int = 600, height: int = 800, *, form: str = "JPEG", mode: str = "RGB", **saved: Any) -> bytes:
    """A face-like picture: a light oval on a ground that is darker at the top, so that up and down can be told."""
    image = Image.linear_gradient("L").resize((width, height)).convert(mode)
    written = BytesIO()
    image.save(written, form, **saved)
    return written.getvalue()


def with_notes(*, orientation: int = 1) -> bytes:
    """A photo as a telephone makes it: with the place, and turned."""
    notes = Image.Exif()
    notes[0x0112] = orientation
    notes[0x010E] = PLACE
    return picture(exif=notes)
