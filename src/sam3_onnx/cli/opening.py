"""The options of a command that choose a model and how it is run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import argparse

    from sam3_onnx.models.runtime.providers.precision import Precision, PrecisionChoice
    from sam3_onnx.session.options import SessionOptions
    from sam3_onnx.session.session import Sam3Session

__all__ = ["add_model_options", "opened", "precision_of"]


def add_model_options(command: argparse.ArgumentParser) -> None:
    """Adds the options that `opened` reads."""
    command.add_argument("--model", default="miniature", help="a registered model or a folder of .onnx files")
    command.add_argument("--conf", type=float, help="threshold of scores (default: the model's, as a rule 0.5)")
    command.add_argument("--epsilon", type=float, help="polygon simplification (default: 0.001)")
    command.add_argument("--provider", help="execution provider (default: auto)")
    command.add_argument(
        "--precision",
        type=precision_of,
        metavar="WORD|PART=WORD,...",
        help="float32, bfloat16 or float16, for the parts that hold in it or for parts by name (default: auto)",
    )
    command.add_argument("--cache-folder", help="a folder in which embeddings are kept for the next time")


def opened(options: argparse.Namespace) -> Sam3Session:
    """Opens the model."""
    from sam3_onnx.hub.registry import KNOWN_MODELS  # noqa: PLC0415 - --help need not wait for it
    from sam3_onnx.session.session import Sam3Session  # noqa: PLC0415

    chosen: SessionOptions = {"conf_threshold": options.conf, "cache_folder": options.cache_folder}
    if options.provider is not None:
        chosen["provider"] = options.provider
    if options.precision is not None:
        chosen["precision"] = options.precision
    if options.epsilon is not None:
        chosen["epsilon"] = options.epsilon
    folder = Path(options.model)
    if options.model in KNOWN_MODELS or not (folder.exists() or folder.name != options.model):
        return Sam3Session.from_pretrained(options.model, **chosen)
    return Sam3Session.from_folder(options.model, **chosen)


def precision_of(text: str) -> PrecisionChoice:
    """Returns a choice of precision as it is written on a command line; a session says what is wrong with it.

    Args:
        text: A word, or parts with words, as in "image_encoder=bfloat16,decoder=float32".
    """
    if "=" not in text:
        return cast("Precision", text)
    pairs = (part.partition("=") for part in text.split(","))
    return {role.strip(): cast("Precision", word.strip()) for role, _, word in pairs}
