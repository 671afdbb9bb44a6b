"""What a session answers: instances, in pixels of the picture, and what can be made of all of them together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from sam3_onnx.draw.notebook import html_of, png_of
from sam3_onnx.draw.overlay import draw_result
from sam3_onnx.draw.style import DrawStyle
from sam3_onnx.errors import PictureGoneError
from sam3_onnx.images.loading import load_image, require_reading
from sam3_onnx.results.conversions.coco import coco_annotations
from sam3_onnx.results.conversions.geojson import feature_collection
from sam3_onnx.results.conversions.libraries import dataframe, shapely_geometries, supervision_detections
from sam3_onnx.results.instance import Instance, part_shapes, require_mode, require_parts
from sam3_onnx.results.sequence import InstanceSequence

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    import shapely
    import supervision as sv
    from numpy.typing import NDArray
    from typing_extensions import Unpack

    from sam3_onnx.draw.style import DrawOptions
    from sam3_onnx.images.loading import Picture
    from sam3_onnx.results.conversions.coco import CocoAnnotation
    from sam3_onnx.results.conversions.geojson import FeatureCollection
    from sam3_onnx.results.shape import Shape, ShapeType

__all__ = ["Instance", "Segmentation"]


@dataclass(frozen=True)
class Segmentation(InstanceSequence):
    """All instances found in one picture: by prompt in the order given, within it by falling score."""

    def __repr__(self) -> str:
        return f"<Segmentation of {self._summary()}>"

    def _summary(self) -> str:
        found = ", ".join(f"{count} {label}" for label, count in self.counts.items()) or "nothing"
        height, width = self.size
        return f"{width} x {height}: {found}"

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
        **options: Unpack[DrawOptions],
    ) -> NDArray[np.uint8]:
        """Draws the instances onto a copy of their picture; see `sam3_onnx.draw.draw_instances`.

        Args:
            image: The picture, as anything that `sam3_onnx.images.load_image` takes. None for the one that was asked
                about: a file is read again, an array, a PIL image or bytes are held by the result.
            color: Channel order of the drawing, and of `image` if it is an array: "bgr" is OpenCV's.
            **options: opacity, fill, labels and color_mode; see `sam3_onnx.draw.DrawOptions`.

        Returns:
            (H, W, 3) uint8, RGB or BGR; a new array.

        Raises:
            PictureGoneError: `image` is None, and the picture is not to be had or has changed.
            PictureError: `image` cannot be used, or is not of this result's size.
            OptionError: There is no such option, or one is out of its range.
        """
        DrawStyle.of(options, also=("image", "color"))
        drawn = draw_result(self._pixels(image, color), self, **options)
        return drawn if color == "rgb" else np.ascontiguousarray(drawn[..., ::-1])

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

    def _pixels(self, image: Picture | None, color: Literal["rgb", "bgr"]) -> NDArray[np.uint8]:
        """Returns the picture that was passed, or else the one that was asked about: (H, W, 3) uint8 RGB."""
        require_reading(color, None)
        return self._seen() if image is None else load_image(image, color=color)

    def _seen(self) -> NDArray[np.uint8]:
        if self.picture is None:
            raise PictureGoneError("it is not known which one was asked about")
        return self.picture.read()
