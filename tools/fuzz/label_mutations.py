"""Mutations of whole label files. What a mutation does says what a reader has to make of the file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools.fuzz.inputs import Duty
from tools.fuzz.label_entries import BAD_ANNOTATIONS, BAD_ENTRIES, BAD_LINES, BAD_MASKS, ODD_ENTRIES, ODD_LINES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from tools.fuzz.label_files import WholeLabels

    Change = Callable[[WholeLabels, Random], Mapping[str, bytes] | None]

__all__ = ["Mutation", "mutations_of"]

_ODD: tuple[object, ...] = (
    None,
    True,
    -1,
    0,
    0.5,
    1e308,
    10**400,
    "",
    "x",
    "1",
    [],
    [[]],
    {},
    [None],
    {"a": 1},
    [1, 2, 3],
    "\ud800",
)
"""Values that may stand anywhere in JSON."""


@dataclass(frozen=True)
class Mutation:
    """A change of the files of one picture."""

    change: Change
    """Returns the changed files; None where there is nothing to change."""
    duty: Duty
    alone: bool = False
    """Whether other pictures of the same file have to be read all the same."""


def mutations_of(format_name: str) -> Mapping[str, Mutation]:
    """Returns what can be done to label files of a format, by name."""
    own = {"labelme": _OF_LABELME, "xanylabeling": _OF_JSON, "coco": _OF_COCO}.get(format_name, _OF_YOLO)
    return {**_ALL, **own}


def _content(whole: WholeLabels) -> bytes:
    return next(iter(whole.files.values()))


def _with(whole: WholeLabels, content: bytes) -> Mapping[str, bytes]:
    return {**whole.files, next(iter(whole.files)): content}


def _whole(whole: WholeLabels, _chance: Random) -> Mapping[str, bytes]:
    return whole.files


def _with_mark(whole: WholeLabels, _chance: Random) -> Mapping[str, bytes]:
    return _with(whole, b"\xef\xbb\xbf" + _content(whole))


def _cut(whole: WholeLabels, chance: Random) -> Mapping[str, bytes]:
    content = _content(whole).rstrip()
    return _with(whole, content[: chance.randrange(len(content))] if content else b"")


def _no_text(whole: WholeLabels, chance: Random) -> Mapping[str, bytes]:
    """Puts a byte that begins no letter of UTF-8 between two that stand for themselves."""
    content = _content(whole)
    at = chance.choice([0, *(at for at in range(1, len(content)) if content[at - 1] < 0x80 and content[at] < 0x80)])
    return _with(whole, content[:at] + b"\xff" + content[at:])


def _byte_changed(whole: WholeLabels, chance: Random) -> Mapping[str, bytes] | None:
    content = bytearray(_content(whole))
    if not content:
        return None
    content[chance.randrange(len(content))] = chance.randrange(256)
    return _with(whole, bytes(content))


def _letter_changed(whole: WholeLabels, chance: Random) -> Mapping[str, bytes] | None:
    content = bytearray(_content(whole))
    if not content:
        return None
    content[chance.randrange(len(content))] = chance.choice(b'0123456789.-+eE,:[]{}" \n\taNn')
    return _with(whole, bytes(content))


def _removed(whole: WholeLabels, chance: Random) -> Mapping[str, bytes]:
    content = _content(whole)
    at = chance.randrange(len(content) + 1)
    return _with(whole, content[:at] + content[at + chance.randint(1, 60) :])


def _odd_value(whole: WholeLabels, chance: Random) -> Mapping[str, bytes]:
    """Puts an odd value in the place of one of the values of a file, or leaves that value out."""
    fields = json.loads(_content(whole))
    holder, key = chance.choice(list(_places(fields)))
    if isinstance(holder, dict) and chance.random() < 0.2:
        del holder[key]
    else:
        holder[key] = chance.choice(_ODD)
    return _with(whole, json.dumps(fields).encode())


def _places(value: Any) -> Any:  # noqa: ANN401 - JSON is of any type
    """Yields each place of a value in JSON: the list or object that holds it, and its key."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield value, key
        yield from _places(inner)


def _lists_of_classes(whole: WholeLabels, _chance: Random) -> Mapping[str, bytes] | None:
    first, content = next(iter(whole.files.items()))
    return {first: content} if content.strip() else None


def _other_lists(whole: WholeLabels, chance: Random) -> Mapping[str, bytes]:
    """Changes a byte of the list of classes."""
    names = bytearray(whole.files["classes.txt"])
    names[chance.randrange(len(names))] = chance.randrange(256)
    return {**whole.files, "classes.txt": bytes(names)}


