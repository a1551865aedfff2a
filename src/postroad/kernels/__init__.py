"""Kernels: numba functions over arrays. No domain object, no input or output.

A kernel module takes its decorator from here, never from numba::

    from postroad.kernels import njit, prange

    @njit                      # the same as @njit(cache=True, nogil=True)
    def scan(...): ...

    @njit(parallel=True)       # only where the answer is the same for any number of threads
    def scan_all(...): ...

Besides this it imports nothing but numpy and other kernels, so that all that a compiled kernel depends on lies in
this folder. That matters because numba's disk cache looks only at the file of the function it compiles: when a kernel
inlines one from another file and that file changes, numba serves the stale code. So the cache folder is named by a
digest of every source in this folder, and a change in any of them starts a fresh one.

The folder lies in ``NUMBA_CACHE_DIR`` when that is set, else in the user's cache directory. Where that is not writable,
kernels are compiled afresh in every process. Numba's own settings, and where other packages cache, stay untouched.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numba
import numpy as np
from numba import prange

__all__ = ["cache_folder", "lean", "njit", "prange", "source_digest"]


@cache
def source_digest() -> str:
    """Digest of all kernel sources and of the versions that compile them: 16 hexadecimal digits."""
    digest = hashlib.blake2b(f"numba {numba.__version__} numpy {np.__version__}".encode(), digest_size=8)
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        text = source.read_bytes()
        digest.update(f"\n{source.name} {len(text)}\n".encode())
        digest.update(text)
    return digest.hexdigest()


@cache
def cache_folder() -> Path | None:
    """Where compiled kernels of this very source are kept, created when missing; None where nothing can be written."""
    root = Path(numba.config.CACHE_DIR) if numba.config.CACHE_DIR else _user_cache() / "postroad"
    folder = root / f"kernels-{source_digest()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def njit(function: Callable | None = None, **options: object) -> Callable:
    """Compile a kernel with numba; ``cache=True`` and ``nogil=True`` unless told otherwise.

    Parameters
    ----------
    function: the function to compile; left out when options are given.
    options: options of :func:`numba.njit`.

    Returns
    -------
    The compiled kernel, or a decorator when only options are given.
    """

    settings = {"cache": True, "nogil": True, **options}

    def compile_kernel(kernel: Callable) -> Callable:
        folder = cache_folder()
        if folder is None:
            return numba.njit(**(settings | {"cache": False}))(kernel)
        with _caching_in(folder):
            return numba.njit(**settings)(kernel)

    return compile_kernel if function is None else compile_kernel(function)


def lean(function: Callable) -> Callable:
    """Compile a kernel that makes no arrays: those it is given are used without counting who holds them.

    A kernel that is called for each item spends more time on those counts than on its work.
    """
    return njit(function, _nrt=False)


@contextmanager
def _caching_in(folder: Path):
    """Let numba choose this folder while one kernel is decorated, which is when it fixes the place for good."""
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before


def _user_cache() -> Path:
    """The directory in which the platform keeps a user's caches."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
