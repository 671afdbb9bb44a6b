"""All error and warning classes of the library.

```
Sam3Error
├── ModelError
│   ├── ModelFileMissingError      (FileNotFoundError)
│   ├── ModelFileUnreadableError   (OSError)
│   ├── ModelFileDamagedError      (ValueError)
│   ├── ModelFileReplacedError     (RuntimeError)
│   ├── ModelFileChangedError      (ValueError)
│   ├── ManifestError              (ValueError)
│   ├── UnknownModelError          (LookupError)
│   ├── OfflineError               (FileNotFoundError)
│   ├── DownloadError              (ConnectionError)
│   │   ├── DownloadNotFoundError  (FileNotFoundError)
│   │   ├── DownloadRefusedError   (PermissionError)
│   │   ├── DownloadDamagedError   (ValueError)
│   │   └── WebPageError           (ValueError)
│   ├── CacheFolderError           (OSError)
│   │   └── DiskFullError
│   ├── UnknownFamilyError         (ValueError)
│   ├── AmbiguousFolderError       (ValueError)
│   ├── ProviderError              (RuntimeError)
│   ├── FidelityError              (ValueError)
│   ├── TargetFolderError          (OSError)
│   └── ModelAnswerError           (RuntimeError)
├── PictureError
│   ├── PictureMissingError        (FileNotFoundError)
│   ├── PictureDecodeError         (ValueError)
│   ├── PictureGoneError           (LookupError)
│   ├── PictureTypeError           (TypeError)
│   └── PictureTooLargeError       (ValueError)
├── PromptError
│   ├── EmptyPromptError           (ValueError)
│   ├── PromptTooLongError         (ValueError)
│   ├── BoxError                   (ValueError)
│   ├── PointError                 (ValueError)
│   ├── MarkError                  (ValueError)
│   └── UnsupportedPromptError     (ValueError)
├── ExportError
│   ├── CheckpointError            (ValueError)
│   ├── TrackerMismatchError       (ValueError)
│   ├── WeightRangeError           (OverflowError)
│   ├── ExportMemoryError          (MemoryError)
│   ├── ExportDiskError            (OSError)
│   └── ExportMismatchError        (RuntimeError)
├── LabelError
│   ├── LabelFileDamagedError      (ValueError)
│   ├── LabelFileKindError         (ValueError)
│   ├── LabelFileVersionError      (ValueError)
│   ├── LabelFileSizeError         (ValueError)
│   ├── LabelFilePermissionError   (PermissionError)
│   ├── LabelFolderMissingError    (FileNotFoundError)
│   ├── LabelShapeError            (ValueError)
│   ├── LabelNameError             (ValueError)
│   ├── ClassListMissingError      (FileNotFoundError)
│   └── ClassListConflictError     (ValueError)
├── AnnotateError
│   ├── FolderError                (OSError)
│   ├── NoPicturesError            (LookupError)
│   ├── FolderBusyError            (RuntimeError)
│   ├── UnfinishedRunError         (ValueError)
│   ├── LabelCollisionError        (ValueError)
│   └── PictureNameError           (ValueError)
├── VideoError
│   ├── VideoOpenError             (ValueError)
│   ├── VideoDamagedError          (ValueError)
│   ├── FrameIndexError            (IndexError)
│   ├── FrameSizeError             (ValueError)
│   ├── UnknownTrackError          (LookupError)
│   ├── NoTracksError              (ValueError)
│   ├── TrackMemoryError           (RuntimeError)
│   └── VideoClosedError           (RuntimeError)
├── EvaluateError
│   └── NoLabelsError              (LookupError)
├── OptionError                    (ValueError)
│   └── KeywordError               (TypeError)
├── InstanceIndexError             (IndexError)
├── ObjectIterationError           (TypeError)
├── OutputExistsError              (FileExistsError)
├── ResultAttributeError           (AttributeError)
├── ConfigError                    (ValueError)
├── MaskError                      (ValueError)
├── SessionClosedError             (RuntimeError)
├── SessionForkedError             (RuntimeError)
├── SessionPickleError             (TypeError)
├── DisplayError                   (RuntimeError)
├── EmbeddingError                 (ValueError)
├── EmbeddingFolderError           (OSError)
├── CancelledError                 (RuntimeError)
├── OnnxRuntimeError               (ImportError)
└── MissingExtraError              (ImportError)

ProviderWarning                    (UserWarning)
LabelLossWarning                   (UserWarning)
EmbeddingFolderWarning             (UserWarning)
VideoWarning                       (UserWarning)
```

Each class also inherits from the built-in exception for the same kind of
problem (in brackets), so `except FileNotFoundError` works as well as
`except Sam3Error`. A message says what happened, what was expected, what was
found, and what to do next. The classes build their messages from keyword
arguments.
"""

