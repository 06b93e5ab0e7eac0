"""The portrait of a visitor: made small, upright and without anything that the camera wrote beside it."""

import struct
import warnings
from io import BytesIO
from threading import Lock

from PIL import Image, ImageOps
from PIL.JpegImagePlugin import JpegImageFile

from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.files import IMAGES, terms_for
from fieldvisit.languages import Message

TAKES = terms_for(IMAGES, most_mb=5)
LARGEST = (300, 400)
"""Pixels. Large enough to know a face by on a telephone, small enough for a slow network."""
SMALLEST = 120
MOST_PIXELS, MOST_WHOLE = 50_000_000, 16_000_000
"""Of a JPEG, which is read at a fraction of its size; and of what has to be unpacked whole, four bytes a pixel."""
BROKEN = (
    *(Image.DecompressionBombError, Image.DecompressionBombWarning),
    *(ArithmeticError, EOFError, LookupError, OSError, SyntaxError, TypeError, ValueError, struct.error),
)
"""What the decoders say of broken files, and of those that unpack to more than any camera takes."""
QUALITY = 82
# Whoever sends a file chooses what its decoders warn of: thousands of lines of the log, each another.
warnings.filterwarnings("ignore", module=r"PIL\.")
_unpacking = Lock()
"""One at a time in each process: so much memory is taken once."""


class PhotoUnusable(FieldVisitError):
    code, kind = "photo_unusable", Kind.INVALID
    says = "The photo cannot be used: {reason}"


def portrait(content: bytes) -> bytes:
    """The photo as a JPEG within `LARGEST`, whole, without the camera's notes (place, time, device).

    Raises FileTooLarge, FileNotTaken, PhotoUnusable.
    """
    TAKES.judged(content)
    try:
        with _unpacking, Image.open(BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as image:
            _demand_sensible(*image.size, most=MOST_PIXELS if isinstance(image, JpegImageFile) else MOST_WHOLE)
            small = _small(image)
    except BROKEN as error:
        raise PhotoUnusable(reason=Message("It cannot be read")) from error
    written = BytesIO()
    small.save(written, "JPEG", quality=QUALITY, optimize=True)
    return written.getvalue()


def _demand_sensible(width: int, height: int, *, most: int) -> None:
    if min(width, height) < SMALLEST or width * height > most:
        raise PhotoUnusable(
            reason=Message(
                "It has {width} × {height} pixels; at least {least} each way are needed, and at most {most} in all.",
                {"width": width, "height": height, "least": SMALLEST, "most": most},
            )
        )


def _small(image: Image.Image) -> Image.Image:
    # A JPEG is read at a fraction of its size: a photo of 50 megapixels takes no 150 MB.
    image.draft("RGB", (LARGEST[0] * 2, LARGEST[1] * 2))
    upright = _upright(image)
    upright.thumbnail(LARGEST)
    with_alpha = upright.convert("RGBA")
    white = Image.new("RGB", with_alpha.size, "white")
    white.paste(with_alpha, mask=with_alpha.getchannel("A"))
    return white


def _upright(image: Image.Image) -> Image.Image:
    """As the camera was held; as it lies where the notes of it cannot be read."""
    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except BROKEN:
        return image
