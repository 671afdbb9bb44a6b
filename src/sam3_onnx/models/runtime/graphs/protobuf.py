"""The fields of a protobuf message, read and written.

The wire format is that of protobuf.dev/programming-guides/encoding; groups, which ONNX has none of, are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Field", "Span", "fields", "signed", "varint", "written", "written_number"]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_VARINT_BITS = 64

Span: TypeAlias = tuple[int, int]
"""Where bytes begin and end."""


class Field(NamedTuple):
    """One field of a message."""

    number: int
    value: int
    """Of an integer field; 0 for others."""
    content: Span
    """The bytes of its value."""
    whole: Span
    """The same with key and length."""


def varint(data: memoryview, position: int) -> tuple[int, int]:
    """Reads an integer; returns it, and where the next field begins."""
    value = data[position]
    if value < 0x80:  # noqa: PLR2004 - the continuation bit of a varint; most have one byte
        return value, position + 1
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit of a varint
            return value, position
        if shift > _VARINT_BITS:
            raise ValueError(f"a number of more than {_VARINT_BITS} bits at byte {position}")


def signed(value: int) -> int:
    """An integer field read as int64."""
    return value - (1 << _VARINT_BITS) if value >> (_VARINT_BITS - 1) else value


def fields(data: memoryview, span: Span) -> Iterator[Field]:
    """Yields each field of the message in a span.

    Raises:
        ValueError: This is no message.
        IndexError: It ends inside a field.
    """
    position, end = span
    while position < end:
        begin = position
        key, position = varint(data, position)
        number, kind = key >> 3, key & 7
        value = 0
        if kind == _VARINT:
            start = position
            value, position = varint(data, position)
        elif kind == _BYTES:
            length, start = varint(data, position)
            position = start + length
        elif kind in {_FIXED64, _FIXED32}:
            start, position = position, position + (8 if kind == _FIXED64 else 4)
        else:
            raise ValueError(f"wire type {kind} at byte {position}")
        if number == 0 or position > end:
            raise ValueError(f"field {number} reaches byte {position} of {end}")
        yield Field(number, value, (start, position), (begin, position))


def written(number: int, content: bytes) -> bytes:
    """A field that holds a message or text, with key and length."""
    return b"".join((_as_varint(number << 3 | _BYTES), _as_varint(len(content)), content))


def written_number(number: int, value: int) -> bytes:
    """A field that holds an integer of at least 0, with key."""
    return _as_varint(number << 3 | _VARINT) + _as_varint(value)


def _as_varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits in a byte
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
