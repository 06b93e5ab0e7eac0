"""What a file is, by its first bytes: whatever it is called."""

from collections.abc import Mapping

from fieldvisit.vocabulary import FileKind

_BEGINNINGS: Mapping[FileKind, tuple[tuple[int, bytes], ...]] = {
    FileKind.JPEG: ((0, b"\xff\xd8\xff"),),
    FileKind.PNG: ((0, b"\x89PNG\r\n\x1a\n"),),
    FileKind.WEBP: ((0, b"RIFF"), (8, b"WEBP")),
    FileKind.PDF: ((0, b"%PDF-"),),
    # Sound alone says so; before the kind that may be either.
    FileKind.M4A: ((4, b"ftypM4A"),),
    FileKind.MP4: ((4, b"ftyp"),),
    FileKind.WEBM: ((0, b"\x1a\x45\xdf\xa3"),),
    FileKind.OGG: ((0, b"OggS"),),
    FileKind.MP3: ((0, b"ID3"),),
    FileKind.WAV: ((0, b"RIFF"), (8, b"WAVE")),
}
_STILLS = frozenset({b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
"""Photos in the container of films, by its brand: shown as a film they are nothing."""


def kind_of(content: bytes) -> FileKind | None:
    """What the first bytes say that it is; None for what is not known here."""
    for kind, marks in _BEGINNINGS.items():
        if all(content[at : at + len(mark)] == mark for at, mark in marks):
            return None if kind is FileKind.MP4 and content[8:12] in _STILLS else kind
    return None