from sam3_onnx.errors.annotating import (
    AnnotateError,
    FolderBusyError,
    FolderError,
    LabelCollisionError,
    NoPicturesError,
    PictureNameError,
    UnfinishedRunError,
)
from sam3_onnx.errors.base import Sam3Error
from sam3_onnx.errors.downloads import (
    CacheFolderError,
    DiskFullError,
    DownloadDamagedError,
    DownloadError,
    DownloadNotFoundError,
    DownloadRefusedError,
    ModelFileChangedError,
    OfflineError,
    UnknownModelError,
    WebPageError,
)
from sam3_onnx.errors.evaluating import EvaluateError, NoLabelsError
from sam3_onnx.errors.exporting import (
    CheckpointError,
    ExportDiskError,
    ExportError,
    ExportMemoryError,
    ExportMismatchError,
    TrackerMismatchError,
    WeightRangeError,
)
from sam3_onnx.errors.labels import (
    ClassListConflictError,
    ClassListMissingError,
    LabelError,
    LabelFileDamagedError,
    LabelFileKindError,
    LabelFilePermissionError,
    LabelFileSizeError,
    LabelFileVersionError,
    LabelFolderMissingError,
    LabelLossWarning,
    LabelNameError,
    LabelShapeError,
)
from sam3_onnx.errors.models import (
    AmbiguousFolderError,
    FidelityError,
    ManifestError,
    ModelAnswerError,
    ModelError,
    ModelFileDamagedError,
    ModelFileMissingError,
    ModelFileReplacedError,
    ModelFileUnreadableError,
    TargetFolderError,
    UnknownFamilyError,
)
from sam3_onnx.errors.pictures import (
    PictureDecodeError,
    PictureError,
    PictureGoneError,
    PictureMissingError,
    PictureTooLargeError,
    PictureTypeError,
)
from sam3_onnx.errors.prompts import (
    BoxError,
    EmptyPromptError,
    MarkError,
    PointError,
    PromptError,
    PromptTooLongError,
    UnsupportedPromptError,
)
from sam3_onnx.errors.providers import ProviderError, ProviderWarning
from sam3_onnx.errors.use import (
    CancelledError,
    ConfigError,
    DisplayError,
    EmbeddingError,
    EmbeddingFolderError,
    EmbeddingFolderWarning,
    InstanceIndexError,
    KeywordError,
    MaskError,
    MissingExtraError,
    ObjectIterationError,
    OnnxRuntimeError,
    OptionError,
    OutputExistsError,
    ResultAttributeError,
    SessionClosedError,
    SessionForkedError,
    SessionPickleError,
)
from sam3_onnx.errors.videos import (
    FrameIndexError,
    FrameSizeError,
    NoTracksError,
    TrackMemoryError,
    UnknownTrackError,
    VideoClosedError,
    VideoDamagedError,
    VideoError,
    VideoOpenError,
    VideoWarning,
)

__all__ = [
    "AmbiguousFolderError",
    "AnnotateError",
    "BoxError",
    "CacheFolderError",
    "CancelledError",
    "CheckpointError",
    "ClassListConflictError",
    "ClassListMissingError",
    "ConfigError",
    "DiskFullError",
    "DisplayError",
    "DownloadDamagedError",
    "DownloadError",
    "DownloadNotFoundError",
    "DownloadRefusedError",
    "EmbeddingError",
    "EmbeddingFolderError",
    "EmbeddingFolderWarning",
    "EmptyPromptError",
    "EvaluateError",
    "ExportDiskError",
    "ExportError",
    "ExportMemoryError",
    "ExportMismatchError",
    "FidelityError",
    "FolderBusyError",
    "FolderError",
    "FrameIndexError",
    "FrameSizeError",
    "InstanceIndexError",
    "KeywordError",
    "LabelCollisionError",
    "LabelError",
    "LabelFileDamagedError",
    "LabelFileKindError",
    "LabelFilePermissionError",
    "LabelFileSizeError",
    "LabelFileVersionError",
    "LabelFolderMissingError",
    "LabelLossWarning",
    "LabelNameError",
    "LabelShapeError",
    "ManifestError",
    "MarkError",
    "MaskError",
    "MissingExtraError",
    "ModelAnswerError",
    "ModelError",
    "ModelFileChangedError",
    "ModelFileDamagedError",
    "ModelFileMissingError",
    "ModelFileReplacedError",
    "ModelFileUnreadableError",
    "NoLabelsError",
    "NoPicturesError",
    "NoTracksError",
    "ObjectIterationError",
    "OfflineError",
    "OnnxRuntimeError",
    "OptionError",
    "OutputExistsError",
    "PictureDecodeError",
    "PictureError",
    "PictureGoneError",
    "PictureMissingError",
    "PictureNameError",
    "PictureTooLargeError",
    "PictureTypeError",
    "PointError",
    "PromptError",
    "PromptTooLongError",
    "ProviderError",
    "ProviderWarning",
    "ResultAttributeError",
    "Sam3Error",
    "SessionClosedError",
    "SessionForkedError",
    "SessionPickleError",
    "TargetFolderError",
    "TrackMemoryError",
    "TrackerMismatchError",
    "UnfinishedRunError",
    "UnknownFamilyError",
    "UnknownModelError",
    "UnknownTrackError",
    "UnsupportedPromptError",
    "VideoClosedError",
    "VideoDamagedError",
    "VideoError",
    "VideoOpenError",
    "VideoWarning",
    "WebPageError",
    "WeightRangeError",
]
