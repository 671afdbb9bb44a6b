"""Numbers of labels, for programs that want numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sam3_onnx._support.checks import is_whole
from sam3_onnx.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sam3_onnx.results.instance import Instance

__all__ = ["class_numbers"]


def class_numbers(
    name: str, given: Mapping[str, int] | None, instances: Sequence[Instance], *, first: int
) -> list[int]:
    """A number for each instance.

    Args:
        name: What the option is called.
        given: Number of each label; None numbers labels as they first appear.
        instances: What was found.
        first: Number of the label that appears first.

    Raises:
        OptionError: `given` is no mapping of labels to whole numbers, or a label is not in it.
    """
    if given is not None and not isinstance(given, Mapping):
        raise OptionError(name, expected="a mapping of labels to whole numbers, or None", got=given)
    labels = [instance.label for instance in instances]
    numbers = {label: first + index for index, label in enumerate(dict.fromkeys(labels))} if given is None else given
    for label in labels:
        if label not in numbers:
            raise OptionError(name, expected=f"a number for every label, {label!r} among them", got=dict(numbers))
        if not is_whole(numbers[label]):
            raise OptionError(name, expected="labels with whole numbers", got=dict(numbers))
    return [int(numbers[label]) for label in labels]
