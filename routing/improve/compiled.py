"""The one way in which a function of the kernel is compiled: without Python's lock, and kept on disk."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from numba import njit
from numba.core import config

FOLDER = Path(__file__).parent


def kernel_cache() -> Path:
    """A cache folder of this very kernel, below `NUMBA_CACHE_DIR` or beside the code.

    Numba looks only at the file of the function it loads. A function whose callee has changed in another file would be
    loaded as it was, so the folder's name is a hash of all the kernel's files.
    """
    sources = b"".join(path.read_bytes() for path in sorted(FOLDER.glob("*.py")))
    base = Path(os.environ["NUMBA_CACHE_DIR"]) if os.environ.get("NUMBA_CACHE_DIR") else FOLDER / "__pycache__"
    return base / f"kernel-{hashlib.sha256(sources).hexdigest()[:16]}"


config.CACHE_DIR = str(kernel_cache())  # type: ignore[attr-defined]


def compiled[Function: Callable[..., Any]](function: Function) -> Function:
    """Compile on first use; a cache that cannot be written is left to Numba's own choice.

    Without Numba's counting of references: it costs most of the time, and more where threads share arrays. So a
    function compiled like this makes no array, nor calls what makes one (`sum` and `max` of an array among them).
    """
    uncounted: Any = njit  # The stubs do not know this option.
    return cast("Function", uncounted(cache=True, nogil=True, _nrt=False)(function))


def allocating[Function: Callable[..., Any]](function: Function) -> Function:
    """As `compiled`, for a function that makes arrays."""
    return cast("Function", njit(cache=True, nogil=True)(function))
