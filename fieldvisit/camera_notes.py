"""What a camera wrote into a photo (EXIF): when it was taken, and where. Not believed: compared with what is known."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import ExifTags, Image

from fieldvisit.languages import Message
from fieldvisit.photos import MOST_PIXELS, PhotoUnusable

UNREADABLE = (ArithmeticError, KeyError, TypeError, ValueError)
"""What comes of notes that no camera writes; an hour of the day with nine digits is an OverflowError."""


@dataclass(frozen=True, kw_only=True)
class CameraNotes:
    """WGS-84 degrees, as EXIF has them. `taken_at` only where the camera said in which zone, or by the satellites."""

    taken_at: dt.datetime | None = None
    lat: float | None = None
    lon: float | None = None


def camera_notes(content: bytes) -> CameraNotes:
    """The notes of a photo that can be read; raises PhotoUnusable for one that cannot."""
    try:
        with Image.open(BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as image:
            if image.size[0] * image.size[1] > MOST_PIXELS:
                raise PhotoUnusable(reason=Message("It cannot be read"))
            image.load()
            notes = image.getexif()
            more, place = notes.get_ifd(ExifTags.IFD.Exif), notes.get_ifd(ExifTags.IFD.GPSInfo)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, OSError, SyntaxError, ValueError) as error:
        raise PhotoUnusable(reason=Message("It cannot be read")) from error
    lat = _degrees(place, ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLatitudeRef, most=90)
    lon = _degrees(place, ExifTags.GPS.GPSLongitude, ExifTags.GPS.GPSLongitudeRef, most=180)
    if lat is None or lon is None:
        lat = lon = None
    return CameraNotes(taken_at=_by_camera(more) or _by_satellites(place), lat=lat, lon=lon)


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
