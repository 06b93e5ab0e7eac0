"""What is on the disk for good: a power cut takes what was only written."""

import errno
import os
from pathlib import Path

NOT_HERE = (errno.EINVAL, errno.ENOTSUP)
"""Some network's folders cannot be forced: their names are kept by the other end."""


def sync_file(path: Path, *, below: Path) -> None:
    """Force a file: its content, its name, and the folders on the way to it from `below` on. Raises OSError."""
    _sync(path)
    for folder in path.parents:
        sync_folder(folder)
        if folder == below:
            break


def sync_folder(folder: Path) -> None:
    """Force which names are in a folder, and which no more. Raises OSError."""
    try:
        _sync(folder)
    except OSError as error:
        if error.errno not in NOT_HERE:
            raise


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
