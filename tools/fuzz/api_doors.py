"""The public functions that the fuzzer calls, each with arguments with which it works."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import sam3_onnx
from sam3_onnx import Box, Sam3Session, load_image
from sam3_onnx.annotate import annotate_folder
from sam3_onnx.draw import draw_instances, draw_result, instance_colour
from sam3_onnx.geometry import (
    mask_iou,
    mask_iou_matrix,
    mask_to_outlines,
    mask_to_polygon,
    mask_to_polygons,
    mask_to_rectangle,
    mask_to_rle,
    mask_to_rotated_box,
    non_max_suppression,
    rle_to_mask,
    suppress_overlaps,
)
from sam3_onnx.hub import model_folder, where
from sam3_onnx.images import find_left_out, find_pictures, resize_bilinear, to_model_input
from sam3_onnx.images.writing import write_png
from sam3_onnx.labels import (
    CocoDataset,
    LabelFile,
    coco_picture,
    picture_format,
    read_classes,
    read_labelme,
    read_xanylabeling,
    read_yolo,
    shapes_of,
    write_labelme,
    write_xanylabeling,
    write_yolo,
)
from sam3_onnx.prompts import parse_box, parse_boxes, parse_marks, parse_text
from sam3_onnx.results import Shape
from sam3_onnx.testing import FakeFamily, FakeInstance, FakeTracker, fake_session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from sam3_onnx import ObjectSegmentation, Segmentation

__all__ = ["DOORS", "Door", "prepare"]

_SIZE = (60, 90)
_MINIATURE = Path(sam3_onnx.__file__).parent / "data/miniature"


class Door(NamedTuple):
    """A public function."""

    function: Callable[..., object]
    valid: Callable[[Path], dict[str, object]]
    """Given a folder that `prepare` filled, returns arguments by name with which it works. Only they are replaced."""
    may_fail_on_files: bool = False
    """Whether it says that it raises OSError where a file cannot be read or written."""


def prepare(folder: Path) -> None:
    """Writes the files that some of the functions read."""
    pictures = folder / "pictures"
    pictures.mkdir()
    write_png(pictures / "a.png", _picture())
    shapes = _result().shapes("polygon")
    for write in (write_xanylabeling, write_labelme):
        name = write.__name__.removeprefix("write_")
        write(folder / f"{name}.json", shapes, image_path="a.png", image_size=_SIZE)
    write_yolo(folder / "yolo.txt", shapes, task="segment", image_size=_SIZE)


@cache
def _session() -> Sam3Session:
    family = FakeFamily({"coin": [FakeInstance((0.1, 0.1, 0.5, 0.6)), FakeInstance((0.2, 0.1, 0.6, 0.6), 0.7)]})
    return Sam3Session(family, model="fake", tracker=FakeTracker())


@cache
def _result() -> Segmentation:
    return _session().predict(_picture(), "coin")


@cache
def _object() -> ObjectSegmentation:
    return _session().predict_object(_picture(), [(20, 20)])


def _picture() -> NDArray[np.uint8]:
    return np.zeros((*_SIZE, 3), np.uint8)


def _mask() -> NDArray[np.bool_]:
    mask = np.zeros(_SIZE, np.bool_)
    mask[10:40, 10:50] = True
    return mask


def _annotate(**given: Any) -> object:  # noqa: ANN401 - as they come
    return list(_session().annotate(**given))


def _prefetch(**given: Any) -> object:  # noqa: ANN401 - as they come
    return _session().prefetch(**given).wait()


def _opened(method: Callable[..., Sam3Session], **given: Any) -> None:  # noqa: ANN401 - as they come
    method(**given).close()


def _coco_added(**given: Any) -> object:  # noqa: ANN401 - as they come
    return CocoDataset().add(**given)


def _always(arguments: Callable[[], Mapping[str, object]]) -> Callable[[Path], dict[str, object]]:
    """Returns arguments that need no folder."""
    return lambda _: dict(arguments())


_OPTIONS: Mapping[str, object] = {
    "threads": 1,
    "precision": "auto",
    "conf_threshold": 0.5,
    "epsilon": 0.001,
    "cache_bytes": 1 << 20,
    "device_cache_bytes": 1 << 20,
    "cache_folder": None,
    "cache_folder_bytes": 1 << 20,
    "feature_precision": "float16",
}
_READING: Mapping[str, object] = {"color": "rgb", "max_pixels": 10_000}
_QUESTION: Mapping[str, object] = {
    "boxes": None,
    "marks": None,
    "label": None,
    "conf_threshold": None,
    "cut_to_box": None,
    "nms": None,
    "truncate": False,
}
_FILES: Mapping[str, object] = {
    name: str(_MINIATURE / f"{name}.onnx") for name in ("image_encoder", "text_encoder", "decoder")
}


def _doors() -> dict[str, Door]:
    return {
        **_session_doors(),
        **_model_doors(),
        **_prompt_doors(),
        **_result_doors(),
        **_mask_doors(),
        **_file_doors(),
    }


def _session_doors() -> dict[str, Door]:
    asked = {**_READING, "cancel": None}
    return {
        "predict": Door(
            _session().predict,
            _always(lambda: {"image": _picture(), "text": "coin", **_QUESTION, **asked, "progress": None}),
        ),
        "predict boxes": Door(
            _session().predict,
            _always(lambda: {"image": _picture(), **_QUESTION, "boxes": [Box(1, 2, 30, 40)], "marks": []}),
        ),
        "predict_object": Door(
            _session().predict_object,
            _always(
                lambda: {
                    "image": _picture(),
                    "points": [(20, 20)],
                    "point_labels": [1],
                    "box": None,
                    "label": "object",
                    **asked,
                    "progress": None,
                }
            ),
        ),
        "encode": Door(_session().encode, _always(lambda: {"image": _picture(), "purpose": None, **asked})),
        "prefetch": Door(_prefetch, _always(lambda: {"pictures": [_picture()], "purpose": None, **_READING})),
        "annotate": Door(
            _annotate,
            _always(lambda: {"pictures": [_picture()], "text": "coin", "on_error": None, **_QUESTION, **asked}),
        ),
        "cache.info": Door(_session().cache.info, _always(lambda: {"tier": "images"})),
        "annotate_folder": Door(annotate_folder, _folder_arguments, may_fail_on_files=True),
    }


def _folder_arguments(folder: Path) -> dict[str, object]:
    return {
        "session": _session(),
        "folder": folder / "pictures",
        "text": "coin",
        "label_format": "xanylabeling",
        "mode": None,
        "epsilon": None,
        "min_area": 0,
        "out": folder / "labels",
        "existing": "append",
        "duplicate_iou": 0.8,
        "recursive": False,
        "include": (),
        "exclude": (),
        "restart": False,
        "preview": None,
        "progress": None,
        "cancel": None,
        **_QUESTION,
    }


def _model_doors() -> dict[str, Door]:
    opening = partial(partial, _opened)
    cpu = {"provider": "cpu", **_OPTIONS}
    paths = {"encoder_model_path": "image_encoder", "language_encoder_path": "text_encoder"}
    config = {key: _FILES[role] for key, role in {**paths, "decoder_model_path": "decoder"}.items()}
    return {
        "fake_session": Door(
            fake_session, _always(lambda: {"answers": {"coin": [FakeInstance((0.1, 0.1, 0.5, 0.6))]}, **_OPTIONS})
        ),
        "Sam3Session": Door(
            Sam3Session, _always(lambda: {"family": FakeFamily({}), "model": "fake", "tracker": None, **_OPTIONS})
        ),
        "from_pretrained": Door(
            opening(Sam3Session.from_pretrained),
            _always(
                lambda: {"name": "miniature", "folder": None, "mirror": None, "offline": True, "progress": False, **cpu}
            ),
        ),
        "from_folder": Door(
            opening(Sam3Session.from_folder),
            _always(lambda: {"folder": _MINIATURE, "family": None, "variant": None, **cpu}),
        ),
        "from_files": Door(
            opening(Sam3Session.from_files), _always(lambda: {**_FILES, "geometry_encoder": None, **cpu})
        ),
        "from_config": Door(opening(Sam3Session.from_config), _always(lambda: {"config": config, **cpu})),
        "from_config keys": Door(
            lambda **config: Sam3Session.from_config(config, provider="cpu"),
            _always(lambda: {**config, "conf_threshold": 0.5, "epsilon": 0.001}),
        ),
        "hub.where": Door(where, _always(lambda: {"model": "miniature", "folder": None})),
        "hub.model_folder": Door(
            model_folder,
            _always(lambda: {"name": "miniature", "folder": None, "mirror": None, "offline": True, "progress": False}),
        ),
    }


def _prompt_doors() -> dict[str, Door]:
    return {
        "Box": Door(Box, _always(lambda: {"x1": 1, "y1": 2, "x2": 30, "y2": 40, "positive": True})),
        "parse_text": Door(parse_text, _always(lambda: {"text": "coin"})),
        "parse_box": Door(parse_box, _always(lambda: {"box": (1, 2, 30, 40), "size": _SIZE})),
        "parse_boxes": Door(parse_boxes, _always(lambda: {"boxes": [(1, 2, 30, 40)], "size": _SIZE})),
        "parse_marks": Door(parse_marks, _always(lambda: {"marks": []})),
        "load_image": Door(load_image, _always(lambda: {"picture": _picture(), **_READING})),
        "resize_bilinear": Door(resize_bilinear, _always(lambda: {"image": _picture(), "size": (20, 30)})),
        "to_model_input": Door(to_model_input, _always(lambda: {"image": _picture(), "size": (20, 30)})),
    }


def _result_doors() -> dict[str, Door]:
    found, one = _result(), _result()[0]
    shaped = {"mode": "polygon", "epsilon": None}
    return {
        "filter": Door(found.filter, _always(lambda: {"label": None, "min_score": 0.0, "min_area": 0, "where": None})),
        "sort_by": Door(found.sort_by, _always(lambda: {"by": "score", "descending": None})),
        "nms": Door(found.nms, _always(lambda: {"iou_threshold": 0.5, "class_agnostic": False})),
        "shapes": Door(found.shapes, _always(lambda: {**shaped, "parts": "largest"})),
        "draw": Door(found.draw, _always(lambda: {"image": _picture(), "opacity": 0.5, "color": "rgb"})),
        "to_coco": Door(found.to_coco, _always(lambda: {"image_id": 1, "first_id": 1, "category_ids": None})),
        "to_geojson": Door(found.to_geojson, _always(lambda: {"epsilon": None, "min_area": 0})),
        "object draw": Door(_object().draw, _always(lambda: {"image": _picture()})),
        "object shapes": Door(_object().shapes, _always(lambda: shaped)),
        "polygon": Door(one.polygon, _always(lambda: {"epsilon": 0.001, "max_vertices": None, "close": False})),
        "polygons": Door(one.polygons, _always(lambda: {"epsilon": 0.001, "min_area": 0})),
        "shape": Door(one.shape, _always(lambda: shaped)),
        "rle": Door(one.rle, _always(lambda: {"compressed": True})),
        "draw_result": Door(draw_result, _always(lambda: {"image": _picture(), "result": found, "opacity": 0.5})),
        "draw_instances": Door(
            draw_instances,
            _always(
                lambda: {
                    "image": _picture(),
                    "masks": _mask()[None],
                    "labels": ["coin"],
                    "scores": [0.5],
                    "boxes": [(10, 10, 50, 40)],
                    "opacity": 0.5,
                }
            ),
        ),
        "instance_colour": Door(instance_colour, _always(lambda: {"index": 1})),
    }


def _mask_doors() -> dict[str, Door]:
    simplified = {"epsilon": 0.001, "threshold": 0}
    return {
        "mask_to_polygon": Door(
            mask_to_polygon, _always(lambda: {"mask": _mask(), **simplified, "max_vertices": None, "close": False})
        ),
        "mask_to_polygons": Door(mask_to_polygons, _always(lambda: {"mask": _mask(), **simplified, "min_area": 0})),
        "mask_to_outlines": Door(mask_to_outlines, _always(lambda: {"mask": _mask(), **simplified, "min_area": 0})),
        "mask_to_rectangle": Door(mask_to_rectangle, _always(lambda: {"mask": _mask(), "threshold": 0})),
        "mask_to_rotated_box": Door(mask_to_rotated_box, _always(lambda: {"mask": _mask(), "threshold": 0})),
        "mask_to_rle": Door(mask_to_rle, _always(lambda: {"mask": _mask(), "threshold": 0, "compressed": True})),
        "rle_to_mask": Door(rle_to_mask, _always(lambda: {"rle": mask_to_rle(_mask())})),
        "rle parts": Door(
            lambda size, counts: rle_to_mask({"size": size, "counts": counts}),
            _always(lambda: dict(mask_to_rle(_mask()))),
        ),
        "mask_iou": Door(mask_iou, _always(lambda: {"a": _mask(), "b": _mask(), "threshold": 0})),
        "mask_iou_matrix": Door(
            mask_iou_matrix, _always(lambda: {"a": _mask()[None], "b": _mask()[None], "threshold": 0})
        ),
        "non_max_suppression": Door(
            non_max_suppression,
            _always(lambda: {"masks": _mask()[None], "scores": [0.5], "iou_threshold": 0.5, "threshold": 0}),
        ),
        "suppress_overlaps": Door(
            suppress_overlaps, _always(lambda: {"iou_matrix": [[1.0]], "scores": [0.5], "iou_threshold": 0.5})
        ),
    }


def _file_doors() -> dict[str, Door]:
    written = {"shapes": _result().shapes("polygon"), "image_size": _SIZE, "holes": "fill"}
    searched = {"recursive": False, "include": (), "exclude": ()}
    fresh = partial(Shape, shape_type="polygon")
    files = partial(Door, may_fail_on_files=True)
    return {
        "find_pictures": files(find_pictures, lambda folder: {"folder": folder / "pictures", **searched}),
        "find_left_out": files(find_left_out, lambda folder: {"folder": folder, **searched}),
        "write_xanylabeling": files(
            write_xanylabeling, lambda folder: {"path": folder / "new.json", "image_path": "a.png", **written}
        ),
        "write_labelme": files(
            write_labelme, lambda folder: {"path": folder / "new.json", "image_path": "a.png", **written}
        ),
        "write_yolo": files(write_yolo, lambda folder: {"path": folder / "new.txt", "task": "segment", **written}),
        "read_xanylabeling": files(
            read_xanylabeling, lambda folder: {"path": folder / "xanylabeling.json", "image_size": _SIZE}
        ),
        "read_labelme": files(read_labelme, lambda folder: {"path": folder / "labelme.json", "image_size": _SIZE}),
        "read_yolo": files(
            read_yolo, lambda folder: {"path": folder / "yolo.txt", "task": "segment", "image_size": _SIZE}
        ),
        "read_classes": files(read_classes, lambda folder: {"path": folder / "classes.txt"}),
        "picture_format": files(picture_format, _always(lambda: {"name": "labelme", "folder": None, "holes": "fill"})),
        "LabelFile": Door(LabelFile, _always(lambda: {"shapes": (), "image_path": "a.png", "image_size": _SIZE})),
        "Shape.to_mask": Door(
            fresh("coin", points=np.array([[1, 1], [9, 1], [9, 9.0]])).to_mask, _always(lambda: {"size": _SIZE})
        ),
        "shapes_of": Door(shapes_of, _always(lambda: {"result": _result(), "mode": "polygon", "epsilon": None})),
        "coco_picture": Door(
            coco_picture,
            _always(lambda: {"file_name": "a.png", "found": _result(), "image_size": None, "segmentation": "rle"}),
        ),
        "CocoDataset.add": Door(_coco_added, _always(lambda: {"file_name": "a.png", "found": _result()})),
    }


DOORS: Mapping[str, Door] = _doors()
"""Every public function, or nearly, by the name in the table."""
