"""Memory of native objects: freed memory given back to the operating system, and objects kept from being freed."""

from __future__ import annotations

import ctypes
import sys

__all__ = ["give_back", "keep_for_ever"]


def give_back() -> None:
    """Returns freed memory to the system where the C library would rather keep it.

    glibc keeps freed pieces below its mmap threshold, which grows to 32 MiB (mallopt(3),
    M_MMAP_THRESHOLD). The weights of a text encoder are such pieces: 1.3 of 1.5 GB stayed resident
    after its session was gone, and 15 MB after malloc_trim(3). Other C libraries have no such
    call and are left alone.
    """
    if sys.platform != "linux":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(ctypes.c_size_t(0))


def keep_for_ever(thing: object) -> None:
    """Keeps an object from ever being freed, at the end of the interpreter either."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
