"""Words of a command line, and what their finds are called."""

from __future__ import annotations

import argparse

from sam3_onnx.errors import OptionError

__all__ = ["named", "renaming"]


def renaming(text: str) -> tuple[str, str]:
    """Returns prompt and label of PROMPT=LABEL.

    Raises:
        ArgumentTypeError: It is written in another way.
    """
    prompt, sign, label = (part.strip() for part in text.partition("="))
    if not (prompt and sign and label):
        raise argparse.ArgumentTypeError(f"expected PROMPT=LABEL, got {text!r}")
    return prompt, label


def named(text: str, renamings: list[tuple[str, str]]) -> dict[str, str]:
    """Returns prompts with what they are called in files.

    Raises:
        OptionError: A prompt is not asked for.
        PromptError: Nothing is asked for.
    """
    from sam3_onnx.prompts.words import parse_text  # noqa: PLC0415 - --help need not wait for NumPy

    found = {concept.prompt: concept.label for concept in parse_text(text)}
    for prompt, label in renamings:
        if prompt not in found:
            raise OptionError("--label", expected=f"for one of {', '.join(found)}", got=prompt)
        found[prompt] = label
    return found
