"""Structure of GIF: every block, to the last byte of the file (GIF89a)."""

from __future__ import annotations

import struct

from sam3_onnx.images.structure.parts import PictureFile

__all__ = ["read_gif"]

_SCREEN = struct.Struct("<6sHHBBB")
_FRAME = struct.Struct("<HHHHB")
_EXTENSION, _IMAGE, _TRAILER, _CONTROL = 0x21, 0x2C, 0x3B, 0xF9
_HAS_TRANSPARENCY = 1


def read_gif(data: bytes) -> PictureFile:
    """Reads the blocks of a GIF.

    The decoder receives only the first frame, on a screen that contains all of it.

    Raises:
        ValueError: The file is cut off, or contains no frame.
        IndexError: The file ends within a block.
        struct.error: As `IndexError`.
    """
    version, width, height, flags, background, aspect = _SCREEN.unpack_from(data)
    first = at = _SCREEN.size + _bytes_of_palette(flags)
    control, frame, frames = b"", b"", 0
    while data[at] != _TRAILER:
        begin = at
        if data[at] == _EXTENSION:
            at = _end_of_blocks(data, at + 2)
            if data[begin + 1] == _CONTROL and not frame:
                control = data[begin:at]
        elif data[at] == _IMAGE:
            left, top, columns, rows, frame_flags = _FRAME.unpack_from(data, at + 1)
            at = _end_of_blocks(data, at + 1 + _FRAME.size + _bytes_of_palette(frame_flags) + 1)
            frames += 1
            if not columns or not rows:
                raise ValueError(f"its frame {frames} is {columns} x {rows} pixels")
            if not frame:
                frame = data[begin:at]
                width, height = max(width, left + columns), max(height, top + rows)
        else:
            raise ValueError(f"it has a block of an unknown kind at byte {at}")
    if not frame:
        raise ValueError("it contains no picture")
    screen = _SCREEN.pack(version, width, height, flags, background, aspect) + data[_SCREEN.size : first]
    data_of_frame = screen + _without_disposal(control) + frame + bytes([_TRAILER])
    return PictureFile(data_of_frame, width, height, has_more_frames=frames > 1)


def _bytes_of_palette(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _end_of_blocks(data: bytes, at: int) -> int:
    while length := data[at]:
        at += 1 + length
    return at + 1


def _without_disposal(control: bytes) -> bytes:
    """Returns a graphic control extension without a disposal method."""
    return control[:3] + bytes([control[3] & _HAS_TRANSPARENCY]) + control[4:] if control else b""
