"""The command line: thin, over the same API. One file for each command, with `add` as its door."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from sam3_onnx._support.version import __version__
from sam3_onnx.cli import annotate, evaluate, export, models, optimize, segment
from sam3_onnx.cli.doctor.command import add as add_doctor
from sam3_onnx.cli.parser import CommandParser, with_negative_numbers
from sam3_onnx.cli.wording import in_shell_words
from sam3_onnx.errors import Sam3Error

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["main"]

_INTERRUPTED = 130  # what shells report for a program that Ctrl-C ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: Words of the command line without the program's name; None for `sys.argv`.

    Returns:
        0; 1 if the command failed, 3 if it failed for some pictures of many or could not write all of what a strict
        run asks for, 130 if it was interrupted: the reason is on standard error, or in the summary of a run.
    """
    try:
        options = _parsed(sys.argv[1:] if arguments is None else arguments)
        code: int = options.run(options)
        sys.stdout.flush()
    except Sam3Error as error:
        print(f"sam3-onnx: {in_shell_words(str(error))}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever read standard output, such as `head`, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"sam3-onnx: cannot read or write a file: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("sam3-onnx: interrupted", file=sys.stderr)
        return _INTERRUPTED
    return code


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Returns the options of a command line; prints the help text if that is asked for."""
    try:
        return _parser().parse_args(with_negative_numbers(arguments))
    except SystemExit:
        sys.stdout.flush()  # here a closed standard output is noticed, and not when the interpreter ends
        raise


def _parser() -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = CommandParser(
        prog="sam3-onnx", description="SAM 3 on your own machine through ONNX Runtime."
    )
    parser.add_argument("--version", action="version", version=f"sam3-onnx {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    segment.add(commands)
    annotate.add(commands)
    evaluate.add(commands)
    models.add(commands)
    export.add(commands)
    optimize.add(commands)
    add_doctor(commands)
    return parser
