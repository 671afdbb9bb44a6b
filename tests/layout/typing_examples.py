"""User code as it is written against the public API: mypy --strict holds it against the types.

A line that must be refused carries an ignore for just that error; mypy complains about ignores
that are not needed. `test_typing.py` runs the functions on a fake model.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sam3_onnx import (
    Box,
    CacheInfo,
    Capabilities,
    Embedding,
    Instance,
    Prefetch,
    Sam3Error,
    Sam3Session,
    Segmentation,
    Shape,
    load_image,
)
from sam3_onnx.errors import PromptError
from sam3_onnx.geometry import (
    Polygon,
    Rle,
    RotatedBox,
    mask_iou,
    mask_to_polygon,
    mask_to_polygons,
    mask_to_rectangle,
    mask_to_rotated_box,
    non_max_suppression,
)
from sam3_onnx.testing import FakeFamily, FakeInstance, fake_session

if TYPE_CHECKING:
    from PIL.Image import Image
    from typing_extensions import assert_type
else:

    def assert_type(value: object, _: object) -> object:
        """Checked by the type checker alone."""
        return value


def open_sessions(folder: Path, config: Mapping[str, object]) -> list[Sam3Session]:
    return [
        Sam3Session.from_pretrained("miniature"),
        Sam3Session.from_pretrained("miniature", provider="cpu", threads=2, conf_threshold=0.4),
        Sam3Session.from_folder("models/sam3", provider=["cuda", "cpu"], cache_bytes=1 << 28),
        Sam3Session.from_folder(folder, provider=[("cuda", {"device_id": "0"}), "cpu"], feature_precision="exact"),
        Sam3Session.from_files(image_encoder=folder / "a.onnx", text_encoder="b.onnx", decoder=folder / "c.onnx"),
        Sam3Session.from_config(config, epsilon=0.002),
        Sam3Session.from_config("sam3.yaml"),
        Sam3Session.from_config(
            {"encoder_model_path": "a.onnx", "language_encoder_path": Path("b.onnx"), "conf_threshold": 0.5}
        ),
    ]


def ask_in_words(session: Sam3Session, picture: NDArray[np.uint8]) -> list[str]:
    assert_type(session.predict(picture, "person, truck"), Segmentation)
    session.predict(picture, ["person", "2.5 mm screw"])
    session.predict(picture, ("person", "truck"), conf_threshold=0.3, nms=0.7, cut_to_box=True)
    session.predict(picture, {"person": "pedestrian"}, truncate=True, nms=False, color="bgr")
    return session.predict(picture, "coin").labels


def ask_with_boxes(session: Sam3Session, picture: NDArray[np.uint8]) -> Segmentation:
    session.predict(picture, boxes=[Box(10, 20, 30, 40), Box(5, 5, 9, 9, positive=False)])
    session.predict(picture, boxes=[(10, 20, 30, 40)], label="thing")
    session.predict(picture, boxes=np.array([[10.0, 20.0, 30.0, 40.0]]))
    session.predict(picture, "handle", boxes=[Box(4, 18, 31, 20, positive=False)])
    return session.predict(picture, marks=[{"type": "rectangle", "data": [1, 2, 30, 40], "label": 1}])


def every_kind_of_picture(session: Sam3Session, path: Path, image: Image, deep: NDArray[np.uint16]) -> None:
    session.predict("street.jpg", "person", max_pixels=None)
    session.predict(path, "person")
    session.predict(path.read_bytes(), "person")
    with path.open("rb") as file:
        session.predict(file, "person")
    session.predict(image, "person")
    session.predict(deep, "person")
    assert_type(load_image(path), NDArray[np.uint8])


def encode_once(session: Sam3Session, picture: NDArray[np.uint8]) -> CacheInfo:
    embedding = session.encode(picture, cancel=threading.Event())
    assert_type(embedding, Embedding)
    assert_type(embedding.size, tuple[int, int])
    session.predict(embedding, "coin", progress=print)
    assert_type(session.capabilities, Capabilities)
    assert_type(session.providers, dict[str, tuple[str, ...]])
    return session.cache.info()


def encode_ahead(session: Sam3Session, paths: list[Path], picture: NDArray[np.uint8]) -> Prefetch:
    session.prefetch(paths).cancel()
    ahead = session.prefetch([picture, *paths], color="bgr", max_pixels=None)
    assert_type(ahead.wait(60.0), bool)
    assert_type(ahead.encoded, tuple[int, ...])
    assert_type(ahead.failures, Mapping[int, Exception])
    return ahead


def read_a_result(result: Segmentation) -> list[Instance]:
    assert_type(result.boxes, NDArray[np.float32])
    assert_type(result.scores, NDArray[np.float32])
    assert_type(result.masks, NDArray[np.bool_])
    assert_type(result.labels, list[str])
    assert_type(result[:2], Segmentation)
    assert_type(result.filter(label="coin", min_score=0.5, where=lambda one: one.area > 20), Segmentation)
    assert_type(result.sort_by("area", descending=False).nms(0.7, class_agnostic=True).merge(result), Segmentation)
    assert_type(result.sort_by(lambda one: one.label), Segmentation)
    for instance in result:
        assert_type(instance, Instance)
    return sorted(result, key=lambda instance: instance.score)


def read_an_instance(instance: Instance) -> tuple[str, float]:
    assert_type(instance.box, NDArray[np.float32])
    assert_type(instance.mask, NDArray[np.bool_])
    assert_type(instance.polygon(epsilon=0.001, max_vertices=20, close=True), NDArray[np.float64] | None)
    assert_type(instance.polygons(min_area=4), list[Polygon])
    assert_type(instance.rectangle(), tuple[int, int, int, int] | None)
    assert_type(instance.rotated_box(), RotatedBox | None)
    assert_type(instance.rle(), Rle)
    return instance.label, instance.score


def write_labels(result: Segmentation) -> list[tuple[str, list[list[float]]]]:
    shapes: list[Shape] = [*result.shapes(), *result.shapes("rectangle"), *result.shapes("rotation", epsilon=0.01)]
    return [(shape.label, shape.points.tolist()) for shape in shapes]


def pass_on(result: Segmentation) -> NDArray[np.uint8]:
    assert_type(result.to_coco(category_ids={"coin": 3})[0]["bbox"], list[int])
    assert_type(result.to_geojson(epsilon=0.01)["features"][0]["properties"]["label"], str)
    return result.draw(opacity=0.3)


def geometry_alone(mask: NDArray[np.bool_], logits: NDArray[np.float32]) -> float:
    polygon = mask_to_polygon(mask, 0.001, max_vertices=30)
    if polygon is not None:
        assert_type(polygon, NDArray[np.float64])
    for part in mask_to_polygons(logits, threshold=0.5):
        assert_type(part.holes, tuple[NDArray[np.float64], ...])
    rectangle = mask_to_rectangle(mask)
    box = mask_to_rotated_box(logits)
    if rectangle is not None and box is not None:
        assert_type(box.center, tuple[float, float])
        assert_type(box.direction, float)
    kept = non_max_suppression(np.stack([mask, mask]), [0.5, 0.9], iou_threshold=0.5)
    assert_type(kept, NDArray[np.intp])
    return mask_iou(mask, mask)


def handle_errors(session: Sam3Session, picture: NDArray[np.uint8]) -> str:
    try:
        session.predict(picture, " ")
    except PromptError as error:
        return f"ask again: {error}"
    except Sam3Error as error:
        return str(error)
    return ""


def use_the_fake() -> Segmentation:
    answers = {"coin": [FakeInstance((0.1, 0.1, 0.4, 0.5), score=0.9)], "dog": ()}
    family = FakeFamily(answers)
    with Sam3Session(family, model="fake", conf_threshold=0.2) as session:
        session.predict(np.zeros((20, 20, 3), np.uint8), "coin")
    assert family.calls["encode_image"] == 1
    with fake_session(answers, conf_threshold=0.6) as session:
        assert_type(session, Sam3Session)
        return session.predict(np.zeros((20, 20, 3), np.uint8), "coin, dog")


def wrong_uses(session: Sam3Session, picture: NDArray[np.uint8], result: Segmentation) -> None:
    """Never run: each line is one that a type checker must refuse."""
    session.predict(3, "coin")  # type: ignore[arg-type]
    session.predict(picture, 3)  # type: ignore[arg-type]
    session.predict(picture, "coin", [Box(1, 2, 3, 4)])  # type: ignore[call-arg]
    session.predict(picture, "coin", color="hsv")  # type: ignore[arg-type]
    session.predict(picture, "coin", treshold=0.5)  # type: ignore[call-arg]
    session.predict(np.zeros((2, 2, 3), np.float32), "coin")  # type: ignore[arg-type]
    session.prefetch(Path("one.png"))  # type: ignore[arg-type]
    result.shapes("circle")  # type: ignore[arg-type]
    result.sort_by("size")  # type: ignore[arg-type]
    result.nms(iou=0.5)  # type: ignore[call-arg]
    result.size = (1, 1)  # type: ignore[misc]
    result.boxs  # type: ignore[attr-defined]  # noqa: B018 - looking it up is the point
    Sam3Session.from_folder("a", feature_precision="float8")  # type: ignore[arg-type]
    Sam3Session.from_folder("a", providers="cpu")  # type: ignore[call-arg]
    Sam3Session.from_files(image_encoder="a", text_encoder="b")  # type: ignore[call-arg]
