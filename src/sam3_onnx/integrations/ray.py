"""Pictures as a Ray Data dataset, with one session in each worker: for more than one process can take.

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

What a row holds is told by `sam3_onnx.integrations.rows.Row`.
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
    """Opens a session in whichever process calls it, such as `partial(Sam3Session.from_folder, "models/sam3")`.

    It has to be picklable and to take `threads`.
    """

    def __call__(self, *, threads: int | None) -> Sam3Session:
        """Opens it.

        Args:
            threads: Of one run of a graph; None for what the process may use.
        """
        ...


class PictureAnnotator:
    """Answers one question of batches of pictures: what `Dataset.map_batches` makes in each of its actors.

    `annotate` puts it there. Do so yourself for what `annotate` has no option for: `map_batches(PictureAnnotator,
    fn_constructor_kwargs={...}, batch_format="numpy", ...)`.
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
            open_session: Opens it.
            text: As for `Sam3Session.predict`.
            column: Of the pictures: paths, the bytes of files, or arrays, as `sam3_onnx.images.load_image` takes them.
            name_column: Of what names each picture; None for `column`, which then has to hold paths.
            threads: Of one run of a graph.
            options: Of the question; see `sam3_onnx.session.streaming.QuestionOptions`.

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
        """The rows of a batch, pictures in its order.

        Args:
            batch: Columns by name.

        Raises:
            OptionError: There is no such column, or pictures have no name.
            PromptError: The words cannot be used, or not by this model.
        """
        names = [_name(value, self._name_column) for value in _column(batch, self._name_column)]
        answers = zip(names, self._answers(_column(batch, self._column)), strict=True)
        rows = [row for name, answer in answers for row in _rows(name, answer)]
        return _package("pyarrow").Table.from_pylist(rows, schema=self._schema)

    def _answers(self, pictures: NDArray[np.generic]) -> list[Segmentation | PictureFault]:
        answers: list[Segmentation | PictureFault] = []
        # in order: a failure is told when it is its turn
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
    """Asks one question of every picture of a dataset.

    Each worker is a process of its own with a session of its own. A picture that cannot be read or answered becomes a
    row with an error, and the others go on.

    Args:
        dataset: A row for each picture.
        text: As for `Sam3Session.predict`.
        open_session: Opens a session in each worker, such as `partial(Sam3Session.from_pretrained, "miniature")`.
        column: Of the pictures: paths that workers can read, the bytes of files, or arrays (RGB).
        name_column: Of what names each picture; None for `column`, which then has to hold paths.
        workers: Processes. Each holds the model's weights. Leave a CPU of the cluster to whatever reads the pictures
            and writes the rows: without one, Ray waits for ever.
        cpus: Of each worker: Ray sets so many apart, and a graph runs in so many threads.
        gpus: Of each worker.
        batch_size: Pictures that a worker takes at a time.
        **options: As for `Sam3Session.predict`: boxes, marks, label, conf_threshold, cut_to_box, nms, truncate.

    Returns:
        A dataset of `sam3_onnx.integrations.rows.Row`. It is computed when something is done with it.

    Raises:
        MissingExtraError: Ray is not installed.
        OptionError: An option does not exist, or is out of its range.
        PromptError: The words cannot be used.

    Warns:
        UserWarning: The workers leave no CPU of the cluster as it is now.
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
    """The columns of `sam3_onnx.integrations.rows.Row` in Arrow's types, the same whatever a batch holds.

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
            f"The workers take {taken:g} of the {there:g} CPUs that Ray has, and reading pictures or writing rows may "
            "take one as well: without it, Ray waits for ever. Take fewer workers, or start Ray with more CPUs."
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
        remedy = "Name the column of the pictures' names with name_column=."
        raise OptionError(
            f"{column} of each picture", expected="a string that names it", got=type(value), remedy=remedy
        )
    return str(value)


def _package(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(feature="Annotating with Ray", package=name.partition(".")[0], extra="ray") from error
