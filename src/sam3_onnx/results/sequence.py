"""The instances of one picture as a sequence: what can be picked, counted, sorted and joined without the picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeVar, overload

import numpy as np

from sam3_onnx._support.checks import is_number, is_share, require_callable, require_flag
from sam3_onnx._support.keywords import known_methods
from sam3_onnx._support.lazy_values import cached_property
from sam3_onnx.errors import InstanceIndexError, OptionError
from sam3_onnx.results.instance import Instance
from sam3_onnx.results.suppression import best_of_each

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from _typeshed import SupportsRichComparison
    from numpy.typing import NDArray
    from typing_extensions import Self

    from sam3_onnx.images.origins import SeenPicture

__all__ = ["InstanceSequence"]

_Value = TypeVar("_Value", bound=np.generic)


@known_methods
@dataclass(frozen=True)
class InstanceSequence(Sequence[Instance]):
    """All instances found in one picture: by prompt in the order given, within it by falling score."""

    instances: tuple[Instance, ...]
    size: tuple[int, int]
    """(height, width) of the picture."""
    timings: Mapping[str, float] = field(default_factory=dict, compare=False, repr=False)
    """Seconds spent by stage: read, image, text, decode, select."""
    picture: SeenPicture | None = field(default=None, compare=False, repr=False)
    """Where the picture can be had for drawing; None where that is not known."""
    classes: tuple[str, ...] = field(default=(), compare=False, repr=False)
    """What was asked for, in that order, whether it was found or not; labels that nobody asked for come behind. It
    stays when instances are left out, so that a class keeps its colour and its number."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(dict.fromkeys((*self.classes, *self.labels))))

    @overload
    def __getitem__(self, index: int | np.integer) -> Instance: ...
    @overload
    def __getitem__(self, index: slice | Sequence[int] | Sequence[bool] | NDArray[np.bool_ | np.integer]) -> Self: ...
    def __getitem__(
        self, index: int | np.integer | slice | Sequence[int] | Sequence[bool] | NDArray[np.bool_ | np.integer]
    ) -> Instance | Self:
        """Returns one instance, or several as a result again.

        Args:
            index: A number, counted from the end if it is negative; or a slice, a list or an array of numbers, or N
                booleans, one for each instance: `result[result.scores > 0.9]`.

        Raises:
            InstanceIndexError: There is no such instance, the booleans are not N, or it is nothing of these.
        """
        if isinstance(index, bool | np.bool_):
            reason = "it is one truth value; labels are a list, so compare np.array(result.labels)"
            raise InstanceIndexError(index, count=len(self), reason=reason)
        try:
            chosen = np.asarray(np.arange(len(self))[index])
        except (IndexError, TypeError, ValueError, OverflowError) as error:
            raise InstanceIndexError(index, count=len(self), reason=str(error)) from error
        if chosen.ndim == 0:
            return self.instances[int(chosen)]
        if chosen.ndim > 1:
            raise InstanceIndexError(index, count=len(self), reason="it has more than one dimension")
        return self._with(self.instances[number] for number in chosen)

    def __len__(self) -> int:
        return len(self.instances)

    def __iter__(self) -> Iterator[Instance]:
        return iter(self.instances)

    @cached_property
    def boxes(self) -> NDArray[np.float32]:
        """(N, 4) x1, y1, x2, y2 in pixels of the picture, as the model predicts them."""
        return _frozen(np.array([instance.box for instance in self.instances], np.float32).reshape(-1, 4))

    @cached_property
    def xywh(self) -> NDArray[np.float32]:
        """(N, 4) `boxes` as x and y of the upper left corner, width and height, as COCO writes them."""
        return _frozen(np.hstack([self.boxes[:, :2], self.boxes[:, 2:] - self.boxes[:, :2]]))

    @cached_property
    def scores(self) -> NDArray[np.float32]:
        """(N,) in 0..1."""
        return _frozen(np.array([instance.score for instance in self.instances], np.float32))

    @property
    def labels(self) -> list[str]:
        """N labels."""
        return [instance.label for instance in self.instances]

    @property
    def counts(self) -> Counter[str]:
        """How many instances have each label; 0 for every label that none has."""
        return Counter(self.labels)

    @cached_property
    def areas(self) -> NDArray[np.int64]:
        """(N,) pixels of each mask."""
        return _frozen(np.array([instance.area for instance in self.instances], np.int64))

    @cached_property
    def centroids(self) -> NDArray[np.float64]:
        """(N, 2) x, y of each mask's centre of mass, as `Instance.centroid`; NaN for an empty mask."""
        nowhere = (np.nan, np.nan)
        places = [instance.centroid or nowhere for instance in self.instances]
        return _frozen(np.array(places, np.float64).reshape(-1, 2))

    @property
    def masks(self) -> NDArray[np.bool_]:
        """(N, H, W), made anew at each call: N full-size arrays. One at a time, take `instance.mask`."""
        height, width = self.size
        stack = np.zeros((len(self), height, width), np.bool_)
        for plane, instance in zip(stack, self.instances, strict=True):
            window = instance.source.window
            rows, cols = window.mask.shape
            plane[window.y : window.y + rows, window.x : window.x + cols] = window.mask
        return stack

    def filter(
        self,
        *,
        label: str | Collection[str] | None = None,
        min_score: float = 0.0,
        min_area: float = 0,
        max_area: float | None = None,
        where: Callable[[Instance], bool] | None = None,
    ) -> Self:
        """The instances that meet every condition, in the same order.

        Args:
            label: Keep only this label, or only these.
            min_score: Keep scores at or above it, in 0..1.
            min_area: Keep masks of at least so many pixels.
            max_area: Keep masks of at most so many pixels; None for no limit.
            where: Keep instances for which it returns True.

        Raises:
            OptionError: A condition has another type, or a limit is out of its range.
        """
        labels = _labels_of(label)
        largest = np.inf if max_area is None else max_area
        if not is_share(min_score):
            raise OptionError("min_score", expected="a number in 0..1", got=min_score)
        for name, limit in (("min_area", min_area), ("max_area", 0 if max_area is None else max_area)):
            if not is_number(limit) or limit < 0:
                raise OptionError(name, expected="a number of pixels of at least 0", got=limit)
        require_callable("where", where, takes="an instance")
        by_area = min_area > 0 or max_area is not None
        return self._with(
            instance
            for instance in self.instances
            if (labels is None or instance.label in labels)
            and instance.score >= min_score
            and (not by_area or min_area <= instance.area <= largest)
            and (where is None or where(instance))
        )

    def sort_by(
        self,
        by: Literal["score", "area", "label"] | Callable[[Instance], SupportsRichComparison] = "score",
        *,
        descending: bool | None = None,
    ) -> Self:
        """The instances in another order; equal ones stay as they are.

        Args:
            by: "score", "area", "label", or a function that gives what to sort by.
            descending: Largest first; None for score and area so, and for all else the other way round.

        Raises:
            OptionError: Another `by`, or `descending` is no flag.
        """
        if descending is not None:
            require_flag("descending", descending)
        keys: dict[object, Callable[[Instance], SupportsRichComparison]] = {
            "score": lambda instance: instance.score,
            "area": lambda instance: instance.area,
            "label": lambda instance: instance.label,
        }
        key = by if callable(by) else keys.get(by) if isinstance(by, str) else None
        if key is None:
            raise OptionError("by", expected='"score", "area", "label" or a function that takes an instance', got=by)
        reverse = by in ("score", "area") if descending is None else descending
        return self._with(sorted(self.instances, key=key, reverse=reverse))

    def nms(self, iou_threshold: float = 0.5, *, class_agnostic: bool = False) -> Self:
        """Non-maximum suppression by masks: leaves out instances that say again what a better one says.

        Args:
            iou_threshold: In 0..1. An instance is left out if the intersection over union of its mask with that of a
                kept one is greater than this.
            class_agnostic: Whether an instance may be left out for one of another label.

        Returns:
            What is kept, in the order of this result.

        Raises:
            OptionError: `iou_threshold` is outside 0..1, or `class_agnostic` is no flag.
        """
        require_flag("class_agnostic", class_agnostic)
        kept = best_of_each(self.instances, iou_threshold, class_agnostic=class_agnostic)
        return self._with(self.instances[index] for index in sorted(kept))

    def merge(self, *others: Self) -> Self:
        """Several results of one picture as one: the instances of this, then those of the others in their order.

        What was found twice is in it twice; `nms` leaves it out. Times are added up.

        Args:
            *others: Results of the same picture.

        Raises:
            OptionError: They are no results, of another size, or of pictures that are known to differ.
        """
        strangers = [type(other).__name__ for other in others if not isinstance(other, InstanceSequence)]
        if strangers:
            expected = "results without a list around them, as in first.merge(second, third)"
            raise OptionError("others", expected=expected, got=strangers[0])
        results = (self, *others)
        sizes = list(dict.fromkeys(result.size for result in results))
        seen = [result.picture for result in results if result.picture is not None]
        if len(sizes) > 1:
            raise OptionError("others", expected=f"results of one picture, {self.size} high and wide", got=sizes)
        if len({picture.key for picture in seen}) > 1:
            raise OptionError("others", expected="results of one picture", got=[str(one.origin) for one in seen])
        times: Counter[str] = Counter()
        for result in results:
            times.update(result.timings)
        instances = tuple(instance for result in results for instance in result.instances)
        classes = tuple(label for result in results for label in result.classes)
        picture = seen[0] if seen else None
        return replace(self, instances=instances, timings=dict(times), picture=picture, classes=classes)

    def _with(self, instances: Iterable[Instance]) -> Self:
        return replace(self, instances=tuple(instances))


def _labels_of(label: object) -> frozenset[str] | None:
    """Returns the labels that a filter names; None for any."""
    if label is None:
        return None
    names = [label] if isinstance(label, str) else list(label) if isinstance(label, Iterable) else [label]
    if not all(isinstance(name, str) for name in names):
        raise OptionError("label", expected="a string, a list of strings, or None", got=label)
    return frozenset(names)


def _frozen(array: NDArray[_Value]) -> NDArray[_Value]:
    array.flags.writeable = False
    return array
