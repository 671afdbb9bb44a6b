"""Every error that the library raises of its own accord.

```
Sam3Error
├── ModelError
│   ├── ModelFileMissingError      (FileNotFoundError)
│   ├── ModelFileDamagedError      (ValueError)
│   ├── UnknownModelError          (LookupError)
│   ├── UnknownFamilyError         (ValueError)
│   ├── AmbiguousFolderError       (ValueError)
│   ├── ProviderError              (RuntimeError)
│   └── ModelAnswerError           (RuntimeError)
├── PictureError
│   ├── PictureDecodeError         (ValueError)
│   ├── PictureTypeError           (TypeError)
│   └── PictureTooLargeError       (ValueError)
├── PromptError
│   ├── EmptyPromptError           (ValueError)
│   ├── PromptTooLongError         (ValueError)
│   ├── BoxError                   (ValueError)
│   ├── MarkError                  (ValueError)
│   └── UnsupportedPromptError     (ValueError)
├── OptionError                    (ValueError)
├── ConfigError                    (ValueError)
├── MaskError                      (ValueError)
├── SessionClosedError             (RuntimeError)
├── SessionPickleError             (TypeError)
├── EmbeddingError                 (ValueError)
├── CancelledError                 (RuntimeError)
└── MissingExtraError              (ImportError)
```

Each one is also the built-in error that its kind of fault usually raises, so
`except FileNotFoundError` works as well as `except Sam3Error`. A message says
what happened, what was expected, what was there, and what to do next; it is
built here, from the facts that the place of the fault hands over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = [
    "AmbiguousFolderError",
    "BoxError",
    "CancelledError",
    "ConfigError",
    "EmbeddingError",
    "EmptyPromptError",
    "MarkError",
    "MaskError",
    "MissingExtraError",
    "ModelAnswerError",
    "ModelError",
    "ModelFileDamagedError",
    "ModelFileMissingError",
    "OptionError",
    "PictureDecodeError",
    "PictureError",
    "PictureTooLargeError",
    "PictureTypeError",
    "PromptError",
    "PromptTooLongError",
    "ProviderError",
    "Sam3Error",
    "SessionClosedError",
    "SessionPickleError",
    "UnknownFamilyError",
    "UnknownModelError",
    "UnsupportedPromptError",
]


_SHOWN = 60  # characters of a prompt that a message repeats


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


class Sam3Error(Exception):
    """Base of every error of this library."""


class ModelError(Sam3Error):
    """Something about the model files or their answers is wrong."""


class ModelFileMissingError(ModelError, FileNotFoundError):
    """A model file, or the external data of one, is not there."""

    def __init__(self, path: Path, *, role: str, remedy: str = "") -> None:
        self.path = path
        remedy = remedy or "Check the path, or copy the file there."
        super().__init__(f"The {role} is missing: no file at {path}. {remedy}")


class ModelFileDamagedError(ModelError, ValueError):
    """A model file is cut off or is not an ONNX graph."""

    def __init__(self, path: Path, *, expected: str, got: str) -> None:
        self.path = path
        super().__init__(
            f"The model file {path} is damaged or not an ONNX model: expected {expected}, got {got}. "
            "Download or copy it again."
        )


class UnknownModelError(ModelError, LookupError):
    """`from_pretrained` was given a name that stands for no model."""

    def __init__(self, name: str, *, known: Iterable[str]) -> None:
        super().__init__(
            f"No model is called {name!r}. Known names: {', '.join(known)}. "
            "For model files that you already have, use Sam3Session.from_folder(FOLDER) or Sam3Session.from_files(...)."
        )


class UnknownFamilyError(ModelError, ValueError):
    """The graphs belong to no export family that can be run."""

    def __init__(self, what: str, *, graphs: Mapping[str, str], missing: str = "") -> None:
        listing = "\n".join(f"  {name}: {signature}" for name, signature in graphs.items())
        listing = listing or "  (no .onnx file)"
        tail = f"\n{missing}" if missing else ""
        super().__init__(f"{what}. The graphs there have:\n{listing}{tail}")


class AmbiguousFolderError(ModelError, ValueError):
    """A folder holds several graphs for one part of the model."""

    def __init__(self, folder: Path, *, choices: Mapping[str, Sequence[str]]) -> None:
        listing = "; ".join(f"{role}: {', '.join(names)}" for role, names in choices.items())
        super().__init__(
            f"{folder} holds more than one candidate for a part of the model ({listing}). "
            "Keep one of each in the folder, or name the files with Sam3Session.from_files(...)."
        )


class ProviderError(ModelError, RuntimeError):
    """An execution provider that was asked for by name did not become active."""

    def __init__(self, *, wanted: Sequence[str], active: Sequence[str], available: Sequence[str], reason: str) -> None:
        super().__init__(
            f"Execution provider {', '.join(wanted)} did not become active: {reason}. "
            f"Active: {', '.join(active) or 'none'}; offered by the installed onnxruntime: {', '.join(available)}. "
            "Install the wheel that offers it, or choose provider='cpu'."
        )


class ModelAnswerError(ModelError, RuntimeError):
    """The model answered with something that cannot be right, such as NaN."""

    def __init__(self, *, output: str, found: str, remedy: str) -> None:
        super().__init__(f"The model's output {output!r} holds {found}, expected finite numbers. {remedy}")


class PictureError(Sam3Error):
    """A picture cannot be used."""


class PictureDecodeError(PictureError, ValueError):
    """The bytes are no picture, or only a part of one."""

    def __init__(self, source: str, *, reason: str) -> None:
        super().__init__(
            f"The picture {source} cannot be decoded: {reason}. "
            "Expected a whole file in a format that OpenCV reads (JPEG, PNG, WebP, TIFF, BMP, ...); "
            "check the file, or decode it yourself and pass the RGB array."
        )


class PictureTypeError(PictureError, TypeError):
    """An object that is not a picture, or an array of the wrong kind."""

    def __init__(self, *, expected: str, got: str, remedy: str) -> None:
        super().__init__(f"Not a usable picture: expected {expected}, got {got}. {remedy}")


class PictureTooLargeError(PictureError, ValueError):
    """A picture has more pixels than the limit allows."""

    def __init__(self, source: str, *, width: int, height: int, limit: int) -> None:
        super().__init__(
            f"The picture {source} is {width} x {height} = {width * height} pixels, more than the limit of {limit} "
            "that guards against decompression bombs. If you trust it, pass max_pixels= with a higher limit, "
            "or max_pixels=None for none."
        )


class PromptError(Sam3Error):
    """A prompt cannot be used."""


class EmptyPromptError(PromptError, ValueError):
    """Nothing was asked for."""

    def __init__(self, *, got: str) -> None:
        super().__init__(
            f"Nothing was asked for: expected at least one word or one positive box, got {got}. "
            'Pass text such as "person, car", or boxes=[Box(x1, y1, x2, y2)].'
        )


class PromptTooLongError(PromptError, ValueError):
    """A prompt has more tokens than the text encoder's context holds."""

    def __init__(self, text: str, *, count: int, limit: int) -> None:
        self.count = count
        super().__init__(
            f"The prompt {_shortened(text)!r} has {count} tokens including start and end, "
            f"the model takes at most {limit}. "
            "Shorten it, or pass truncate=True to have it cut."
        )


