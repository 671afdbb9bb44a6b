"""How is a folder labelled before a person opens it in labelme?

Looks for every label of labelme's own list in every picture, and writes labelme's files beside the pictures. What is
labelled by hand stays; an interrupted run goes on where it was. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sam3_onnx import Sam3Session
from sam3_onnx.annotate import AnnotateProgress, annotate_folder

_SOME_FAILED = 3


def words_of(labels: Path) -> list[str]:
    """What to look for: the lines of labelme's list, without its own `__ignore__` and `_background_`.

    Args:
        labels: The text file that `labelme --labels` takes.
    """
    lines = [line.strip() for line in labels.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line and not line.startswith("_")]


def main(arguments: list[str] | None = None) -> int:
    """Labels a folder.

    Args:
        arguments: Of the command line; None for those that the program was called with.

    Returns:
        The exit status: 3 if some pictures could not be labelled, otherwise 0.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", help="a folder of pictures")
    parser.add_argument("--labels", type=Path, required=True, help="the list of labels, as for labelme --labels")
    parser.add_argument("--mode", choices=("polygon", "rectangle", "rotation", "mask"), default="polygon")
    told = "how far a polygon may be from the mask, as a share of its length (default: %(default)s)"
    parser.add_argument("--epsilon", type=float, default=0.005, help=told)
    parser.add_argument("--model", default="miniature", help="a published name, or a folder with an export")
    options = parser.parse_args(arguments)
    opens = Sam3Session.from_folder if Path(options.model).is_dir() else Sam3Session.from_pretrained
    with opens(options.model) as session:
        summary = annotate_folder(
            session,
            options.folder,
            words_of(options.labels),
            label_format="labelme",
            mode=options.mode,
            epsilon=options.epsilon,
            progress=_show,
        )
    print(summary)
    return _SOME_FAILED if summary.failures else 0


def _show(progress: AnnotateProgress) -> None:
    print(f"{progress.done} of {progress.total}, {progress.instances} found", end="\r", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
