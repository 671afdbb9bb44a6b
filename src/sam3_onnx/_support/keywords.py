"""Keywords that a call does not take: refused with the ones that it takes, and with our name for what was meant."""

from __future__ import annotations

import difflib
import functools
import inspect
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from sam3_onnx.errors import KeywordError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

__all__ = ["known_keywords", "near_name", "require_known"]

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")

_OURS = {
    ("boxes", "box"): "box boxes bbox bboxes input_boxes boxes_xyxy xyxy",
    ("conf_threshold", "min_score"): "threshold conf confidence conf_thres confidence_threshold score_threshold "
    "min_score min_confidence box_threshold text_threshold mask_threshold score",
    ("nms", "duplicate_iou"): "iou iou_threshold iou_thres nms_threshold nms_iou overlap",
    ("point_labels",): "labels input_labels points_labels signs",
    ("text", "label"): "prompt prompts texts text_prompt text_prompts labels classes class_names class_name concept "
    "concepts words caption query names",
    ("points",): "point input_points point_coords clicks coords",
    ("image", "pictures", "picture", "folder"): "images image img imgs picture pictures frame source file path paths "
    "folder input input_folder input_dir image_dir",
    ("name", "folder"): "model model_name model_id pretrained_model_name_or_path repo_id model_path checkpoint",
    ("provider",): "device providers execution_provider backend",
    ("precision",): "dtype torch_dtype half fp16 compute_dtype",
    ("threads",): "num_threads n_threads workers num_workers n_jobs intra_op_num_threads",
    ("cache_folder", "folder"): "cache_dir cache cache_path local_dir",
    ("cache_bytes",): "cache_size max_cache",
    ("offline",): "local_files_only",
    ("color",): "color_order channel_order channels bgr rgb mode",
    ("label_format",): "format fmt output_format",
    ("mode",): "output_mode shape_type",
    ("out",): "output output_dir output_folder out_dir save_dir",
    ("existing",): "overwrite replace append skip exist_ok",
    ("epsilon",): "simplify tolerance approx",
    ("progress", "on_error"): "callback verbose show_progress tqdm",
    ("truncate",): "truncation",
    ("cut_to_box",): "crop clip cut",
}
"""What is meant by names that supervision, ultralytics, transformers, OpenCV and others use, ours first."""


def near_name(name: str, known: Iterable[str]) -> str | None:
    """Returns the one of some names that was probably meant, whatever its case; None if none is near."""
    by_case = {one.lower(): one for one in known}
    found = difflib.get_close_matches(name.lower(), by_case, n=1, cutoff=0.7)
    starting = [one for one in by_case if name and one.startswith(name.lower())]
    return by_case[(found or starting)[0]] if found or starting else None


def require_known(names: Iterable[str], known: Iterable[str], *, also: Iterable[str] = (), elsewhere: str = "") -> None:
    """Lets names of options pass.

    Args:
        names: What a caller passed by keyword.
        known: The options that there are.
        also: Keywords that the same call takes beside these options; they are listed and offered as near names.
        elsewhere: What to do about a name that stands for nothing in this call.

    Raises:
        KeywordError: One is no option; the message lists those that there are, and offers the one that was meant.
    """
    options = [*known]
    listed = [*also, *options]
    for name in names:
        if name not in options:
            near = _meant(name, listed)
            remedy = f"Did you mean {near}?" if near else elsewhere
            raise KeywordError("The name of an option", expected=f"one of {', '.join(listed)}", got=name, remedy=remedy)


def _meant(name: str, listed: Sequence[str]) -> str | None:
    """Returns the option that a name stands for in other libraries, or that is spelt nearly so."""
    for ours, theirs in _OURS.items():
        found = next((option for option in ours if option in listed), None)
        if found is not None and name.lower() in theirs.split():
            return found
    return near_name(name, listed)


def known_keywords(**hints: str) -> Callable[[Callable[_Given, _Result]], Callable[_Given, _Result]]:
    """Makes a function answer a keyword that it does not take with the name that it has for it.

    Python's own TypeError says only that the keyword is unexpected. The signature stays as it is.

    Args:
        **hints: What to do about some keywords that stand for nothing in this function.

    Returns:
        The decorator. The functions that it makes raise KeywordError for a keyword that they do not take, and where
        there is more by position than they take.
    """

    def decorated(function: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
        parameters = inspect.signature(function).parameters
        by_name = [name for name, one in parameters.items() if name not in {"self", "cls"} and _has_name(one)]
        by_place = [name for name, one in parameters.items() if one.kind is not one.KEYWORD_ONLY and _has_name(one)]

        @functools.wraps(function)
        def asked(*places: _Given.args, **named: _Given.kwargs) -> _Result:
            for name in named.keys() - by_name:
                require_known([name], by_name, elsewhere=hints.get(name, ""))
            if len(places) > len(by_place):
                _refuse_places(len(places), by_place, by_name)
            return function(*places, **named)

        return asked

    return decorated


def _has_name(parameter: inspect.Parameter) -> bool:
    return parameter.kind in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}


def _refuse_places(count: int, by_place: Sequence[str], by_name: Collection[str]) -> None:
    own = [name for name in by_place if name in by_name]
    others = [name for name in by_name if name not in by_place]
    raise KeywordError(
        "The number of values without a name",
        expected=f"at most {len(own)} ({', '.join(own)})",
        got=count - len(by_place) + len(own),
        remedy=f"Give the others by name: {', '.join(f'{name}=' for name in others)}.",
    )
