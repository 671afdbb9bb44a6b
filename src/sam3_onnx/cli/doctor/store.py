"""The cache folder: which models are in it, and how much room is left for more."""

from __future__ import annotations

from dataclasses import dataclass

from sam3_onnx._support.folders import cache_folder, free_bytes

__all__ = ["HeldModel", "Store", "cache_folder_state"]


@dataclass(frozen=True)
class HeldModel:
    """A model that was downloaded or put there by hand, whole or in part."""

    name: str
    state: str
    """See `sam3_onnx.hub.Whereabouts.state`."""
    size: int
    """Bytes of its files on this disk."""


@dataclass(frozen=True)
class Store:
    """The cache folder."""

    folder: str
    exists: bool
    free: int
    """Bytes free on its disk."""
    models: tuple[HeldModel, ...]


def cache_folder_state() -> Store:
    """Returns what the cache folder holds; makes nothing and hashes nothing.

    Raises:
        OSError: It cannot be read.
        CacheFolderError: The folder of a model cannot be read.
    """
    from sam3_onnx.hub.inventory import where  # noqa: PLC0415 - loads OpenCV, and a broken one is a finding
    from sam3_onnx.hub.registry import list_models  # noqa: PLC0415

    folder = cache_folder()
    places = [where(model) for model in list_models() if not model.bundled]
    return Store(
        folder=str(folder),
        exists=folder.is_dir(),
        free=free_bytes(folder),
        models=tuple(
            HeldModel(place.model.name, place.state, sum(file.size for file in place.files))
            for place in places
            if place.state != "absent"
        ),
    )
