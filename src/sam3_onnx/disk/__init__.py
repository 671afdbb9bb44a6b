"""Embeddings in a folder: they survive a restart, within a number of bytes, and are never wrong."""

from sam3_onnx.disk.tier import DEFAULT_FOLDER_BYTES, DiskTier, disk_tier

__all__ = ["DEFAULT_FOLDER_BYTES", "DiskTier", "disk_tier"]
