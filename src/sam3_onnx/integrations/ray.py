"""Prediction on the pictures of a Ray Data dataset, with several worker processes and one session in each.

```python
from functools import partial
import ray
from sam3_onnx import Sam3Session
from sam3_onnx.integrations.ray import annotate

pictures = ray.data.read_binary_files("pictures", include_paths=True)
opener = partial(Sam3Session.from_pretrained, "miniature")
rows = annotate(pictures, "coin", open_session=opener, column="bytes", name_column="path", workers=2)
rows.write_parquet("coins")
```

`sam3_onnx.integrations.rows.Row` describes the rows.
"""

from __future__ import annotations

import importlib
import warnings
from typing import TYPE_CHECKING, Protocol

from sam3_onnx._support.checks import is_number, require_whole
from sam3_onnx._support.keywords import require_known
from sam3_onnx.errors import MissingExtraError, OptionError
from sam3_onnx.integrations.rows import Row, row_of_failure, rows_of
from sam3_onnx.prompts.words import parse_text
from sam3_onnx.results.segmentation import Segmentation
from sam3_onnx.session.streaming import PictureFault, QuestionOptions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray
    from ray.data import Dataset
    from typing_extensions import Unpack

    from sam3_onnx.prompts.words import TextLike
    from sam3_onnx.session.session import Sam3Session

__all__ = ["PictureAnnotator", "SessionOpener", "annotate", "row_schema"]


class SessionOpener(Protocol):
    """A function that opens a session in the process that calls it, such as `partial(Sam3Session.from_folder, "sam3")`.

    It must be picklable and take `threads`.
    """

    def __call__(self, *, threads: int | None) -> Sam3Session:
        """Opens a session.

        Args:
            threads: Number of threads for one run of a graph; None for all CPUs of the process.
        """
        ...


class PictureAnnotator:
    """Predicts on batches of pictures with the same prompts; `Dataset.map_batches` creates one object in each actor.

    `annotate` does this. If you need an option that `annotate` does not have, call
    `map_batches(PictureAnnotator, fn_constructor_kwargs={...}, batch_format="numpy", ...)` yourself.
    """

    def __init__(
        self,
        *,
        open_session: SessionOpener,
        text: TextLike | None = None,
        column: str = "path",
        name_column: str | None = None,
        threads: int | None = None,
        options: QuestionOptions | None = None,
    ) -> None:
        """Opens the session.

        Args:
            open_session: Function that opens the session.
            text: Text prompt, as for `Sam3Session.predict`.
            column: Column of the pictures: paths, bytes of files, or arrays, as for `sam3_onnx.images.load_image`.
            name_column: Column of the names of the pictures; None for `column`, which must then contain paths.
            threads: Number of threads for one run of a graph.
            options: Options of the prediction, see `sam3_onnx.session.streaming.QuestionOptions`.

        Raises:
            ModelError: The model cannot be opened.
            MissingExtraError: pyarrow is not installed.
        """
        self._schema = row_schema()
        self._text = text
        self._column = column
        self._name_column = column if name_column is None else name_column
        self._options: QuestionOptions = options or {}
        self._session = open_session(threads=threads)

    def __call__(self, batch: Mapping[str, NDArray[np.generic]]) -> pa.Table:
        """Returns the rows of a batch, in the order of its pictures.

        Args:
            batch: Columns by name.

        Raises:
            OptionError: A column does not exist, or pictures have no names.
            PromptError: The prompt is invalid, or the model does not support it.
        """
        names = [_name(value, self._name_column) for value in _column(batch, self._name_column)]
        answers = zip(names, self._answers(_column(batch, self._column)), strict=True)
        rows = [row for name, answer in answers for row in _rows(name, answer)]
        return _package("pyarrow").Table.from_pylist(rows, schema=self._schema)

    def _answers(self, pictures: NDArray[np.generic]) -> list[Segmentation | PictureFault]:
        answers: list[Segmentation | PictureFault] = []
        # in order: a failure is reported at the position of its picture
        results = self._session.annotate(
            list(pictures), self._text, on_error=lambda _, error: answers.append(error), **self._options
        )
        for _, result in results:
            answers.append(result)
        return answers


