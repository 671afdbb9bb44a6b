"""Errors of models that are downloaded by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sam3_onnx.errors.models import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = [
    "CacheFolderError",
    "DiskFullError",
    "DownloadDamagedError",
    "DownloadError",
    "DownloadNotFoundError",
    "DownloadRefusedError",
    "ModelFileChangedError",
    "OfflineError",
    "UnknownModelError",
    "WebPageError",
]


class UnknownModelError(ModelError, LookupError):
    """No published model has the given name."""

    def __init__(self, name: str, *, known: Iterable[str], near: Sequence[str] = ()) -> None:
        meant = f"Did you mean {' or '.join(repr(one) for one in near)}? " if near else ""
        super().__init__(
            f"No model is called {name!r}. Known names: {', '.join(known)}. {meant}"
            "For model files that you already have, use Sam3Session.from_folder(FOLDER) or Sam3Session.from_files(...)."
        )


class DownloadError(ModelError, ConnectionError):
    """A model file could not be downloaded."""

    def __init__(self, name: str, *, url: str, reason: str, remedy: str) -> None:
        super().__init__(f"{name} could not be downloaded from {url}: {reason}. {remedy}")


class DownloadNotFoundError(DownloadError, FileNotFoundError):
    """The server has no such file."""

    def __init__(self, name: str, *, url: str, status: int) -> None:
        super().__init__(
            name,
            url=url,
            reason=f"the server has no such file (HTTP {status})",
            remedy="The publisher may have moved the file, or the mirror does not have it. Open the model's page "
            "(`sam3-onnx models where NAME` shows its address) and place the file by hand, or choose another mirror.",
        )


class DownloadRefusedError(DownloadError, PermissionError):
    """The server refuses access to a model file."""

    def __init__(self, name: str, *, url: str, status: int) -> None:
        super().__init__(
            name,
            url=url,
            reason=f"the server refuses access (HTTP {status})",
            remedy="The model may require a login: log in on the model's page and accept the licence, then set "
            "HF_TOKEN to your token (it is sent to huggingface.co only), or place the file by hand.",
        )


class DownloadDamagedError(DownloadError, ValueError):
    """A downloaded file is not the published file."""

    def __init__(self, name: str, *, url: str, expected: str, got: str) -> None:
        super().__init__(
            name,
            url=url,
            reason=f"expected {expected}, got {got}; the downloaded file was deleted",
            remedy="Try again. If this error repeats, the server or mirror has a different file from the published "
            "one: do not use that file.",
        )


class WebPageError(DownloadError, ValueError):
    """A web page was found, on the server or on the disk, instead of a model file."""

    def __init__(self, name: str, *, url: str, begins: str) -> None:
        super().__init__(
            name,
            url=url,
            reason=f"expected a model file, got a web page that begins with {begins!r}",
            remedy="It may come from a login page, a proxy or a captive portal, or the page was saved instead of the "
            "file. Open the address in a browser to check, and download the file itself.",
        )


class OfflineError(ModelError, FileNotFoundError):
    """Model files are missing, and offline mode forbids a download."""

    def __init__(self, model: str, *, folder: Path, missing: Mapping[str, str | None]) -> None:
        listing = "\n".join(f"  {name}  from {url}" for name, url in missing.items())
        super().__init__(
            f"The model {model!r} is not complete in {folder}, and offline mode is on "
            f"(offline=True, SAM3_ONNX_OFFLINE or HF_HUB_OFFLINE). Missing:\n{listing}\n"
            f"Place these files in {folder} by hand, with exactly these names, or switch offline mode off."
        )


class ModelFileChangedError(ModelError, ValueError):
    """A model file is not the published one, or not the one that was first recorded."""

    def __init__(self, path: Path, *, expected: str, got: str, known_from: str) -> None:
        self.path = path
        super().__init__(
            f"{path} is not the expected file: expected {expected} ({known_from}), got {got}. "
            "Do not use it. Delete it and pull the model again; if you replaced it on purpose, move it to a separate "
            "folder and use Sam3Session.from_folder."
        )


class CacheFolderError(ModelError, OSError):
    """The folder of a model cannot be read or written."""

    def __init__(self, folder: Path, *, reason: str) -> None:
        self.folder = folder
        super().__init__(
            f"The model folder {folder} cannot be used: {reason}. Expected a folder in which files can be written. "
            "Choose another folder with folder=, --folder or SAM3_ONNX_CACHE, or change its permissions. To use "
            "models in a read-only folder, open them with Sam3Session.from_folder."
        )


class DiskFullError(CacheFolderError):
    """The disk has too little free space for a model."""

    def __init__(self, folder: Path, *, needed: str, free: str) -> None:
        super().__init__(
            folder,
            reason=f"the disk is too full (needed {needed}, free {free}). Free some space; the part that was "
            "downloaded is kept, and the next pull continues from there",
        )
