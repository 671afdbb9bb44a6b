"""Which files do labelling tools and trainers read, and how are they written?"""

from __future__ import annotations

from sam3_onnx.labels.xanylabeling import write_xanylabeling

__all__ = ["write_xanylabeling"]
