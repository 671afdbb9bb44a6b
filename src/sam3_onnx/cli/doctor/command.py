"""`sam3-onnx doctor`: what a bug report needs, and what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["add"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the parser of `sam3-onnx`."""
    doctor = commands.add_parser(
        "doctor",
        help="check this machine and print what a bug report needs",
        description="Prints versions, providers with proof, cores, memory, models and settings as Markdown that can "
        "be pasted into a bug report, then what is wrong and what to do. Holds no user name and no secret. Exit code 1 "
        "if something is broken.",
    )
    doctor.add_argument("--json", action="store_true", help="print JSON in place of Markdown")
    doctor.set_defaults(run=_doctor)


def _doctor(options: argparse.Namespace) -> int:
    from sam3_onnx.cli.doctor.render import as_json, as_markdown  # noqa: PLC0415 - --help need not wait for it
    from sam3_onnx.cli.doctor.report import examine, problems_of  # noqa: PLC0415

    report = examine()
    problems = problems_of(report)
    print(as_json(report, problems) if options.json else as_markdown(report, problems))
    return int(any(problem.broken for problem in problems))
