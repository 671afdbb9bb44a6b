"""Published models by name: list of models, download, verification and removal of their files.

The miniature is part of the package. All others are downloaded when they are requested by name, and network code is
imported only then.
"""

from __future__ import annotations

from sam3_onnx.hub.inventory import Whereabouts, remove, verify, where
from sam3_onnx.hub.patience import Patience
from sam3_onnx.hub.progress import Listener, ProgressChoice
from sam3_onnx.hub.pull import model_folder, pull
from sam3_onnx.hub.registry import KNOWN_MODELS, Licence, PublishedFile, PublishedModel, list_models
from sam3_onnx.hub.store import FileState, LocalFile

__all__ = [
    "KNOWN_MODELS",
    "FileState",
    "Licence",
    "Listener",
    "LocalFile",
    "Patience",
    "ProgressChoice",
    "PublishedFile",
    "PublishedModel",
    "Whereabouts",
    "list_models",
    "model_folder",
    "pull",
    "remove",
    "verify",
    "where",
]
