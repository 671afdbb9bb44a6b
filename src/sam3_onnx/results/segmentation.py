"""What a session answers: instances, in pixels of the picture, and what can be made of all of them together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, overload

import numpy as np

from sam3_onnx._support.checks import is_number, require_flag
from sam3_onnx._support.lazy_values import cached_property
from sam3_onnx.draw.notebook import html_of, png_of
from sam3_onnx.draw.overlay import DEFAULT_OPACITY, draw_result
from sam3_onnx.errors import OptionError, PictureGoneError
from sam3_onnx.images.loading import load_image
from sam3_onnx.results.conversions.coco import coco_annotations
from sam3_onnx.results.conversions.geojson import feature_collection
from sam3_onnx.results.conversions.libraries import dataframe, shapely_geometries, supervision_detections
from sam3_onnx.results.instance import Instance, part_shapes, require_mode, require_parts
from sam3_onnx.results.suppression import best_of_each

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd
    import shapely
    import supervision as sv
    from _typeshed import SupportsRichComparison
    from numpy.typing import NDArray

    from sam3_onnx.images.loading import Picture
    from sam3_onnx.images.origins import SeenPicture
    from sam3_onnx.results.conversions.coco import CocoAnnotation
    from sam3_onnx.results.conversions.geojson import FeatureCollection
    from sam3_onnx.results.shape import Shape, ShapeType

__all__ = ["Instance", "Segmentation"]


@dataclass(frozen=True)
class Segmentation(Sequence[Instance]):
    """All instances found in one picture: by prompt in the order given, within it by falling score."""

    instances: tuple[Instance, ...]
    size: tuple[int, int]
    """(height, width) of the picture."""
    timings: Mapping[str, float] = field(default_factory=dict, compare=False, repr=False)
    """Seconds spent by stage: read, image, text, decode, select."""
    picture: SeenPicture | None = field(default=None, compare=False, repr=False)
    """Where the picture can be had for drawing; None where that is not known. No pixels are kept."""

    @overload
    def __getitem__(self, index: int) -> Instance: ...
    @overload
    def __getitem__(self, index: slice) -> Segmentation: ...
    def __getitem__(self, index: int | slice) -> Instance | Segmentation:
        if isinstance(index, slice):
            return self._with(self.instances[index])
        return self.instances[index]

    def __len__(self) -> int:
        return len(self.instances)

    def __repr__(self) -> str:
        return f"<Segmentation of {self._summary()}>"

    def _summary(self) -> str:
        counts = Counter(self.labels)
        found = ", ".join(f"{count} {label}" for label, count in counts.items()) or "nothing"
        height, width = self.size
        return f"{width} x {height}: {found}"

    @cached_property
    def boxes(self) -> NDArray[np.float32]:
        """(N, 4) x1, y1, x2, y2 in pixels of the picture."""
        return _frozen(np.array([instance.box for instance in self.instances], np.float32).reshape(-1, 4))

    @cached_property
    def scores(self) -> NDArray[np.float32]:
        """(N,) in 0..1."""
        return _frozen(np.array([instance.score for instance in self.instances], np.float32))

    @property
    def labels(self) -> list[str]:
        """N labels."""
        return [instance.label for instance in self.instances]

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
        label: str | None = None,
        min_score: float = 0.0,
        min_area: int = 0,
        where: Callable[[Instance], bool] | None = None,
    ) -> Segmentation:
        """The instances that meet every condition, in the same order.

        Args:
            label: Keep only this label.
            min_score: Keep scores at or above it.
            min_area: Keep masks of at least so many pixels.
            where: Keep instances for which it returns True.

        Raises:
            OptionError: A condition of another type.
        """
        _require_conditions(label, min_score, min_area, where)
        kept = (
            instance
            for instance in self.instances
            if (label is None or instance.label == label)
            and instance.score >= min_score
            and (not min_area or instance.area >= min_area)
            and (where is None or where(instance))
        )
        return self._with(tuple(kept))

    def sort_by(
        self,
        by: Literal["score", "area", "label"] | Callable[[Instance], SupportsRichComparison] = "score",
        *,
        descending: bool | None = None,
    ) -> Segmentation:
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
        key = by if callable(by) else keys.get(by)
        if key is None:
            raise OptionError("by", expected='"score", "area", "label" or a function that takes an instance', got=by)
        reverse = by in ("score", "area") if descending is None else descending
        return self._with(tuple(sorted(self.instances, key=key, reverse=reverse)))

    def nms(self, iou_threshold: float = 0.5, *, class_agnostic: bool = False) -> Segmentation:
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
        return self._with(tuple(self.instances[index] for index in sorted(kept)))

    def merge(self, *others: Segmentation) -> Segmentation:
        """Several results of one picture as one: the instances of this, then those of the others in their order.

        What was found twice is in it twice; `nms` leaves it out. Times are added up.

        Args:
            *others: Results of the same picture.

        Raises:
            OptionError: They are of another size, or of pictures that are known to differ.
        """
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
        return Segmentation(instances, self.size, dict(times), seen[0] if seen else None)

    def shapes(
        self,
        mode: ShapeType = "polygon",
        *,
        epsilon: float | None = None,
        parts: Literal["largest", "all"] = "largest",
        min_area: float = 0,
    ) -> list[Shape]:
        """What label files hold: one shape per instance, without those that have none.

        A line of pixels has no polygon and no rotated box; `sam3_onnx.labels.shapes_of` says what was left out.

        Args:
            mode: "polygon", "rectangle", "rotation" or "mask".
            epsilon: Of polygons; None for the session's.
            parts: Of polygons: "largest" outlines the largest part of a mask, its holes filled; "all" gives a polygon
                with its holes for each part, and those of one instance share a `group_id`, counted from 1. Rectangles
                and masks hold all parts, rotated boxes the largest.
            min_area: With all parts of polygons, leave out those of fewer pixels.

        Raises:
            OptionError: Another mode, or other parts.
        """
        require_mode(mode)
        require_parts(parts)
        if mode == "polygon" and parts == "all":
            outlined = ((instance, instance.polygons(epsilon, min_area=min_area)) for instance in self.instances)
            return list(part_shapes(outlined))
        shapes = (instance.shape(mode, epsilon=epsilon) for instance in self.instances)
        return [shape for shape in shapes if shape is not None]

    def draw(
        self,
        image: Picture | None = None,
        *,
        color: Literal["rgb", "bgr"] = "rgb",
        opacity: float = DEFAULT_OPACITY,
    ) -> NDArray[np.uint8]:
        """Draws the instances onto a copy of their picture; see `sam3_onnx.draw.draw_instances`.

        Args:
            image: The picture, as anything that `sam3_onnx.images.load_image` takes. None for the one that was asked
                about: a file is read again, an array or a PIL image is taken if somebody still holds it.
            color: Channel order of an array.
            opacity: Of the tint, 0 (none) to 1 (opaque).

        Returns:
            (H, W, 3) uint8, RGB; a new array.

        Raises:
            PictureGoneError: `image` is None, and the picture is not to be had or has changed.
            PictureError: `image` cannot be used, or is not of this result's size.
            OptionError: `color` or `opacity` is out of range.
        """
        picture = self._seen() if image is None else load_image(image, color=color)
        return draw_result(picture, self, opacity=opacity)

    def to_coco(
        self, *, image_id: int = 1, first_id: int = 1, category_ids: Mapping[str, int] | None = None
    ) -> list[CocoAnnotation]:
        """The instances as COCO's annotations: masks as compressed run lengths, boxes as x, y, width, height.

        Args:
            image_id: Of the picture.
            first_id: Of the first annotation; the others count on.
            category_ids: The id of each label; None numbers labels from 1 as they first appear here.

        Returns:
            One mapping for each instance, in order, that `json.dump` writes as it is.

        Raises:
            OptionError: An id is not a whole number, or a label has none.
        """
        return coco_annotations(self.instances, image_id=image_id, first_id=first_id, category_ids=category_ids)

    def to_geojson(self, *, epsilon: float | None = None, min_area: float = 0) -> FeatureCollection:
        """The instances as GeoJSON, in pixels of the picture with y down: every part of a mask, with its holes.

        Rings are closed. Exteriors have a positive signed area and holes a negative one, as RFC 7946 wants it.

        Args:
            epsilon: Simplification of the rings; None for the session's.
            min_area: Parts of fewer pixels are left out.

        Returns:
            A FeatureCollection that `json.dump` writes as it is: a feature for each instance, in order, with a
            Polygon, a MultiPolygon, or no geometry where the mask has no outline.

        Raises:
            OptionError: `epsilon` or `min_area` is out of range.
        """
        return feature_collection(self.instances, size=self.size, epsilon=epsilon, min_area=min_area)

    def to_shapely(
        self, *, epsilon: float | None = None, min_area: float = 0
    ) -> list[shapely.Polygon | shapely.MultiPolygon]:
        """The instances as shapely geometries, in pixels of the picture: every part of a mask, with its holes.

        Each is valid: where simplified rings cross or run into a spike and back, what has an area is kept.

        Args:
            epsilon: As for `to_geojson`.
            min_area: As for `to_geojson`.

        Returns:
            One geometry for each instance, in order; an empty one where the mask has no outline.

        Raises:
            OptionError: As for `to_geojson`.
            MissingExtraError: shapely is not installed.
        """
        return shapely_geometries(self.instances, epsilon=epsilon, min_area=min_area)

    def to_supervision(self, *, class_ids: Mapping[str, int] | None = None) -> sv.Detections:
        """The instances as supervision's detections, with `class_name` among their data.

        Args:
            class_ids: The number of each label; None numbers labels from 0 as they first appear here.

        Returns:
            `supervision.Detections` with boxes as the model predicts them, full-size masks, scores and class ids.

        Raises:
            OptionError: A number is not whole, or a label has none.
            MissingExtraError: supervision is not installed.
        """
        return supervision_detections(self.instances, size=self.size, class_ids=class_ids)

    def to_dataframe(self) -> pd.DataFrame:
        """The instances as a table: label, prompt, score, x1, y1, x2, y2, and area in pixels of the mask.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        return dataframe(self.instances)

    def _repr_png_(self) -> bytes | None:
        try:
            return png_of(self._seen(), self)
        except PictureGoneError:
            return None  # IPython then shows the HTML, which says so

    def _repr_html_(self) -> str:
        try:
            return html_of(self._seen(), self, title=self._summary())
        except PictureGoneError as error:
            return html_of(None, self, title=self._summary(), absence=str(error))

    def _seen(self) -> NDArray[np.uint8]:
        if self.picture is None:
            raise PictureGoneError("it is not known which one was asked about")
        return self.picture.read()

    def _with(self, instances: tuple[Instance, ...]) -> Segmentation:
        return replace(self, instances=instances)


def _require_conditions(label: object, min_score: object, min_area: object, where: object) -> None:
    if label is not None and not isinstance(label, str):
        remedy = "For several, pass where=lambda instance: instance.label in {...}."
        raise OptionError("label", expected="one string or None", got=label, remedy=remedy)
    for name, value in (("min_score", min_score), ("min_area", min_area)):
        if not is_number(value):
            raise OptionError(name, expected="a number", got=value)
    if where is not None and not callable(where):
        raise OptionError("where", expected="a function that takes an instance, or None", got=where)


def _frozen(array: NDArray[np.float32]) -> NDArray[np.float32]:
    array.flags.writeable = False
    return array