def annotate(  # noqa: PLR0913 - keyword-only options
    dataset: Dataset,
    text: TextLike | None = None,
    *,
    open_session: SessionOpener,
    column: str = "path",
    name_column: str | None = None,
    workers: int = 1,
    cpus: float = 1,
    gpus: float = 0,
    batch_size: int = 16,
    **options: Unpack[QuestionOptions],
) -> Dataset:
    """Predicts on every picture of a dataset with the same prompts.

    Each worker is a process with its own session. A picture that cannot be read or processed becomes a row with an
    error, and the other pictures are still processed.

    Args:
        dataset: Dataset with one row for each picture.
        text: Text prompt, as for `Sam3Session.predict`.
        open_session: Function that opens a session in each worker, such as
            `partial(Sam3Session.from_pretrained, "miniature")`.
        column: Column of the pictures: paths that workers can read, bytes of files, or arrays (RGB).
        name_column: Column of the names of the pictures; None for `column`, which must then contain paths.
        workers: Number of processes; each loads the weights of the model. Leave one CPU of the cluster for reading the
            pictures and writing the rows, because otherwise Ray waits forever.
        cpus: CPUs of each worker: Ray reserves this number, and a graph runs in this number of threads.
        gpus: GPUs of each worker.
        batch_size: Number of pictures that a worker processes at a time.
        **options: Options of `Sam3Session.predict`: boxes, marks, label, conf_threshold, cut_to_box, nms, truncate.

    Returns:
        A dataset of `sam3_onnx.integrations.rows.Row`, which Ray computes when it is used.

    Raises:
        MissingExtraError: Ray is not installed.
        OptionError: An option does not exist, or has a value that is not allowed.
        PromptError: The prompt is invalid.

    Warns:
        UserWarning: The workers use all CPUs that the cluster has at present.
    """
    ray, data = _package("ray"), _package("ray.data")
    require_known(options, QuestionOptions.__annotations__)
    if text is not None:
        parse_text(text)
    for name, value in (("workers", workers), ("batch_size", batch_size)):
        require_whole(name, value, least=1)
    if not (is_number(cpus) and cpus > 0):
        raise OptionError("cpus", expected="a number above 0", got=cpus)
    _warn_of_waiting(workers * cpus, ray.cluster_resources().get("CPU", 0.0))
    return dataset.map_batches(
        PictureAnnotator,
        fn_constructor_kwargs={
            "open_session": open_session,
            "text": text,
            "column": column,
            "name_column": name_column,
            "threads": max(1, int(cpus)),
            "options": options,
        },
        batch_format="numpy",
        batch_size=batch_size,
        compute=data.ActorPoolStrategy(size=workers),
        num_cpus=cpus,
        num_gpus=gpus,
    )


def row_schema() -> pa.Schema:
    """Returns the Arrow schema of `sam3_onnx.integrations.rows.Row`, which is the same for all batches.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    arrow = _package("pyarrow")
    kinds = {
        **dict.fromkeys(("picture", "label", "prompt", "counts", "error"), arrow.string()),
        **dict.fromkeys(("height", "width", "instance"), arrow.int32()),
        **dict.fromkeys(("x1", "y1", "x2", "y2"), arrow.float32()),
        "score": arrow.float64(),
    }
    return arrow.schema([(name, kinds[name]) for name in Row.__annotations__])


def _warn_of_waiting(taken: float, there: float) -> None:
    if taken > there - 1:
        message = (
            f"The workers use {taken:g} of the {there:g} CPUs of Ray. Reading pictures or writing rows may need one "
            "more CPU, and without it Ray waits forever. Use fewer workers, or start Ray with more CPUs."
        )
        warnings.warn(message, stacklevel=3)


def _rows(name: str, answer: Segmentation | PictureFault) -> list[Row]:
    return rows_of(name, answer) if isinstance(answer, Segmentation) else [row_of_failure(name, answer)]


def _column(batch: Mapping[str, NDArray[np.generic]], name: str) -> NDArray[np.generic]:
    if name not in batch:
        raise OptionError("column", expected=f"one of {', '.join(batch)}", got=name)
    return batch[name]


def _name(value: object, column: str) -> str:
    if not isinstance(value, str):
        remedy = "Pass the column with the names of the pictures in name_column=."
        raise OptionError(
            f"{column} of each picture", expected="a string with its name", got=type(value), remedy=remedy
        )
    return str(value)


def _package(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(feature="Annotating with Ray", package=name.partition(".")[0], extra="ray") from error
