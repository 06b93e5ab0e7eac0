"""Pictures for tests, made and not kept."""

import struct
import zlib
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


def claiming(width: int, height: int, *, form: str = "JPEG") -> bytes:
    """A small picture whose head tells of so many pixels. Whoever unpacks it finds too few, if there is the memory."""
    if form == "JPEG":
        sent = picture(200, 200)
        at = sent.index(b"\xff\xc0") + 5
        return sent[:at] + struct.pack(">HH", height, width) + sent[at + 4 :]
    sent = picture(200, 200, form="PNG")
    head = b"IHDR" + struct.pack(">II", width, height) + sent[24:29]
    return sent[:12] + head + struct.pack(">I", zlib.crc32(head)) + sent[33:]


def with_bad_notes(notes: bytes, *, form: str) -> bytes:
    """A photo with these bytes where the camera's notes stand."""
    return picture(200, 200, form=form, exif=b"Exif\0\0" + notes)


def pointing_out(tag: int, to: int) -> bytes:
    """Notes whose one entry, a number of eight bytes, points to where no file reaches."""
    return b"II*\0" + struct.pack("<IHHHIIIQ", 8, 1, tag, 16, 1, 26, 0, to)


BAD_NOTES = [
    (form, notes)
    for form in ("JPEG", "PNG", "WEBP")
    for notes in (b"II*\0", b"II*\0\0\0\0", pointing_out(0x8769, 2**63), pointing_out(0x8825, 2**64 - 1))
]


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
