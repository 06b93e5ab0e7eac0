"""What a camera wrote into a photo (EXIF): when it was taken, and where. Not believed: compared with what is known.

No pixel is unpacked: a file of 200 KB may hold so many that they take hundreds of megabytes, and the notes stand apart.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import ExifTags, Image
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from fieldvisit.file_kinds import kind_of
from fieldvisit.languages import Message
from fieldvisit.photos import PhotoUnusable
from fieldvisit.vocabulary import FileKind

UNREADABLE = (ArithmeticError, KeyError, TypeError, ValueError)
"""What comes of notes that no camera writes; an hour of the day with nine digits is an OverflowError."""
READERS: Mapping[FileKind | None, type[ImageFile]] = {
    # By themselves, for `Image.open` refuses what has many pixels, and these unpack none.
    FileKind.JPEG: JpegImageFile,
    FileKind.PNG: PngImageFile,
    FileKind.WEBP: WebPImageFile,
}
END_OF_JPEG = b"\xff\xd9"


@dataclass(frozen=True, kw_only=True)
class CameraNotes:
    """WGS-84 degrees, as EXIF has them. `taken_at` only where the camera said in which zone, or by the satellites."""

    taken_at: dt.datetime | None = None
    lat: float | None = None
    lon: float | None = None
    readable: bool = True
    """False: there is something where the notes stand, and it is none."""


def camera_notes(content: bytes) -> CameraNotes:
    """The notes of a photo that is whole; of a PNG those that stand before its pixels.

    Raises PhotoUnusable for one that was cut off, or is no picture. Notes that cannot be read keep nothing out.
    """
    try:
        image = READERS[kind_of(content)](BytesIO(content))
        _demand_whole(image, content)
    except Image.DecompressionBombError:
        # A WEBP of more pixels than any camera takes is not looked into.
        return CameraNotes(readable=False)
    except MemoryError:
        raise
    except Exception as error:
        # Whatever the readers trip over: said once and for all, for the same bytes will not become better.
        raise PhotoUnusable(reason=Message("It cannot be read")) from error
    found = _found(image)
    if found is None:
        return CameraNotes(readable=False)
    more, place = found
    lat = _degrees(place, ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLatitudeRef, most=90)
    lon = _degrees(place, ExifTags.GPS.GPSLongitude, ExifTags.GPS.GPSLongitudeRef, most=180)
    if lat is None or lon is None:
        lat = lon = None
    return CameraNotes(taken_at=_by_camera(more) or _by_satellites(place), lat=lat, lon=lon)


def _demand_whole(image: ImageFile, content: bytes) -> None:
    """Raises what the readers raise. Of a WEBP its reader has seen to it."""
    if isinstance(image, PngImageFile):
        image.verify()
    # The reader stands where the pixels begin; what they are packed in has no such two bytes but at its end.
    if isinstance(image, JpegImageFile) and (image.fp is None or content.find(END_OF_JPEG, image.fp.tell()) < 0):
        raise OSError("cut off")


def _found(image: ImageFile) -> tuple[Mapping[int, Any], Mapping[int, Any]] | None:
    """The camera's own notes and those of the place; None for what reads as neither."""
    try:
        if "exif" in image.info:
            # Anew: the reader of JPEG has looked for a resolution in them, and keeps to itself that they are none.
            notes = Image.Exif()
            notes.load(image.info["exif"])
        else:
            # As any picture's: the reader of PNG would unpack the pixels, to look for notes behind them.
            notes = Image.Image.getexif(image)
        return notes.get_ifd(ExifTags.IFD.Exif), notes.get_ifd(ExifTags.IFD.GPSInfo)
    except MemoryError:
        raise
    except Exception:
        # Whoever wrote them chose what comes of it: short ones, and those that point out of any file.
        return None


def _degrees(place: Mapping[int, Any], value: int, side: int, *, most: int) -> float | None:
    try:
        degrees, minutes, seconds = (float(each) for each in place[value])
        found = degrees + minutes / 60 + seconds / 3_600
        found = -found if str(place[side])[:1].upper() in ("S", "W") else found
    except UNREADABLE:
        return None
    return found if -most <= found <= most else None


def _by_camera(notes: Mapping[int, Any]) -> dt.datetime | None:
    try:
        said = f"{notes[ExifTags.Base.DateTimeOriginal]}{notes[ExifTags.Base.OffsetTimeOriginal]}"
        return dt.datetime.strptime(said, "%Y:%m:%d %H:%M:%S%z")
    except UNREADABLE:
        return None


def _by_satellites(place: Mapping[int, Any]) -> dt.datetime | None:
    try:
        hours, minutes, seconds = (int(float(each)) for each in place[ExifTags.GPS.GPSTimeStamp])
        day = dt.datetime.strptime(str(place[ExifTags.GPS.GPSDateStamp]), "%Y:%m:%d").replace(tzinfo=dt.UTC)
        return day + dt.timedelta(hours=hours, minutes=minutes, seconds=seconds)
    except UNREADABLE:
        return None
