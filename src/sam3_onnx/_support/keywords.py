"""Keywords that a call does not take: refused with the ones that it takes, and with our name for what was meant."""

from __future__ import annotations

import difflib
import functools
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from sam3_onnx.errors import KeywordError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import NoReturn

__all__ = ["known_keywords", "known_methods", "near_name", "require_known"]

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")

_OURS = {
    ("path",): "filename file fname file_name filepath save_path output out fp",
    ("instance",): "index idx i number detection",
    ("pad",): "padding margin border expand",
    ("opacity",): "alpha transparency",
    ("by",): "key order column sort_key",
    ("descending",): "reverse desc ascending",
    ("category_ids", "class_ids"): "categories category_map class_map label_map label2id names classes class_id",
    ("iou_threshold",): "iou threshold iou_thres nms_threshold nms_iou overlap overlap_threshold",
    ("class_agnostic",): "agnostic agnostic_nms",
    ("label_format", "kind"): "format fmt output_format mode task map_type",
    ("max_vertices",): "max_points points vertices num_points",
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
    ("mode",): "output_mode shape_type kind type",
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


def known_keywords(
    places: str = "", /, **hints: str
) -> Callable[[Callable[_Given, _Result]], Callable[_Given, _Result]]:
    """Makes a function answer a call that does not fit its signature with the names that it has.

    Python's own TypeError says only that something is unexpected, or missing. The signature stays as it is.

    Args:
        places: What to do about more without a name than the function takes.
        **hints: What to do about some keywords that stand for nothing in this function.

    Returns:
        The decorator. The functions that it makes raise KeywordError for a keyword that they do not take, for more by
        position than they take, and for what they need and were not given.
    """

    def decorated(function: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
        signature = _Signature.of(function)

        @functools.wraps(function)
        def asked(*values: _Given.args, **named: _Given.kwargs) -> _Result:
            if not signature.takes(values, named):
                signature.refuse(values, named, places=places, hints=hints)
            return function(*values, **named)

        return asked

    return decorated


def known_methods(kind: type[_Kind]) -> type[_Kind]:
    """Makes the public methods of a class answer as `known_keywords` does, and its making too."""
    for name, method in list(vars(kind).items()):
        if name != "__init__" and name.startswith("_"):
            continue
        if isinstance(method, classmethod | staticmethod):
            setattr(kind, name, type(method)(known_keywords()(method.__func__)))
        elif inspect.isfunction(method) and not hasattr(method, "__wrapped__"):
            setattr(kind, name, known_keywords()(method))
    return kind


@dataclass(frozen=True)
class _Signature:
    """What a function takes."""

    function: str
    """Its name, for messages."""
    by_place: tuple[str, ...]
    """What can be given without a name, in order; `self` among it."""
    by_name: tuple[str, ...]
    """What can be given by name."""
    needed: tuple[str, ...]
    """What has no default."""
    takes_other_names: bool
    """Whether it has `**options`, which it checks itself."""
    takes_any_count: bool
    """Whether it has `*values`."""

    @classmethod
    def of(cls, function: Callable[..., object]) -> _Signature:
        parameters = inspect.signature(function).parameters
        kinds = {one.kind for one in parameters.values()}
        named = {name: one for name, one in parameters.items() if _has_name(one)}
        by_name = tuple(name for name in named if name not in _OWNERS)
        return cls(
            _name_of(function),
            by_place=tuple(name for name, one in named.items() if one.kind is not one.KEYWORD_ONLY),
            by_name=by_name,
            needed=tuple(name for name in by_name if named[name].default is inspect.Parameter.empty),
            takes_other_names=inspect.Parameter.VAR_KEYWORD in kinds,
            takes_any_count=inspect.Parameter.VAR_POSITIONAL in kinds,
        )

    def takes(self, values: Sequence[object], named: Mapping[str, object]) -> bool:
        """Tells whether a call fits, as far as names and numbers go; what is given twice is Python's to refuse."""
        return (
            (self.takes_other_names or named.keys() <= set(self.by_name))
            and (self.takes_any_count or len(values) <= len(self.by_place))
            and not self._missing(values, named)
        )

    def _missing(self, values: Sequence[object], named: Mapping[str, object]) -> list[str]:
        placed = self.by_place[: len(values)]
        return [name for name in self.needed if name not in placed and name not in named]

    def refuse(
        self, values: Sequence[object], named: Mapping[str, object], *, places: str, hints: Mapping[str, str]
    ) -> NoReturn:
        """Raises the error for a call that does not fit."""
        unknown = [name for name in named if name not in self.by_name]
        for name in [] if self.takes_other_names else unknown:
            if not self.by_name:
                expected = "given without a name" if self.takes_any_count else "left out"
                raise KeywordError(f"Each value of {self.function}()", expected=expected, got=name)
            require_known([name], self.by_name, elsewhere=hints.get(name, ""))
        own = [name for name in self.by_place if name in self.by_name]
        others = ", ".join(f"{name}=" for name in self.by_name if name not in self.by_place)
        others += ", ..." if self.takes_other_names else ""
        count = len(values) - len(self.by_place) + len(own)
        if count > len(own) and not self.takes_any_count:
            remedy = places or (f"Give the others by name: {others.removesuffix('.')}." if others else "")
            if own:
                expected = f"at most {len(own)} ({', '.join(own)})"
                raise KeywordError("The number of values without a name", expected=expected, got=count, remedy=remedy)
            expected = f"given by name ({others})" if others else "left out"
            raise KeywordError(
                f"Each value of {self.function}()", expected=expected, got=values[len(self.by_place)], remedy=places
            )
        missing = self._missing(values, named)
        given = [*self.by_place[len(self.by_place) - len(own) : len(values)], *named]
        meant = ((name, _meant(name, missing)) for name in unknown)
        remedy = " ".join(f"Did you mean {ours} in place of {theirs}?" for theirs, ours in meant if ours)
        if values and isinstance(values[-1], list | tuple) and len(values[-1]) == len(self.needed):
            remedy = f"To give what a list holds one by one: {self.function}(*values)."
        raise KeywordError(f"{self.function}()", expected=f"called with {', '.join(missing)}", got=given, remedy=remedy)


_OWNERS = frozenset({"self", "cls"})
_Kind = TypeVar("_Kind")


def _name_of(function: Callable[..., object]) -> str:
    """Returns the name under which a function is called: that of its class for what makes an object."""
    name = getattr(function, "__qualname__", repr(function))
    return str(name.removesuffix(".__init__").rpartition(".")[2])


def _has_name(parameter: inspect.Parameter) -> bool:
    return parameter.kind in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}
