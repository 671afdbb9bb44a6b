"""Keywords that a call does not take are answered with our name for what was meant."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sam3_onnx import Box, Sam3Session, load_image
from sam3_onnx.annotate import annotate_folder
from sam3_onnx.errors import KeywordError, OptionError
from sam3_onnx.geometry import mask_to_polygon
from sam3_onnx.testing import FakeInstance, fake_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from sam3_onnx import Segmentation

IMAGE = np.zeros((60, 90, 3), np.uint8)


@pytest.fixture
def session() -> Sam3Session:
    return fake_session({"coin": [FakeInstance((0.1, 0.1, 0.6, 0.6))]})


@pytest.mark.parametrize(
    ("theirs", "ours"),
    {
        "box": "boxes",
        "bboxes": "boxes",
        "input_boxes": "boxes",
        "threshold": "conf_threshold",
        "conf": "conf_threshold",
        "score_threshold": "conf_threshold",
        "iou": "nms",
        "iou_threshold": "nms",
        "labels": "text",
        "prompts": "text",
        "classes": "text",
        "images": "image",
        "txt": "text",
        "conf_treshold": "conf_threshold",
        "channel_order": "color",
    }.items(),
)
def test_a_keyword_of_another_library_is_answered_with_ours(session: Sam3Session, theirs: str, ours: str) -> None:
    asked: dict[str, Any] = {theirs: [1]}
    with pytest.raises(KeywordError, match=rf"got '{theirs}'\. Did you mean {ours}\?$"):
        session.predict(IMAGE, **asked)


def test_clicks_are_sent_to_the_method_that_takes_them(session: Sam3Session) -> None:
    with pytest.raises(KeywordError, match=r"cut out by clicks with predict_object\(image, points\)"):
        session.predict(IMAGE, points=[(3, 4)])  # type: ignore[call-arg]


def test_every_door_of_a_session_answers_so(session: Sam3Session) -> None:
    asked: dict[str, Any] = {"threshold": 0.5}
    with pytest.raises(KeywordError, match="Did you mean conf_threshold"):
        session.annotate([IMAGE], "coin", **asked)
    with pytest.raises(KeywordError, match=r"got 'labels'\. Did you mean point_labels\?"):
        session.predict_object(IMAGE, [(3, 4)], labels=[1])  # type: ignore[call-arg]
    with pytest.raises(KeywordError, match="Did you mean box"):
        session.predict_object(IMAGE, boxes=[(1, 2, 3, 4)])  # type: ignore[call-arg]
    with pytest.raises(KeywordError, match="Did you mean image"):
        session.encode(picture=IMAGE)  # type: ignore[call-arg]
    with pytest.raises(KeywordError, match="Did you mean color"):
        load_image(IMAGE, channel_order="bgr")  # type: ignore[call-arg]
    with pytest.raises(KeywordError, match="Did you mean label_format"):
        annotate_folder(session, "nowhere", "coin", format="coco")  # type: ignore[call-arg]


def test_more_without_a_name_than_a_call_takes_is_refused(session: Sam3Session) -> None:
    expected = r"without a name must be at most 2 \(image, text\), got 3\. Give the others by name: boxes=, marks="
    with pytest.raises(KeywordError, match=expected):
        session.predict(IMAGE, "coin", [(1, 2, 30, 40)])  # type: ignore[call-arg]


def found(session: Sam3Session) -> Segmentation:
    return session.predict(IMAGE, "coin")


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (lambda result: result.filter(0.9), r"filter\(\) must be given by name \(label=, min_score=, .*got 0\.9"),
        (lambda result: result.filter(threshold=0.9), r"Did you mean min_score\?"),
        (lambda result: result.filter(class_name="coin"), r"Did you mean label\?"),
        (lambda result: result.nms(iou=0.5), r"Did you mean iou_threshold\?"),
        (lambda result: result.nms(0.5, 1), r"Give the others by name: class_agnostic=\.$"),
        (lambda result: result.to_json("a.json"), r"writes no file: Path\(path\)\.write_text\(result\.to_json\(\)\)"),
        (lambda result: result.to_json(path="a.json"), "writes no file"),
        (lambda result: result.to_coco(categories={}), r"Did you mean category_ids\?"),
        (lambda result: result.to_dataframe("pandas"), r"to_dataframe\(\) must be left out, got 'pandas'"),
        (lambda result: result.draw(alpha=0.3), r"Did you mean opacity\?"),
        (lambda result: result.save(filename="a.png"), r"Did you mean path in place of filename\?"),
        (lambda result: result.crop(), r"crop\(\) must be called with instance, got \[\]"),
        (lambda result: result.crop(0, padding=3), r"Did you mean pad\?"),
        (lambda result: result.sort_by(key="area"), r"Did you mean by\?"),
        (lambda result: result.segmentation_map(mode="instance"), r"Did you mean kind\?"),
        (lambda result: result.merge(other=result), r"merge\(\) must be given without a name, got 'other'"),
        (lambda result: result[0].polygon(tolerance=0.01), r"Did you mean epsilon\?"),
        (lambda _: Box(1, 2, 3), r"Box\(\) must be called with y2, got \['x1', 'y1', 'x2'\]"),  # type: ignore[call-arg]
        (lambda _: Box([1, 2, 3, 4]), r"one by one: Box\(\*values\)\.$"),  # type: ignore[arg-type, call-arg]
        (lambda _: Sam3Session.from_pretrained("miniature", "cpu"), "Give the others by name: folder="),  # type: ignore[call-arg]
        (lambda _: mask_to_polygon(IMAGE[..., 0], tolerance=0.01), r"Did you mean epsilon\?"),  # type: ignore[call-arg]
    ],
)
def test_a_call_that_does_not_fit_is_answered_with_our_names(
    session: Sam3Session, asked: Callable[[Any], object], answer: str
) -> None:
    with pytest.raises(KeywordError, match=answer):
        asked(found(session))


def test_it_is_the_error_that_python_raises_and_one_of_the_library(session: Sam3Session) -> None:
    for kind in (TypeError, OptionError):
        with pytest.raises(kind):
            session.predict(IMAGE, threshold=0.5)  # type: ignore[call-arg]


def test_signatures_and_names_stay_as_they_are() -> None:
    signature = inspect.signature(Sam3Session.predict)
    assert list(signature.parameters)[:4] == ["self", "image", "text", "boxes"]
    assert Sam3Session.predict.__name__ == "predict"
    assert Sam3Session.predict.__doc__ is not None
