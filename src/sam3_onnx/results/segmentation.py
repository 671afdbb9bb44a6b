"""What a session answers: instances, in pixels of the picture, and what can be made of all of them together."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NoReturn

import numpy as np

from sam3_onnx._support.checks import require_flag, require_whole
from sam3_onnx._support.keywords import known_keywords, known_methods
from sam3_onnx.draw.notebook import html_of, png_of
from sam3_onnx.draw.overlay import draw_result, require_same_size
from sam3_onnx.draw.showing import show_picture
from sam3_onnx.draw.style import DrawStyle
from sam3_onnx.errors import OptionError, OutputExistsError, PictureGoneError
from sam3_onnx.images.loading import load_image, require_reading
from sam3_onnx.images.writing import require_target, write_picture
from sam3_onnx.results.conversions.coco import coco_annotations
from sam3_onnx.results.conversions.geojson import feature_collection
from sam3_onnx.results.conversions.libraries import dataframe, shapely_geometries, supervision_detections
from sam3_onnx.results.conversions.plain import result_dict
from sam3_onnx.results.crops import cut_out
from sam3_onnx.results.instance import Instance, part_shapes, require_mode, require_parts
from sam3_onnx.results.other_names import refuse_name
from sam3_onnx.results.segmentation_map import map_of
from sam3_onnx.results.sequence import InstanceSequence

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    import shapely
    import supervision as sv
    from numpy.typing import NDArray
    from typing_extensions import Unpack

    from sam3_onnx.draw.style import DrawOptions
    from sam3_onnx.images.loading import Picture
    from sam3_onnx.results.conversions.coco import CocoAnnotation
    from sam3_onnx.results.conversions.geojson import FeatureCollection
    from sam3_onnx.results.conversions.plain import MaskForm, ResultDict
    from sam3_onnx.results.segmentation_map import MapKind, Overlap, SegmentationMap
    from sam3_onnx.results.shape import Shape, ShapeType

__all__ = ["Instance", "Segmentation"]

_NO_FILE = "It returns a text and writes no file: Path(path).write_text(result.to_json())."


@known_methods
@dataclass(frozen=True)
class Segmentation(InstanceSequence):
    """All instances found in one picture: by prompt in the order given, within it by falling score."""

    if not TYPE_CHECKING:  # a checker that saw __getattr__ would accept any misspelt name

        def __getattr__(self, name: str) -> NoReturn:
            raise refuse_name(name)

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

    def save(
        self,
        path: str | os.PathLike[str],
        image: Picture | None = None,
        *,
        overwrite: bool = False,
        color: Literal["rgb", "bgr"] = "rgb",
        **options: Unpack[DrawOptions],
    ) -> Path:
        """Writes the picture with the instances on it, as `draw` makes it, in one step.

        Args:
            path: The file; it ends in .png, .jpg, .jpeg or .webp.
            image: As for `draw`.
            overwrite: Whether a file that is there is replaced. The picture that was asked about never is.
            color: Channel order of `image`, if it is an array; the file has its colours as they are.
            **options: As for `draw`.

        Returns:
            The path.

        Raises:
            OutputExistsError: There is a file already.
            PictureGoneError: As for `draw`.
            PictureError: As for `draw`.
            OptionError: As for `draw`; or the path has another ending, or its folder is not there.
            OSError: The file cannot be written.
        """
        DrawStyle.of(options, also=("path", "image", "overwrite", "color"))
        target = require_target(path, overwrite=overwrite)
        if target.exists() and self.picture is not None and self.picture.is_file(target):
            raise OutputExistsError(target, remedy="It is the picture itself: name another file.")
        write_picture(target, draw_result(self._pixels(image, color), self, **options))
        return target

    def show(
        self,
        image: Picture | None = None,
        *,
        color: Literal["rgb", "bgr"] = "rgb",
        **options: Unpack[DrawOptions],
    ) -> None:
        """Shows the picture with the instances on it, as `draw` makes it, and returns at once.

        In a notebook it stands below the cell, 1024 pixels long at most. Elsewhere Pillow hands it to the viewer of the
        system.

        Args:
            image: As for `draw`.
            color: Channel order of `image`, if it is an array.
            **options: As for `draw`.

        Raises:
            DisplayError: There is no screen, or no viewer.
            PictureGoneError: As for `draw`.
            PictureError: As for `draw`.
            OptionError: As for `draw`.
        """
        DrawStyle.of(options, also=("image", "color"))
        show_picture(draw_result(self._pixels(image, color), self, **options), title=self._summary())

    def crop(
        self,
        instance: int | Instance,
        image: Picture | None = None,
        *,
        pad: int = 0,
        transparent: bool = False,
        color: Literal["rgb", "bgr"] = "rgb",
    ) -> NDArray[np.uint8]:
        """Cuts one instance out of its picture, along the rectangle of its mask.

        Args:
            instance: One of this result, or its number. An empty mask is cut out along its box.
            image: As for `draw`.
            pad: Pixels added on each side, as far as the picture reaches.
            transparent: Whether what lies beside the mask is transparent.
            color: Channel order of what is returned, and of `image` if it is an array.

        Returns:
            (h, w, 3) uint8, RGB or BGR; (h, w, 4) with `transparent`, alpha last. A new array.

        Raises:
            InstanceIndexError: There is no such instance.
            PictureGoneError: As for `draw`.
            PictureError: As for `draw`.
            OptionError: The instance is none of this result, or an option is out of its range.
        """
        require_whole("pad", pad, least=0, of="pixels")
        require_flag("transparent", transparent)
        found = instance if isinstance(instance, Instance) else self[instance]
        if not isinstance(found, Instance) or found not in self.instances:
            raise OptionError("instance", expected="one instance of this result, or its number", got=instance)
        pixels = self._pixels(image, color)
        require_same_size(pixels, self.size)
        cut = cut_out(pixels, found, pad=int(pad), transparent=transparent)
        return cut if color == "rgb" else np.ascontiguousarray(cut[..., [2, 1, 0, 3][: cut.shape[2]]])

    def segmentation_map(
        self,
        classes: Sequence[str] | Mapping[str, int] | None = None,
        *,
        kind: MapKind = "semantic",
        overlap: Overlap = "score",
        background: int = 0,
    ) -> SegmentationMap:
        """One number for each pixel: `ids, legend = result.segmentation_map()`.

        Args:
            classes: The classes, numbered from 1 in this order, or the number of each; None for `classes` of this
                result. Every label that was found has to be among them.
            kind: "semantic" for a number for each class, "instance" for one for each instance, in the order of this
                result from 1 on.
            overlap: Where instances overlap, "score" gives the pixel to the one with the higher score, "area" to the
                smaller one.
            background: Number of the pixels on which nothing was found; no class has it.

        Returns:
            The numbers (H, W), and the label of each.

        Raises:
            OptionError: A label has no number, two have one, or an option is out of its range.
        """
        return map_of(
            self.instances,
            size=self.size,
            known=self.classes,
            classes=classes,
            kind=kind,
            overlap=overlap,
            background=background,
        )

    def to_dict(self, *, masks: MaskForm | None = "polygons") -> ResultDict:
        """The instances as plain values, which JSON and web services take.

        Args:
            masks: "polygons" for the outlines of all parts with their holes, "rle" for exact run lengths as COCO has
                them, None to leave the masks out.

        Raises:
            OptionError: Another form of masks.
        """
        return result_dict(self.instances, size=self.size, classes=self.classes, masks=masks)

    @known_keywords(_NO_FILE, path=_NO_FILE, file=_NO_FILE, filename=_NO_FILE)
    def to_json(self, *, masks: MaskForm | None = "polygons", indent: int | None = None) -> str:
        """What `to_dict` returns, as a text.

        Args:
            masks: As for `to_dict`.
            indent: Spaces for each level; None for one line.

        Raises:
            OptionError: Another form of masks, or no number of spaces.
        """
        if indent is not None:
            require_whole("indent", indent, least=0, of="spaces")
        return json.dumps(self.to_dict(masks=masks), indent=indent)

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
