"""The one way in which a function of the kernel is compiled: without Python's lock, and kept on disk."""

from collections.abc import Callable
from typing import Any, cast

from numba import njit


def compiled[Function: Callable[..., Any]](function: Function) -> Function:
    """Compile on first use. The folder of the cache is Numba's own choice, or `NUMBA_CACHE_DIR`."""
    return cast("Function", njit(cache=True, nogil=True)(function))