def _entry(change: Callable[[dict[str, Any], tuple[int, int], Random], object]) -> Change:
    """Returns a mutation that makes an entry of a label file in JSON impossible."""

    def made(whole: WholeLabels, chance: Random) -> Mapping[str, bytes] | None:
        fields = json.loads(_content(whole))
        if not fields["shapes"]:
            return None
        at = chance.randrange(len(fields["shapes"]))
        change(fields["shapes"][at], whole.size, chance)
        return _with(whole, json.dumps(fields).encode())

    return made


def _field(name: str, values: tuple[object, ...]) -> Change:
    """Returns a mutation that makes a field of a file in JSON impossible."""

    def made(whole: WholeLabels, chance: Random) -> Mapping[str, bytes]:
        fields = {**json.loads(_content(whole)), name: chance.choice(values)}
        return _with(whole, json.dumps(fields).encode())

    return made


def _annotation(change: Callable[[dict[str, Any], tuple[int, int], Random], object]) -> Change:
    """Returns a mutation that makes an annotation of `a.png` impossible."""

    def made(whole: WholeLabels, chance: Random) -> Mapping[str, bytes]:
        fields = json.loads(_content(whole))
        mine = [entry for entry in fields["annotations"] if entry["image_id"] == 1]
        change(chance.choice(mine), whole.size, chance)
        return _with(whole, json.dumps(fields).encode())

    return made


def _line(change: Callable[[list[str], Random], list[str]]) -> Change:
    """Returns a mutation that makes a line of YOLO's impossible."""

    def made(whole: WholeLabels, chance: Random) -> Mapping[str, bytes] | None:
        lines = _content(whole).decode().splitlines()
        if not lines:
            return None
        at = chance.randrange(len(lines))
        lines[at] = " ".join(change(lines[at].split(), chance))
        return _with(whole, "".join(f"{line}\n" for line in lines).encode())

    return made


def _added_lines(texts: tuple[str, ...]) -> Change:
    """Returns a mutation that puts lines of other programs among YOLO's."""

    def made(whole: WholeLabels, chance: Random) -> Mapping[str, bytes]:
        lines = _content(whole).decode().splitlines()
        for text in chance.sample(texts, chance.randint(1, len(texts))):
            lines.insert(chance.randint(0, len(lines)), text)
        return _with(whole, "\n".join(lines).encode())

    return made


def _newer(whole: WholeLabels, chance: Random) -> Mapping[str, bytes] | None:
    return _field("version", ("99.0.0", "8.0.0" if whole.format == "labelme" else "5.0.0"))(whole, chance)


def _of_another_size(whole: WholeLabels, chance: Random) -> Mapping[str, bytes] | None:
    name, side = chance.choice((("imageHeight", whole.size[0]), ("imageWidth", whole.size[1])))
    return _field(name, (side + 1, side * 2, 10**6))(whole, chance)


_ALL: dict[str, Mutation] = {
    "whole": Mutation(_whole, Duty.AGREE),
    "byte order mark": Mutation(_with_mark, Duty.AGREE),
    "no UTF-8": Mutation(_no_text, Duty.REFUSE),
    "byte changed": Mutation(_byte_changed, Duty.EITHER),
    "letter changed": Mutation(_letter_changed, Duty.EITHER),
    "bytes removed": Mutation(_removed, Duty.EITHER),
}
_OF_JSON: dict[str, Mutation] = {
    "cut": Mutation(_cut, Duty.REFUSE),
    "odd value": Mutation(_odd_value, Duty.EITHER),
    "newer version": Mutation(_newer, Duty.REFUSE),
    "of another size": Mutation(_of_another_size, Duty.REFUSE),
    "no list of shapes": Mutation(_field("shapes", (None, "x", {}, 3, [1], [None])), Duty.REFUSE),
    **{name: Mutation(_entry(change), Duty.REFUSE) for name, change in BAD_ENTRIES.items()},
    **{name: Mutation(_entry(change), Duty.EITHER) for name, change in ODD_ENTRIES.items()},
}
_OF_LABELME = {**_OF_JSON, **{name: Mutation(_entry(change), Duty.REFUSE) for name, change in BAD_MASKS.items()}}
_OF_COCO: dict[str, Mutation] = {
    "cut": Mutation(_cut, Duty.REFUSE),
    "odd value": Mutation(_odd_value, Duty.EITHER),
    "no lists": Mutation(_field("images", (None, "x", {}, 3)), Duty.REFUSE),
    **{name: Mutation(_annotation(change), Duty.REFUSE, alone=True) for name, change in BAD_ANNOTATIONS.items()},
}
_OF_YOLO: dict[str, Mutation] = {
    "cut": Mutation(_cut, Duty.EITHER),
    "no list of classes": Mutation(_lists_of_classes, Duty.REFUSE),
    "list of classes changed": Mutation(_other_lists, Duty.EITHER),
    **{name: Mutation(_line(change), Duty.REFUSE) for name, change in BAD_LINES.items()},
    **{name: Mutation(_added_lines(texts), Duty.EITHER) for name, texts in ODD_LINES.items()},
}
