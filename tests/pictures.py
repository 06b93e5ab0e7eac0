"""Pictures for tests, made and not kept."""

from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw

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


def drawn_portrait() -> bytes:
    """Somebody who does not exist, looking friendly."""
    image = Image.new("RGB", (600, 800), (214, 224, 232))
    pen, hair, skin = ImageDraw.Draw(image), (60, 44, 36), (232, 190, 160)
    pen.ellipse((60, 560, 540, 1150), fill=(44, 72, 110))
    pen.polygon([(240, 575), (360, 575), (300, 700)], fill=(245, 245, 245))
    pen.rectangle((250, 470, 350, 600), fill=(222, 180, 150))
    pen.ellipse((170, 170, 430, 530), fill=skin)
    pen.chord((150, 120, 450, 470), 180, 360, fill=hair)
    for left in (150, 415):
        pen.rectangle((left, 290, left + 35, 420), fill=hair)
    for eye in (245, 355):
        pen.ellipse((eye - 14, 330, eye + 14, 354), fill=hair)
    pen.arc((255, 400, 345, 460), 20, 160, fill=(150, 70, 70), width=7)
    pen.line((300, 350, 292, 400, 308, 402), fill=(200, 150, 125), width=5)
    written = BytesIO()
    image.save(written, "JPEG", quality=90)
    return written.getvalue()