class BoxError(PromptError, ValueError):
    """A box prompt has no area inside the picture, or is not a box."""

    def __init__(self, box: str, *, reason: str, expected: str) -> None:
        super().__init__(f"The box {box} cannot be used: {reason}. Expected {expected}.")


class MarkError(PromptError, ValueError):
    """A mark is not in the form that X-AnyLabeling uses."""

    def __init__(self, mark: str, *, reason: str) -> None:
        super().__init__(
            f"The mark {mark} cannot be used: {reason}. Expected "
            '{"type": "rectangle", "data": [x1, y1, x2, y2], "label": 1} with label 1 (positive) or 0 (negative).'
        )


class UnsupportedPromptError(PromptError, ValueError):
    """The export family at hand cannot answer this kind of prompt."""

    def __init__(self, *, family: str, wanted: str, allowed: str, remedy: str) -> None:
        super().__init__(f"The {family} model cannot take {wanted}; it takes {allowed}. {remedy}")


class OptionError(Sam3Error, ValueError):
    """An option has a value outside what is allowed."""

    def __init__(self, name: str, *, expected: str, got: object, remedy: str = "") -> None:
        tail = f" {remedy}" if remedy else ""
        super().__init__(f"{name} must be {expected}, got {got!r}.{tail}")


class ConfigError(Sam3Error, ValueError):
    """A configuration mapping or file cannot be used."""

    def __init__(self, *, what: str, expected: str, got: str, remedy: str) -> None:
        super().__init__(f"{what}: expected {expected}, got {got}. {remedy}")


class MaskError(Sam3Error, ValueError):
    """An array handed to the geometry functions is not a mask."""

    def __init__(self, *, expected: str, got: str, remedy: str = "") -> None:
        tail = f" {remedy}" if remedy else ""
        super().__init__(f"Not a usable mask: expected {expected}, got {got}.{tail}")


class SessionClosedError(Sam3Error, RuntimeError):
    """A closed session was used."""

    def __init__(self) -> None:
        super().__init__("This session has been closed; its models are unloaded. Create a new Sam3Session.")


class SessionPickleError(Sam3Error, TypeError):
    """Somebody tried to pickle a session."""

    def __init__(self, *, rebuild: str) -> None:
        super().__init__(
            "A Sam3Session holds native memory and cannot be pickled or sent to another process. "
            f"Send what it is made from and rebuild it there: {rebuild}"
        )


class EmbeddingError(Sam3Error, ValueError):
    """An embedding was made by another model than the one it is given to."""

    def __init__(self, *, expected: str, got: str) -> None:
        super().__init__(
            f"This embedding belongs to another model: expected model {expected}, got {got}. "
            "Encode the picture again with this session."
        )


class CancelledError(Sam3Error, RuntimeError):
    """A call was cancelled through its `cancel` event."""

    def __init__(self, stage: str) -> None:
        super().__init__(f"The call was cancelled during {stage}; nothing was stored.")


class MissingExtraError(Sam3Error, ImportError):
    """An optional dependency is needed that is not installed."""

    def __init__(self, *, feature: str, package: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs the package {package}, which is not installed. "
            f'Install it with: pip install "sam3-onnx[{extra}]"'
        )
