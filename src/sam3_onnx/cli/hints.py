"""What was probably meant by words of a command line that are not understood."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sam3_onnx._support.keywords import near_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["hints"]

_THEIRS = {
    "--text": "--prompt --prompts --texts --label --labels --classes --class --query --words --caption --names",
    "--conf": "--threshold --confidence --conf-threshold --conf_threshold --score --min-score --conf-thres",
    "--nms": "--iou --iou-threshold --nms-threshold --iou-thres",
    "--model": "--weights --checkpoint --ckpt --model-path --models --name -m",
    "--provider": "--device --providers --backend --gpu --cuda --cpu",
    "--out": "--output --output-dir --out-dir --save-dir --project --save -O",
    "--precision": "--dtype --half --fp16",
    "--threads": "--num-threads --workers --jobs -j",
    "--format": "--fmt --output-format --label-format --type",
    "--output-mode": "--mode --shape --shapes --shape-type",
    "--yes": "-y --assume-yes --download --pull",
    "--overwrite": "--force --replace --exist-ok --yes -f -y",
    "--recursive": "--recurse -R",
    "--box": "--bbox --boxes --rect",
    "--point": "--points --click --clicks",
    "--min-area": "--area --min-size",
    "--cache-folder": "--cache --cache-dir",
    "--restart": "--no-resume --fresh",
}
"""What is meant by options of other programs, by our option."""
_SYNONYMS = {
    "segment": "predict detect find run infer segment-image image",
    "annotate": "label annotation batch folder autolabel auto-label",
    "evaluate": "eval val validate score measure benchmark test metrics",
    "models": "model list pull download verify where remove weights",
    "export": "convert",
    "optimize": "optimise quantize quantise",
    "doctor": "check info env diagnose",
    "--help": "help",
    "--version": "version",
    "pull": "fetch get download install add",
    "list": "ls show all",
    "remove": "rm delete uninstall",
    "verify": "check hash validate",
    "where": "path info locate find",
}
"""Commands, and actions of `models`, with words that others have for them."""
_NUMBERS = {"--box": 4, "--negative-box": 4, "--point": 2, "--negative-point": 2}
"""Options that take numbers with commas, and how many."""
_NUMBER = re.compile(r"-?\d+(\.\d+)?,?")
_NEEDED = {
    "--text": 'What to find: --text "person, car".',
    "--model": "For pictures of your own: --model sam3, once `sam3-onnx models pull sam3` has fetched it, or --model "
    "FOLDER with .onnx files; SAM3_ONNX_MODEL names one for every run. --model miniature is a toy for trying this out: "
    "it knows coins and coloured shapes, nothing else.",
}
"""What to give for options that have to be given."""


def hints(
    words: Sequence[str],
    known: Sequence[str],
    message: str,
    rest: Sequence[str] = (),
    *,
    program: str = "sam3-onnx",
    commands: Sequence[str] = (),
) -> list[str]:
    """Returns sentences on what to write instead.

    Args:
        words: All words of the command.
        known: Its options.
        message: What is wrong, as argparse says it.
        rest: Words that nothing took.
        program: How the command is called.
        commands: The commands that it has itself.
    """
    found = [*_of_options(words, known), *_of_numbers(words)]
    if not found:
        found += _of_text(words, rest)
    if not found:
        found += _of_rest(words, known, rest)
    if commands:
        found += _of_commands(words, message, program, commands)
    found += [text for option, text in _NEEDED.items() if "required" in message and option in message]
    return list(dict.fromkeys(found))


def _of_options(words: Iterable[str], known: Sequence[str]) -> Iterator[str]:
    for word in words:
        option = word.partition("=")[0]
        if not option.startswith("-") or option in known or _NUMBER.match(option) or option == "-":
            continue
        theirs = (ours for ours, names in _THEIRS.items() if option in names.split() and ours in known)
        near = next(theirs, None) or _near_option(option, known)
        if near:
            yield f"Did you mean {near} in place of {option}?"


def _near_option(option: str, known: Iterable[str]) -> str | None:
    """Returns the long option that is spelt nearly as another, without what all of them begin with."""
    if not option.startswith("--"):
        return None
    near = near_name(option.lstrip("-"), [one.removeprefix("--") for one in known if one.startswith("--")])
    return None if near is None else f"--{near}"


def _of_numbers(words: Sequence[str]) -> Iterator[str]:
    for at, word in enumerate(words):
        wanted = _NUMBERS.get(word, 0)
        numbers = words[at + 1 : at + 1 + wanted]
        if wanted and len(numbers) == wanted and all(_NUMBER.fullmatch(number) for number in numbers):
            yield f"Did you mean {word} {','.join(number.rstrip(',') for number in numbers)}?"


def _of_text(words: Sequence[str], rest: Sequence[str]) -> Iterator[str]:
    """Yields how words are given that belong together, where some were left over and stand behind --text."""
    if "--text" not in words or not any(not word.startswith("-") for word in rest):
        return
    meant: list[str] = []
    for word in words[words.index("--text") + 1 :]:
        if word.startswith("-") or Path(word).exists() or (meant and "," in "".join(meant) and meant[-1][-1:] != ","):
            break
        meant.append(word)
    if len(meant) > 1:
        yield f'Words that belong together need quotes: --text "{" ".join(meant)}".'


def _of_rest(words: Sequence[str], known: Sequence[str], rest: Sequence[str]) -> Iterator[str]:
    """Yields what words were meant for that stand where nothing takes them."""
    others = [word for word in rest if not word.startswith("-")]
    files = [word for word in others if Path(word).is_file()]
    if files and "--text" in known:
        folder = Path(files[0]).parent
        yield f'For all pictures of a folder: sam3-onnx annotate {folder} --text "person, car".'
    elif others and "--pictures" in known and Path(others[0]).is_dir():
        yield f"Did you mean --pictures {others[0]}?"
    elif others and "--text" in known and "--text" not in words:
        yield f'What to find stands behind --text: --text "{" ".join(others)}".'


def _of_commands(words: Sequence[str], message: str, program: str, commands: Sequence[str]) -> Iterator[str]:
    if "invalid choice" not in message or not words:
        return
    given = next((word for word in words if repr(word) in message), words[0])
    near = next((ours for ours, theirs in _SYNONYMS.items() if given in theirs.split() and _has(commands, ours)), None)
    near = near or near_name(given, commands)
    if "segment" in commands and Path(given).is_dir():
        yield f'To label a folder of pictures: sam3-onnx annotate {given} --text "person, car" --model sam3.'
    elif "segment" in commands and Path(given).is_file():
        yield f'To find things in a picture: sam3-onnx segment {given} --text "person, car".'
    elif near:
        yield f"Did you mean {program} {near}?"


def _has(commands: Sequence[str], word: str) -> bool:
    return word in commands or word.startswith("-")
