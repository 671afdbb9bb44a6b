"""From a name, a folder, files or a configuration to the graphs of a session."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sam3_onnx._support.checks import require_path
from sam3_onnx.hub.pull import model_folder
from sam3_onnx.models.families.folder import exports_in_folder
from sam3_onnx.models.families.recognition import exports_of_files
from sam3_onnx.session.anylabeling_config import read_config
from sam3_onnx.session.options import require_known

if TYPE_CHECKING:
    from os import PathLike

    from typing_extensions import Self, Unpack

    from sam3_onnx.hub.progress import ProgressChoice
    from sam3_onnx.models.families.recognition import Exports
    from sam3_onnx.session.options import SessionOptions

__all__ = ["SessionOpeners"]


class SessionOpeners(ABC):
    """The ways in which a session is made."""

    @classmethod
    @abstractmethod
    def _open(cls, exports: Exports, source: str, options: SessionOptions) -> Self:
        """Makes a session of what was found; `source` is how to make it again, for messages."""

    @classmethod
    def from_pretrained(
        cls,
        name: str,
        *,
        folder: str | PathLike[str] | None = None,
        mirror: str | None = None,
        offline: bool | None = None,
        progress: ProgressChoice = True,
        **options: Unpack[SessionOptions],
    ) -> Self:
        """Opens a model by its registered name; one that does not ship in the package is downloaded once, verified.

        Args:
            name: As in `sam3_onnx.hub.list_models`. "miniature", a small model of coloured shapes and
                coins, ships with the package and works offline; "sam3" is the full model.
            folder: Where the model's files lie or belong; None for `models/NAME` in the cache folder.
            mirror: Put in place of scheme and host of every address; None for what SAM3_ONNX_MIRROR
                names, if anything.
            offline: True never to use the network; None for what SAM3_ONNX_OFFLINE or HF_HUB_OFFLINE say.
            progress: True for progress on standard error, False for silence, or a function; see
                `sam3_onnx.hub.pull`.
            **options: See `from_folder`.

        Raises:
            UnknownModelError: No model has this name.
            OfflineError: Files are missing, and the network is not to be used.
            DownloadError: A file did not come whole.
            ModelFileChangedError: A file is not the published one, or not the one seen first.
            CacheFolderError: The folder cannot be written, or the disk is full.
            ModelError: As `from_folder`.
        """
        require_known(options, also=("folder", "mirror", "offline", "progress"))
        target = model_folder(name, folder=folder, mirror=mirror, offline=offline, progress=progress)
        return cls._open(
            exports_in_folder(target), _written("from_pretrained", name, folder=folder, **options), options
        )

    @classmethod
    def from_folder(
        cls,
        folder: str | PathLike[str],
        *,
        family: str | None = None,
        variant: str | None = None,
        **options: Unpack[SessionOptions],
    ) -> Self:
        """Opens the SAM 3 export in a folder; the family is recognised from the graphs.

        An export of concepts and one that takes clicks may lie in it together.

        Args:
            folder: Holds an export's `.onnx` files and their external data, or subfolders that do.
            family: Takes this family where there are several, one of `sam3_onnx.session.FAMILY_NAMES`.
            variant: Takes this variant where there are several: a precision that file names end with
                ("fp16", "int8"), the name of a subfolder, or "plain".
            **options: `provider`, `precision` and `threads` for ONNX Runtime; `conf_threshold`, `epsilon`,
                `cache_bytes`, `cache_folder`, `cache_folder_bytes` and `feature_precision` as in the
                constructor. With a cache folder, the image encoder is loaded when a picture first needs it.

        Raises:
            ModelFileMissingError: No such folder, or external data is missing.
            ModelFileDamagedError: A file is cut off or no ONNX model.
            UnknownFamilyError: No known family; the message lists what is there.
            AmbiguousFolderError: Several exports, or several files for one part.
            ProviderError: A provider asked for by name did not become active.
            EmbeddingFolderError: Nothing can be written to the cache folder.
            OptionError: There is no such option, or it has a value outside its range.
        """
        require_known(options, also=("family", "variant"))
        path = require_path("folder", folder)
        exports = exports_in_folder(path, family=family, variant=variant)
        return cls._open(
            exports, _written("from_folder", str(path), family=family, variant=variant, **options), options
        )

    @classmethod
    def from_files(
        cls,
        *,
        image_encoder: str | PathLike[str],
        decoder: str | PathLike[str],
        text_encoder: str | PathLike[str] | None = None,
        geometry_encoder: str | PathLike[str] | None = None,
        **options: Unpack[SessionOptions],
    ) -> Self:
        """Opens an export from its graphs, wherever they are; external data lies beside each.

        Args:
            image_encoder: The image encoder's `.onnx`.
            decoder: The decoder's `.onnx`.
            text_encoder: The text (language) encoder's `.onnx`; a tracker has none.
            geometry_encoder: The graph that encodes boxes, where an export has one.
            **options: See `from_folder`.

        Raises:
            ModelFileMissingError: A file or its external data is missing.
            ModelFileDamagedError: A file is cut off or no ONNX model.
            UnknownFamilyError: The files do not fit together.
        """
        roles = {
            "image_encoder": image_encoder,
            "text_encoder": text_encoder,
            "geometry_encoder": geometry_encoder,
            "decoder": decoder,
        }
        require_known(options, also=roles)
        paths = {
            role: require_path(role, path)
            for role, path in roles.items()
            if path is not None or role in {"image_encoder", "decoder"}
        }
        written = _written("from_files", **{role: str(path) for role, path in paths.items()}, **options)
        return cls._open(exports_of_files(paths), written, options)

    @classmethod
    def from_config(cls, config: Mapping[str, object] | str | PathLike[str], **options: Unpack[SessionOptions]) -> Self:
        """Opens the six files that an X-AnyLabeling model configuration names.

        Args:
            config: A mapping, or the path of a YAML file (needs the extra `yaml`), with the keys
                that `sam3_onnx.session.anylabeling_config.read_config` describes.
            **options: See `from_folder`; they go before the configuration's own.

        Raises:
            ConfigError: A key is missing or wrong.
            ModelFileMissingError: A file that is named is not there.
            ModelFileDamagedError: A file is cut off or no ONNX model.
        """
        require_known(options)
        read = read_config(config if isinstance(config, Mapping) else require_path("config", config))
        written = _written("from_config", config, **options)
        if read.conf_threshold is not None:
            options.setdefault("conf_threshold", read.conf_threshold)
        if read.epsilon is not None:
            options.setdefault("epsilon", read.epsilon)
        return cls._open(exports_of_files(read.paths), written, options)


def _written(method: str, *given: object, **named: object) -> str:
    """A call as source code; what is None was not given."""
    words = [repr(_plain(value)) for value in given]
    words += [f"{name}={_plain(value)!r}" for name, value in named.items() if value is not None]
    return f"Sam3Session.{method}({', '.join(words)})"


def _plain(value: object) -> object:
    """A path as the string that it is written as."""
    return os.fspath(value) if isinstance(value, os.PathLike) else value
