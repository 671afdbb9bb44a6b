"""Questions in the terminal before gigabytes are downloaded or files are deleted."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sam3_onnx._support.units import in_bytes
from sam3_onnx.errors import OptionError

if TYPE_CHECKING:
    import argparse

    from sam3_onnx.hub.inventory import Whereabouts

__all__ = ["add_consent_option", "agreed", "require_consent"]


def add_consent_option(command: argparse.ArgumentParser) -> None:
    """Adds `--yes`, which `require_consent` reads."""
    told = "download the model without asking, if it is not here yet"
    command.add_argument("--yes", action="store_true", help=told)


def require_consent(options: argparse.Namespace) -> None:
    """Lets a registered model pass whose files are here, or that may be downloaded.

    In a terminal the size is said and the question is asked; elsewhere `--yes` is the answer, as nobody could give one.
    Where the network is not to be used there is nothing to ask: opening the model says what is missing.

    Raises:
        OptionError: The model is not to be downloaded.
    """
    from sam3_onnx.hub.inventory import where  # noqa: PLC0415 - --help need not wait for it
    from sam3_onnx.hub.sources import is_offline  # noqa: PLC0415

    found = where(options.model)
    if found.state not in {"absent", "incomplete"} or options.yes or is_offline(asked=options.offline):
        return
    size = _size_to_come(found)
    if sys.stdin.isatty() and agreed(f"The model {options.model} is not here yet. Download {size}? [y/N] "):
        return
    remedy = f"Its files would have to be downloaded: {size}. Fetch them first with sam3-onnx models pull "
    remedy += f"{options.model}, or pass --yes to download them now."
    raise OptionError("--model", expected="a model whose files are here", got=options.model, remedy=remedy)


def agreed(question: str) -> bool:
    """Asks a question in the terminal, and returns whether it was answered with yes."""
    try:
        return input(question).strip().lower() in {"y", "yes"}
    except EOFError:
        return False


def _size_to_come(found: Whereabouts) -> str:
    """Returns how much there is to download."""
    missing = [file for file in found.files if file.state in {"missing", "partial"}]
    sizes = [file.published.size for file in missing]
    known = sum(size for size in sizes if size is not None) - sum(file.size or 0 for file in missing)
    if None not in sizes:
        return in_bytes(known)
    about = found.model.approximate_size
    return f"about {in_bytes(about)}" if about is not None else "files whose size is not known yet"
