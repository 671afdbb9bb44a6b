"""Messages of the library in the words of the shell: options in place of keywords and methods."""

from __future__ import annotations

import re

__all__ = ["PHRASES", "in_shell_words"]

PHRASES = {
    "provider='cpu'": "--provider cpu",
    "family=...": "--family NAME",
    "variant=...": "--variant NAME",
    ", or name the files with Sam3Session.from_files(...)": "",
    ", or name files with from_files(...)": "",
    "use Sam3Session.from_folder(FOLDER) or Sam3Session.from_files(...)": "name their folder: --model FOLDER",
    "keep it in a folder of its own and use Sam3Session.from_folder": "keep it in a folder of its own and name that "
    "with --model",
    "opened with Sam3Session.from_folder": "opened with --model FOLDER",
    'or open Sam3Session.from_pretrained("sam3-tracker")': "or take --model sam3-tracker",
    "offline=True, SAM3_ONNX_OFFLINE": "--offline, SAM3_ONNX_OFFLINE",
    "restart=True (--restart)": "--restart",
    "recursive=True (--recursive)": "--recursive",
    "(exclude, --exclude)": "(--exclude)",
    "folder=, --folder or SAM3_ONNX_CACHE": "SAM3_ONNX_CACHE",
    "cache_folder=": "--cache-folder",
    "leave cache_folder out": "leave --cache-folder out",
    ", or decode it yourself and pass the RGB array": ", or convert it to PNG with another program",
    "If you trust it, pass max_pixels= with a higher limit, or max_pixels=None for none.": "Make it smaller first; in "
    "Python, max_pixels= sets another limit.",
    'Pass text such as "person, car", or boxes=[Box(x1, y1, x2, y2)].': 'Pass --text "person, car", or --box '
    "X1,Y1,X2,Y2.",
    "Pass points=[(x, y)], or box=Box(x1, y1, x2, y2).": "Pass --point X,Y, or --box X1,Y1,X2,Y2.",
    "or None for no check": "or off",
    ", or a mapping of parts of the model to these": ", or parts of the model with these: PART=WORD,...",
    "truncate=True": "--truncate",
    "(predict_object)": "(--point)",
    "Scale the samples to 0 to 255 by the range that you know, and pass the array as uint8.": "Convert it to 8 bits "
    "with another program.",
    "Pass one of the files in it at a time.": "To label all its pictures: sam3-onnx annotate FOLDER.",
}
"""What messages say to programmers, and what they say in a shell."""
_OPTIONS = {
    "conf_threshold": "--conf",
    "epsilon": "--epsilon",
    "nms": "--nms",
    "cut_to_box": "--cut-to-box",
    "truncate": "--truncate",
    "threads": "--threads",
    "precision": "--precision",
    "provider": "--provider",
    "family": "--family",
    "variant": "--variant",
    "cache_folder": "--cache-folder",
    "mode": "--output-mode",
    "min_area": "--min-area",
    "iou": "--iou",
    "threshold": "--threshold",
    "size": "--size",
    "calibration": "--calibration",
    "duplicate_iou": "--duplicates",
    "label_format": "--format",
    "preview": "--preview",
    "include": "--include",
    "exclude": "--exclude",
    "text": "--text",
    "mirror": "--mirror",
}
_NAMED = re.compile(rf"^({'|'.join(_OPTIONS)}) must be ")
_PART = re.compile(r'^precision\["([^"]*)"\] must be ')
_BOX = re.compile(r"(?:The box )?Box\(x1=([^,]+), y1=([^,]+), x2=([^,]+), y2=([^,]+), positive=(True|False)\)")


def in_shell_words(message: str) -> str:
    """Returns what the library says as somebody understands it who sees options of a command, and no Python."""
    for python, shell in PHRASES.items():
        message = message.replace(python, shell)
    message = _NAMED.sub(lambda found: f"{_OPTIONS[found[1]]} must be ", message)
    message = _PART.sub(r"--precision \1=... must be ", message)
    return _BOX.sub(_as_option, message)


def _as_option(found: re.Match[str]) -> str:
    option = "--box" if found[5] == "True" else "--negative-box"
    return f"{option} {','.join(edge.removesuffix('.0') for edge in found.groups()[:4])}"
