"""Numbers as people read them."""

from __future__ import annotations

__all__ = ["in_bytes", "in_words"]


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


def in_words(count: int, thing: str, things: str = "") -> str:
    """Returns a number with the thing that is counted, in the plural unless it is one.

    Args:
        count: How many.
        thing: Its name in the singular.
        things: Its name in the plural, where that is not the singular and an s.

    Example:
        >>> in_words(1, "picture"), in_words(0, "picture"), in_words(2, "class", "classes")
        ('1 picture', '0 pictures', '2 classes')
    """
    return f"{count} {thing if count == 1 else things or thing + 's'}"
