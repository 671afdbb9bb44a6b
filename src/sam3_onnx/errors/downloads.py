"""What can be wrong with models that are downloaded by name."""

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
    """A name was given that stands for no model."""

    def __init__(self, name: str, *, known: Iterable[str], near: Sequence[str] = ()) -> None:
        meant = f"Did you mean {' or '.join(repr(one) for one in near)}? " if near else ""
        super().__init__(
            f"No model is called {name!r}. Known names: {', '.join(known)}. {meant}"
            "For model files that you already have, use Sam3Session.from_folder(FOLDER) or Sam3Session.from_files(...)."
        )


class DownloadError(ModelError, ConnectionError):
    """A model file could not be fetched."""

    def __init__(self, name: str, *, url: str, reason: str, remedy: str) -> None:
        super().__init__(f"{name} could not be downloaded from {url}: {reason}. {remedy}")


class DownloadNotFoundError(DownloadError, FileNotFoundError):
    """The server has no such file."""

    def __init__(self, name: str, *, url: str, status: int) -> None:
        super().__init__(
            name,
            url=url,
            reason=f"the server has no such file (HTTP {status})",
            remedy="The publisher may have moved it, or the mirror lacks it: look at the model's page "
            "(`sam3-onnx models where NAME` shows it), and place the file by hand or choose another mirror.",
        )


class DownloadRefusedError(DownloadError, PermissionError):
    """The server does not give the file to everybody."""

    def __init__(self, name: str, *, url: str, status: int) -> None:
        super().__init__(
            name,
            url=url,
            reason=f"the server refuses access (HTTP {status})",
            remedy="The files may be gated: accept the licence on the model's page while logged in there, then set "
            "HF_TOKEN to your token (it is sent to huggingface.co only), or place the file by hand.",
        )


class DownloadDamagedError(DownloadError, ValueError):
    """What came is not the file that was published."""

    def __init__(self, name: str, *, url: str, expected: str, got: str) -> None:
        super().__init__(
            name,
            url=url,
            reason=f"expected {expected}, got {got}; what came has been deleted",
            remedy="Try again; if it stays so, the server or mirror holds another file than the one that was "
            "published: do not use it.",
        )


class WebPageError(DownloadError, ValueError):
    """A web page came, or lies there, in place of a model file."""

    def __init__(self, name: str, *, url: str, begins: str) -> None:
        super().__init__(
            name,
            url=url,
            reason=f"expected a model file, got a web page that begins {begins!r}",
            remedy="A login page, a proxy or a captive portal may stand in between, or the page was saved instead "
            "of the file: open the address in a browser to see, and download the file itself.",
        )


class OfflineError(ModelError, FileNotFoundError):
    """Files are missing, and the network is not to be used."""

    def __init__(self, model: str, *, folder: Path, missing: Mapping[str, str | None]) -> None:
        listing = "\n".join(f"  {name}  from {url}" for name, url in missing.items())
        super().__init__(
            f"The model {model!r} is not complete in {folder}, and offline mode is on "
            f"(offline=True, SAM3_ONNX_OFFLINE or HF_HUB_OFFLINE). Missing:\n{listing}\n"
            f"Place these files in {folder} by hand, under exactly these names, or allow the network."
        )


class ModelFileChangedError(ModelError, ValueError):
    """A file is not the one that was published, or not the one that was seen first."""

    def __init__(self, path: Path, *, expected: str, got: str, known_from: str) -> None:
        self.path = path
        super().__init__(
            f"{path} is not the file it should be: expected {expected} ({known_from}), got {got}. "
            "Do not use it. Delete it and pull the model again; if you replaced it on purpose, keep it in a folder of "
            "its own and use Sam3Session.from_folder."
        )


class CacheFolderError(ModelError, OSError):
    """The folder of a model cannot be read or written."""

    def __init__(self, folder: Path, *, reason: str) -> None:
        self.folder = folder
        super().__init__(
            f"The model folder {folder} cannot be used: {reason}. Expected a folder in which files can be written. "
            "Name another with folder=, --folder or SAM3_ONNX_CACHE, or mend its permissions. Files in a folder that "
            "stays read-only can be opened with Sam3Session.from_folder."
        )


class DiskFullError(CacheFolderError):
    """There is not enough space for a model."""

    def __init__(self, folder: Path, *, needed: str, free: str) -> None:
        super().__init__(
            folder,
            reason=f"the disk is too full (needed {needed}, free {free}). Free some space; what has been downloaded "
            "so far is kept, and the next pull continues there",
        )
