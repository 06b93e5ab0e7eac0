"""The portrait of a visitor: made small, upright and without anything that the camera wrote beside it."""

from io import BytesIO

from PIL import Image, ImageOps

from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.files import IMAGES, terms_for
from fieldvisit.languages import Message

TAKES = terms_for(IMAGES, most_mb=5)
LARGEST = (300, 400)
"""Pixels. Large enough to know a face by on a telephone, small enough for a slow network."""
SMALLEST = 120
MOST_PIXELS = 50_000_000
QUALITY = 82


class PhotoUnusable(FieldVisitError):
    code, kind = "photo_unusable", Kind.INVALID
    says = "The photo cannot be used: {reason}"


def portrait(content: bytes) -> bytes:
    """The photo as a JPEG within `LARGEST`, whole, without the camera's notes (place, time, device).

    Raises FileTooLarge, FileNotTaken, PhotoUnusable.
    """
    TAKES.judged(content)
    try:
        with Image.open(BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as image:
            _demand_sensible(*image.size)
            small = _small(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, OSError, SyntaxError, ValueError) as error:
        # What the decoders say of broken files, and of those that unpack to more than any camera takes.
        raise PhotoUnusable(reason=Message("It cannot be read")) from error
    written = BytesIO()
    small.save(written, "JPEG", quality=QUALITY, optimize=True)
    return written.getvalue()


def _demand_sensible(width: int, height: int) -> None:
    if min(width, height) < SMALLEST or width * height > MOST_PIXELS:
        raise PhotoUnusable(
            reason=Message(
                "It has {width} × {height} pixels; at least {least} each way are needed, and at most {most} in all.",
                {"width": width, "height": height, "least": SMALLEST, "most": MOST_PIXELS},
            )
        )


def _small(image: Image.Image) -> Image.Image:
    # A JPEG is read at a fraction of its size: a photo of 50 megapixels takes no 150 MB.
    image.draft("RGB", (LARGEST[0] * 2, LARGEST[1] * 2))
    upright = ImageOps.exif_transpose(image)
    upright.thumbnail(LARGEST)
    with_alpha = upright.convert("RGBA")
    white = Image.new("RGB", with_alpha.size, "white")
    white.paste(with_alpha, mask=with_alpha.getchannel("A"))
    return white
