"""The options of a command that choose a model, how it is run and how it answers."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, cast

from sam3_onnx.cli.consent import add_consent_option, require_consent
from sam3_onnx.cli.values import number, require_least, require_share, share_or_off, whole
from sam3_onnx.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sam3_onnx.models.runtime.providers.precision import Precision, PrecisionChoice
    from sam3_onnx.session.options import SessionOptions
    from sam3_onnx.session.session import Sam3Session
    from sam3_onnx.session.streaming import QuestionOptions

__all__ = [
    "MODEL_VARIABLE",
    "add_model_options",
    "add_question_options",
    "model_line",
    "opened",
    "precision_of",
    "question_options",
    "require_model_options",
    "warn_of_words",
]

MODEL_VARIABLE = "SAM3_ONNX_MODEL"
"""Environment variable that names the model where `--model` does not."""
_TOY = "miniature"
_SHOWN = 60  # characters of a prompt that a message repeats
TOY_WORDS = frozenset(
    {"red", "green", "blue", "yellow", "orange", "purple", "white", "black"}
    | {"circle", "square", "triangle", "star", "ellipse", "ring", "cross", "coin"}
    | {"circles", "squares", "triangles", "stars", "ellipses", "rings", "crosses", "coins"}
    | {"a", "the", "all", "shape", "shapes", "visual"}
)
"""Words that the miniature was trained with; see its model card."""


def add_model_options(command: argparse.ArgumentParser, *, needs_model: bool = False) -> None:
    """Adds the options that the other functions of this module read.

    Args:
        command: The command's parser.
        needs_model: Whether there is no model unless one is named; otherwise it is the miniature.
    """
    named = os.environ.get(MODEL_VARIABLE) or None
    told = "a registered model, as `sam3-onnx models list` shows them, or a folder of .onnx files (default: what "
    told += f"{MODEL_VARIABLE} names{'' if needs_model else f', else {_TOY}: a toy that knows coins and shapes'})"
    required = needs_model and named is None
    command.add_argument("--model", default=named or _TOY, required=required, help=told, metavar="NAME")
    command.add_argument("--family", help="this family of exports, where the folder holds several", metavar="NAME")
    command.add_argument("--variant", help="this variant, such as fp16, where the folder holds several", metavar="NAME")
    told = "only scores above it, in 0..1 (default: the model's, usually 0.5)"
    command.add_argument("--conf", type=number, help=told, metavar="SCORE")
    told = "polygon simplification (default: 0.001), as a share of the perimeter"
    command.add_argument("--epsilon", type=number, help=told, metavar="SHARE")
    told = "execution provider (default: auto), such as cpu, cuda, openvino; several with commas"
    command.add_argument("--provider", help=told, metavar="NAME")
    told = "float32, bfloat16 or float16, for the parts that hold in it or for parts by name (default: auto)"
    command.add_argument("--precision", type=precision_of, help=told, metavar="WORD|PART=WORD,...")
    told = "threads of one run (default: as many as this process may use)"
    command.add_argument("--threads", type=whole, help=told, metavar="NUMBER")
    command.add_argument("--offline", action="store_true", default=None, help="never use the network")
    add_consent_option(command)
    command.add_argument("--cache-folder", help="where embeddings are kept for the next time", metavar="FOLDER")


def add_question_options(command: argparse.ArgumentParser) -> None:
    """Adds the options that `question_options` reads."""
    told = "leave out what overlaps a better find by a higher mask IoU, or off (default: the model's, usually off)"
    command.add_argument("--nms", type=share_or_off, default=argparse.SUPPRESS, help=told, metavar="IOU")
    told = "cut masks to their boxes (default: the model's, usually not)"
    command.add_argument("--cut-to-box", action=argparse.BooleanOptionalAction, default=None, help=told)
    command.add_argument("--truncate", action="store_true", help="cut words that are too long for the model")


def require_model_options(options: argparse.Namespace) -> None:
    """Lets numbers pass that a model could be asked with, before one is loaded.

    Raises:
        OptionError: One is out of its range.
    """
    for name in ("conf", "epsilon", "nms"):
        require_share(f"--{name}", getattr(options, name, None))
    require_least("--threads", options.threads, 1)
    if _is_registered(options.model):
        for name in ("family", "variant"):
            if getattr(options, name) is not None:
                remedy = "It chooses among the exports of a folder: --model FOLDER."
                expected = f"left out with {options.model}, a registered model"
                raise OptionError(f"--{name}", expected=expected, got=getattr(options, name), remedy=remedy)


def opened(options: argparse.Namespace) -> Sam3Session:
    """Opens the model."""
    from sam3_onnx.session.session import Sam3Session  # noqa: PLC0415 - --help need not wait for it

    given = {
        "conf_threshold": options.conf,
        "epsilon": options.epsilon,
        "provider": options.provider if options.provider is None else _providers(options.provider),
        "precision": options.precision,
        "threads": options.threads,
        "cache_folder": options.cache_folder,
    }
    chosen: SessionOptions = {name: value for name, value in given.items() if value is not None}  # type: ignore[assignment]
    if _is_registered(options.model):
        require_consent(options)
        return Sam3Session.from_pretrained(options.model, offline=options.offline, **chosen)
    return Sam3Session.from_folder(options.model, family=options.family, variant=options.variant, **chosen)


def question_options(options: argparse.Namespace) -> QuestionOptions:
    """Returns how the model is to answer, as `Sam3Session.predict` takes it; what was not given is left out."""
    asked: QuestionOptions = {}
    if options.cut_to_box is not None:
        asked["cut_to_box"] = options.cut_to_box
    if options.truncate:
        asked["truncate"] = True
    if "nms" in options:
        asked["nms"] = False if options.nms is None else options.nms
    return asked


def model_line(options: argparse.Namespace, session: Sam3Session) -> str:
    """Returns which model answered, and what ran it."""
    providers = {names[0].removesuffix("ExecutionProvider") for names in session.providers.values() if names}
    run_by = f", run by {', '.join(sorted(providers))}" if providers else ""
    toy = ": a toy that knows coins and coloured shapes, nothing else" if options.model == _TOY else ""
    return f"model: {options.model} ({session.capabilities.family}{run_by}){toy}"


def warn_of_words(options: argparse.Namespace, prompts: Iterable[str]) -> None:
    """Says on standard error which of some prompts the miniature does not know, if that is the model."""
    unknown = [prompt for prompt in prompts if not set(prompt.lower().split()) <= TOY_WORDS]
    if options.model == _TOY and unknown:
        listed = ", ".join(f'"{shorten(prompt, _SHOWN)}"' for prompt in unknown)
        print(
            f"sam3-onnx: the miniature does not know {listed}: it is a toy that knows coins and coloured shapes. For "
            "pictures of your own take --model sam3 (sam3-onnx models list shows what there is).",
            file=sys.stderr,
        )


def _is_registered(model: str) -> bool:
    from sam3_onnx.hub.registry import KNOWN_MODELS  # noqa: PLC0415 - --help need not wait for it

    folder = Path(model)
    return model in KNOWN_MODELS or not (folder.exists() or folder.name != model)


def _providers(text: str) -> str | list[str]:
    """Returns a provider, or several that stand with commas.

    Raises:
        OptionError: A name that stands for none.
    """
    from sam3_onnx.models.runtime.providers.names import SHORT_NAMES  # noqa: PLC0415

    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name.lower() not in {"auto", *SHORT_NAMES} and not name.endswith("ExecutionProvider"):
            remedy = "`sam3-onnx doctor` shows which of them work here."
            raise OptionError("--provider", expected=f"one of auto, {', '.join(SHORT_NAMES)}", got=name, remedy=remedy)
    return names[0] if len(names) == 1 else names


def precision_of(text: str) -> PrecisionChoice:
    """Returns a choice of precision as it is written on a command line; a session says what is wrong with it.

    Args:
        text: A word, or parts with words, as in "image_encoder=bfloat16,decoder=float32".
    """
    if "=" not in text:
        return cast("Precision", text)
    pairs = (part.partition("=") for part in text.split(","))
    return {role.strip(): cast("Precision", word.strip()) for role, _, word in pairs}
