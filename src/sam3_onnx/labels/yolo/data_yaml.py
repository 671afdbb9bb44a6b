"""Reading of the class names in the `data.yaml` of a trainer.

Trainers and labelling tools write `names` as a list or as a mapping of numbers, over several lines or in brackets. This
module reads only this part of YAML and rejects anything else under `names`, so that the result does not depend on
whether a YAML library is installed. Names must have the same meaning as for ultralytics, which reads the file with
PyYAML: words that are not text in YAML 1.1, such as an unquoted `no`, are rejected as well.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from sam3_onnx.errors import LabelFileDamagedError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

__all__ = ["names_in_yaml"]

_KEY = re.compile(
    r"""(?:(?P<plain>[A-Za-z_][\w.-]*)|"(?P<double>[^"]*)"|'(?P<single>[^']*)')\s*:(?:\s+(?P<rest>.*))?$""",
    re.ASCII,
)
_QUOTED = re.compile(r"""'(?P<single>(?:[^']|'')*)'|"(?P<double>(?:[^"\\]|\\.)*)\"""", re.DOTALL)
_PLAIN_IN_FLOW = re.compile(r"(?:(?!\s\#|:\s|:[,\[\]{}]|:$)[^,\[\]{}])+", re.ASCII)
_PLAIN_IN_BLOCK = re.compile(r"(?:(?!\s\#|:\s|:$).)+", re.ASCII)
_SPACE = re.compile(r"(?:\s+(?:\#[^\n]*)?)*", re.ASCII)
_COMMENT = re.compile(r"\s*(?:(?:^|\s)\#.*)?$", re.ASCII)
_BLOCK_ENTRY = re.compile(r"(?P<number>'[^']*'|\"[^\"]*\"|[^\s'\"][^\s:]*)\s*:\s+(?P<name>.*)$", re.ASCII)
_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")
_NO_TEXT = re.compile(
    r"""~|null|yes|no|true|false|on|off|<<|=
    |[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?0x[0-9a-f_]+|[-+][0-9][0-9_]*|[0-9][0-9]*_[0-9_]*|[0-9]{10,}
    |[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?
    |[-+]?[0-9][0-9_]*\.[0-9_]*(?:e[-+][0-9]+)?|\.[0-9][0-9_]*(?:e[-+][0-9]+)?|[-+]?\.inf|\.nan
    |[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[t\s].*)?""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
"""Unquoted words that PyYAML does not read as text: null, yes or no, numbers other than `12`, dates."""
_WHITE = " \t\r\n"  # white space in YAML; Unicode has more
_OTHER_BREAK = re.compile("[\x85\u2028\u2029]|\r(?!\n)")
_INDICATORS = tuple("!&*|>@`%\"'#,[]{}")
_ESCAPES = dict(zip('0abtnvfre "/\\N_LP', '\0\a\b\t\n\v\f\r\x1b "/\\\x85\xa0\u2028\u2029', strict=True))
_ESCAPED = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U(000[0-9a-fA-F]{5}|0010[0-9a-fA-F]{4})|(.))", re.DOTALL
)


class _NotUnderstoodError(Exception):
    """The file has something else in place of class names; the message is what was found."""


def names_in_yaml(content: bytes, path: str | os.PathLike[str]) -> tuple[str, ...] | None:
    r"""Returns the class names in order of their numbers; None if the file has neither `names` nor `nc`.

    Args:
        content: The bytes of the file.
        path: Path of the file, for messages.

    Raises:
        LabelFileDamagedError: The file is not text in UTF-8; it has `nc` but no `names`; `names` does not have a form
            that trainers write, or its numbers are not 0, 1, 2, ...; or `nc` is not the number of names.

    Example:
        >>> names_in_yaml(b"train: images\nnames:\n  0: person\n  1: traffic light  # red or green\n", "data.yaml")
        ('person', 'traffic light')
    """
    try:
        fields = _fields(content.decode("utf-8-sig"))
        if "names" not in fields and "nc" not in fields:
            return None
        return _checked(fields)
    except (UnicodeDecodeError, _NotUnderstoodError) as error:
        expected = "`names` as a list of names or as a mapping 0: name, 1: name, ..., and `nc` the number of names"
        raise LabelFileDamagedError(Path(path), expected=expected, reason=str(error)) from error


def _checked(fields: dict[str, object]) -> tuple[str, ...]:
    if "names" not in fields:
        _refuse("`nc` without `names`")
    match fields["names"]:
        case list(items):
            names = tuple(map(_name, items))
        case dict(entries):
            numbered = {_number(number): _name(name) for number, name in entries.items()}
            if sorted(numbered) != list(range(len(entries))):
                _refuse(f"the numbers {', '.join(map(str, sorted(numbered)[:8]))}")
            names = tuple(numbered[number] for number in range(len(numbered)))
        case other:
            _refuse(f"names: {other!r:.60}")
    count = fields.get("nc", len(names))
    if str(count) != str(len(names)):
        _refuse(f"nc: {count!s:.20} with {len(names)} names")
    return names


def _name(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        _refuse(f"{value!r:.60} as a name")
    return str(value)


def _number(value: object) -> int:
    if not _NUMBER.fullmatch(str(value)):
        _refuse(f"{value!s:.60} as the number of a class")
    return int(str(value))


def _fields(text: str) -> dict[str, object]:
    """Returns the fields `names` and `nc`, if present."""
    if _OTHER_BREAK.search(text):
        _refuse("a line break other than LF or CR LF")
    if text.lstrip(_WHITE).startswith("{"):
        return _fields_of_json(text)
    fields: dict[str, object] = {}
    for key, first, lines in _entries(text.split("\n")):
        if key not in {"names", "nc"}:
            continue
        if key in fields:
            _refuse(f"{key} twice")
        fields[key] = _value(first, lines) if key == "names" else _in_block(first)
    return fields


def _fields_of_json(text: str) -> dict[str, object]:
    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len(dict(pairs)) < len(pairs):
            _refuse("a key twice")
        return dict(pairs)

    try:
        found = json.loads(text, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        _refuse(f"text between braces that is not JSON ({error})")
    return {key: value for key, value in found.items() if key in {"names", "nc"}}


def _entries(lines: Sequence[str]) -> Iterator[tuple[str, str, list[str]]]:
    """Yields the top-level keys, each with the text after it and the lines below it."""
    entry: tuple[str, str, list[str]] | None = None
    for line in (line.rstrip(_WHITE) for line in lines):
        found = _KEY.match(line)
        if found is not None:
            if entry is not None:
                yield entry
            entry = (found["plain"] or found["double"] or found["single"] or "", found["rest"] or "", [])
        elif entry is not None and line not in {"---", "..."}:
            entry[2].append(line)
        elif entry is not None or (not _COMMENT.match(line) and line != "---"):
            _refuse(f"{line!r:.60} outside any key")
    if entry is not None:
        yield entry


def _value(first: str, lines: Sequence[str]) -> object:
    if first.startswith(("[", "{")):
        return _in_brackets("\n".join([first, *lines]))
    if not _COMMENT.match(first):
        _refuse(f"names: {first!r:.60}")
    block = [line for line in lines if not _COMMENT.match(line)]
    if not block:
        _refuse("names: with nothing below it")
    indents = {len(line) - len(line.lstrip(" ")) for line in block}
    entries = [line.lstrip(" ") for line in block]
    if len(indents) > 1:
        _refuse(f"lines of different indents below `names`, such as {entries[-1]!r:.60}")
    if all(entry.startswith("- ") for entry in entries):
        return [_in_block(entry[2:].strip(_WHITE)) for entry in entries]
    return _unique((_of_block_entry(entry) for entry in entries) if indents != {0} else _refuse(repr(entries[0])))


def _of_block_entry(entry: str) -> tuple[str, str]:
    found = _BLOCK_ENTRY.match(entry)
    if found is None:
        _refuse(f"{entry!r:.60} below `names`")
    return found["number"].strip("'\""), _in_block(found["name"])


def _unique(pairs: Iterator[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in pairs:
        if key in found:
            _refuse(f"the number {key:.20} twice")
        found[key] = value
    return found


def _in_block(text: str) -> str:
    """Returns the scalar that is the text of a line or of the rest of a line."""
    value, end = _scalar(text, 0, _PLAIN_IN_BLOCK)
    if not _COMMENT.match(text[end:]):
        _refuse(f"{text!r:.60}")
    return value


def _in_brackets(text: str) -> list[str] | dict[str, str]:
    """Returns a list or a mapping of scalars in brackets or braces, which may continue over several lines."""
    is_list = text[0] == "["
    closing = "]" if is_list else "}"
    items: list[str] = []
    pairs: list[tuple[str, str]] = []
    at = _past_space(text, 1)
    while at < len(text) and text[at] != closing:
        value, at = _scalar(text, at, _PLAIN_IN_FLOW)
        at = _past_space(text, at)
        if is_list:
            items.append(value)
        else:
            if text[at : at + 1] != ":":
                _refuse(f"{value!r:.60} without a name")
            name, at = _scalar(text, _past_space(text, at + 1), _PLAIN_IN_FLOW)
            pairs.append((value, name))
            at = _past_space(text, at)
        if text[at : at + 1] == ",":
            at = _past_space(text, at + 1)
        elif text[at : at + 1] != closing:
            _refuse(f"{text[at : at + 40]!r} in place of a comma or {closing}")
    if at >= len(text) or text[_past_space(text, at + 1) :]:
        _refuse(f"no {closing} at the end of `names`")
    return items if is_list else _unique(iter(pairs))


def _scalar(text: str, at: int, plain: re.Pattern[str]) -> tuple[str, int]:
    """Returns the text of the scalar that starts at an index, and the index of its end."""
    if text[at : at + 1] in {"'", '"'}:
        found = _QUOTED.match(text, at)
        if found is None:
            _refuse(f"{text[at : at + 40]!r} with a missing closing quote")
        if found["single"] is not None:
            return _folded(found["single"]).replace("''", "'"), found.end()
        if "\n" in found["double"]:
            _refuse("a name in double quotes over several lines")
        return _ESCAPED.sub(_unescaped, found["double"]), found.end()
    found = plain.match(text, at)
    value = _folded(found[0].strip(_WHITE)) if found else ""
    if found is None or value.startswith(_INDICATORS) or re.match(r"[-?:](?:[ \t]|$)", value) or not value:
        _refuse(f"{text[at : at + 40]!r} as a name")
    if _NO_TEXT.fullmatch(value):
        _refuse(f"{value} without quotes, which is not text in YAML")
    return value, found.end()


def _folded(text: str) -> str:
    """Returns a scalar that continues over several lines as one line."""
    if re.search(r"\n[ \t]*\n", text):
        _refuse("a name with a blank line in it")
    return re.sub(r"[ \t]*\n[ \t]*", " ", text)


def _unescaped(found: re.Match[str]) -> str:
    digits = found[1] or found[2] or found[3]
    if digits:
        return chr(int(digits, 16))
    if found[4] not in _ESCAPES:
        _refuse(f"the escape {found[0]!r}")
    return _ESCAPES[found[4]]


def _past_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return at if found is None else found.end()


def _refuse(got: str) -> NoReturn:
    raise _NotUnderstoodError(got)
