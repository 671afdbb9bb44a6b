"""Numbers as people read them."""

from __future__ import annotations

__all__ = ["in_bytes"]


def in_bytes(count: int) -> str:
    """Returns a number of bytes as people read it, in powers of ten.

    Example:
        >>> in_bytes(1_400_000_000), in_bytes(512)
        ('1.4 GB', '512 bytes')
    """
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
