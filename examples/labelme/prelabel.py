"""How is a folder labelled before a person opens it in labelme?

Looks for every label of labelme's own list in every picture, and writes labelme's files beside the pictures. What is
labelled by hand stays; an interrupted run goes on where it was. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sam3_onnx import Sam3Session
from sam3_onnx.annotate import AnnotateProgress, AnnotateSummary, annotate_folder, find_pictures
from sam3_onnx.errors import OptionError, Sam3Error

_FAILED, _SOME_FAILED, _INTERRUPTED = 1, 3, 130


def words_of(labels: Path) -> list[str]:
    """What to look for: the lines of labelme's list, without its own `__ignore__` and `_background_`.

    Args:
        labels: The text file that `labelme --labels` takes.

    Raises:
        OptionError: It is no text, or there is nothing to look for.
        OSError: It cannot be opened.
    """
    try:
        lines = [line.strip() for line in labels.read_text(encoding="utf-8").splitlines()]
    except UnicodeDecodeError as error:
        raise OptionError("--labels", expected="a text file in UTF-8", got=str(labels)) from error
    words = [line for line in lines if line and not line.startswith("_")]
    if not words:
        expected = "a list with at least one label to look for, on a line of its own and not beginning with _"
        raise OptionError("--labels", expected=expected, got=f"{labels} with none")
    return words


def main(arguments: list[str] | None = None) -> int:
    """Labels a folder.

    Args:
        arguments: Of the command line; None for those that the program was called with.

    Returns:
        The exit status: 0 if every picture is labelled, 3 if some failed, 1 if the run could not begin or go on, 130 if
        it was interrupted; the reason is on standard error.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", help="a folder of pictures")
    parser.add_argument("--labels", type=Path, required=True, help="the list of labels, as for labelme --labels")
    parser.add_argument("--mode", choices=("polygon", "rectangle", "rotation", "mask"), default="polygon")
    told = "how far a polygon may be from the mask, as a share of its length (default: %(default)s)"
    parser.add_argument("--epsilon", type=float, default=0.005, help=told)
    parser.add_argument("--model", default="miniature", help="a published name, or a folder with an export")
    options = parser.parse_args(arguments)
    try:
        summary = _labelled(options)
    except Sam3Error as error:
        print(f"prelabel: {error}", file=sys.stderr)
        return _FAILED
    except OSError as error:
        print(f"prelabel: cannot read or write a file: {error}", file=sys.stderr)
        return _FAILED
    except KeyboardInterrupt:
        print("\nprelabel: interrupted; the same command goes on where it was", file=sys.stderr)
        return _INTERRUPTED
    print(summary)
    return _SOME_FAILED if summary.failures else 0


def _labelled(options: argparse.Namespace) -> AnnotateSummary:
    words = words_of(options.labels)
    find_pictures(options.folder)  # a wrong folder is told before a model is loaded
    opens = Sam3Session.from_folder if Path(options.model).is_dir() else Sam3Session.from_pretrained
    with opens(options.model) as session:
        return annotate_folder(
            session,
            options.folder,
            words,
            label_format="labelme",
            mode=options.mode,
            epsilon=options.epsilon,
            progress=_show if sys.stderr.isatty() else None,
        )


def _show(progress: AnnotateProgress) -> None:
    end = "\n" if progress.done == progress.total else ""
    told = f"\r{progress.done} of {progress.total}, {progress.instances} found"
    print(told, end=end, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
