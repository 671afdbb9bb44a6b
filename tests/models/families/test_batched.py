"""Do families D1 and D2 answer as the PyTorch model behind them, in every precision they are published in?

`tests/support/make_batched.py` made the graphs and the answers.
"""

from __future__ import annotations

import json
import shutil
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx import Box, Sam3Session
from sam3_onnx.errors import AmbiguousFolderError, OptionError, UnknownFamilyError, UnsupportedPromptError
from sam3_onnx.geometry import mask_iou
from sam3_onnx.models.families.folder import exports_in_folder
from sam3_onnx.models.families.protocol import Query
from sam3_onnx.models.runtime.settings import RuntimeSettings
from sam3_onnx.prompts import box_labels, normalised_cxcywh
from sam3_onnx.prompts.tokenizer import load_tokenizer
from tests.support.places import DATA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from sam3_onnx.models.families.protocol import Detections, Family

GOLDEN = DATA / "batched"
D1, D2 = GOLDEN / "batched_geometry", GOLDEN / "batched"
SIZE = (112, 168)
QUERIES, MASKS_STORED = 12, 2
PICTURES = ("same", "other")
WITHOUT_BOXES = ("text", "words")
WITH_BOXES = ("one_box", "boxes_of_both_signs", "text_and_boxes", "words_and_boxes")
CASES = (*WITHOUT_BOXES, *WITH_BOXES)
EVERY_CASE = pytest.mark.parametrize("case", CASES)
EVERY_PICTURE = pytest.mark.parametrize("picture", PICTURES)
ENCODERS = ("vision-encoder", "text-encoder")
DECODER = "geo-encoder-mask-decoder"


class Golden:
    """One question to the PyTorch model and its answer."""

    def __init__(self, picture: str, case: str, kind: str) -> None:
        kind = kind if case in WITHOUT_BOXES else "empty_slot"
        with np.load(GOLDEN / "ref.npz") as data:
            asked = json.loads(str(data["cases"]))[case]
            self.image: NDArray[np.uint8] = data[f"{picture}/image"]
            self.pixels: NDArray[np.uint8] = data[f"{picture}/pixels"]
            self.scores: NDArray[np.float32] = data[f"{picture}/{case}/{kind}/scores"]
            self.boxes: NDArray[np.float32] = data[f"{picture}/{case}/{kind}/boxes"]
            bits = data[f"{picture}/{case}/{kind}/masks"]
        self.words: list[str] = asked["words"]
        height, width = self.size = (self.image.shape[0], self.image.shape[1])
        self.shown = tuple(
            Box(x1 * width, y1 * height, x2 * width, y2 * height, positive=bool(label))
            for (x1, y1, x2, y2), label in zip(asked["boxes"], asked["labels"], strict=True)
        )
        shape = (len(self.words), MASKS_STORED, height, width)
        self.masks = np.unpackbits(bits, count=int(np.prod(shape))).reshape(shape).astype(np.bool_)
        self.order = np.argsort(-self.scores, axis=1)

    @property
    def text(self) -> list[str] | None:
        """What a user asks: no word where the one for boxes only is meant."""
        return None if self.words == ["visual"] else self.words


def no_geometry(picture: str, case: str) -> Golden:
    return Golden(picture, case, "no_geometry")


def empty_slot(picture: str, case: str) -> Golden:
    return Golden(picture, case, "empty_slot")


def answers(family: Family, golden: Golden) -> list[Detections]:
    """All queries of every word, on the stored input of the encoder."""
    words = family.encode_text([load_tokenizer().encode(word) for word in golden.words], cancel=None)
    places, signs = normalised_cxcywh(golden.shown, golden.size), box_labels(golden.shown)
    queries = [Query(text, places, signs) for text in words]
    features = family.encode_image(golden.pixels, cancel=None)
    return family.detect(features, queries, size=golden.size, threshold=0.0, cancel=None)


def disagreement(family: Family, golden: Golden) -> tuple[float, float, float]:
    """Largest difference of a score and of a box edge in pixels, smallest IoU of a stored mask."""
    found = answers(family, golden)
    assert len(found) == len(golden.words)
    scores = max(float(np.abs(each.scores - golden.scores[row]).max()) for row, each in enumerate(found))
    edges = max(float(np.abs(each.boxes - golden.boxes[row]).max()) for row, each in enumerate(found))
    ious = [
        mask_iou(source.window.full(source.size), golden.masks[row, rank])
        for row, each in enumerate(found)
        for rank in range(MASKS_STORED)
        if (source := each.masks[golden.order[row, rank]])
    ]
    return scores, edges, min(ious)


def opened(folder: Path, variant: str | None = None) -> Family:
    found: Family = exports_in_folder(folder, variant=variant).open(RuntimeSettings("cpu", threads=1))["concepts"]
    return found


def copied(target: Path, files: Iterable[Path]) -> Path:
    target.mkdir(exist_ok=True)
    for path in files:
        shutil.copy(path, target)
    return target


@pytest.fixture(scope="module")
def geometry_family() -> Family:
    return opened(D1)


@pytest.fixture(scope="module")
def box_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """D2 in three precisions side by side; its plain encoders are D1's."""
    plain = [D1 / f"{name}.onnx" for name in ENCODERS]
    return copied(tmp_path_factory.mktemp("batched"), [*plain, *D2.glob("*.onnx")])


@pytest.fixture(scope="module")
def box_family(box_folder: Path) -> Callable[[str], Family]:
    return cache(lambda variant: opened(box_folder, variant))


@EVERY_PICTURE
@EVERY_CASE
def test_the_family_with_a_geometry_encoder_agrees_with_pytorch(
    geometry_family: Family, note: Callable[[str, str, float, float], None], picture: str, case: str
) -> None:
    scores, edges, iou = disagreement(geometry_family, no_geometry(picture, case))
    note("D1, tiny", case, scores, iou)
    assert scores <= 1e-4
    assert edges <= 1.0
    assert iou >= 0.99


@EVERY_PICTURE
@EVERY_CASE
def test_the_family_with_boxes_in_the_decoder_agrees_with_pytorch(
    box_family: Callable[[str], Family], note: Callable[[str, str, float, float], None], picture: str, case: str
) -> None:
    scores, edges, iou = disagreement(box_family("plain"), empty_slot(picture, case))
    note("D2, tiny", case, scores, iou)
    assert scores <= 1e-4
    assert edges <= 1.0
    assert iou >= 0.99


@EVERY_PICTURE
@EVERY_CASE
@pytest.mark.parametrize(("variant", "most", "pixels", "least"), [("fp16", 3e-3, 1.0, 0.99), ("q8", 0.2, 40.0, 0.8)])
def test_other_precisions_agree_less_closely(
    box_family: Callable[[str], Family],
    note: Callable[[str, str, float, float], None],
    picture: str,
    case: str,
    variant: str,
    most: float,
    pixels: float,
    least: float,
) -> None:
    scores, edges, iou = disagreement(box_family(variant), empty_slot(picture, case))
    note(f"D2, tiny, {variant}", case, scores, iou)
    assert scores <= most
    assert edges <= pixels
    assert iou >= least


def test_the_golden_answers_can_tell_the_two_families_apart() -> None:
    """Without boxes D1 attends to no geometry, D2 to its CLS token."""
    for picture in PICTURES:
        for case in WITHOUT_BOXES:
            assert np.abs(no_geometry(picture, case).scores - empty_slot(picture, case).scores).max() > 0.01
        first = [empty_slot(picture, case).scores[0] for case in CASES]
        for index, scores in enumerate(first):
            assert all(np.abs(scores - other).max() > 0.01 for other in first[:index])


def assert_as_pytorch(session: Sam3Session, golden: Golden) -> None:
    """A whole prediction, from the picture: what scores above 0.5, in order."""
    result = session.predict(golden.image, golden.text, boxes=golden.shown)
    height, width = golden.size
    for row, word in enumerate(golden.words):
        found = result.filter(where=lambda instance, word=word: instance.prompt == word)  # type: ignore[misc]
        order = golden.order[row]
        order = order[golden.scores[row, order] > 0.5]
        assert len(found) == len(order)
        np.testing.assert_allclose(found.scores, golden.scores[row, order], atol=1e-4)
        clipped = np.clip(golden.boxes[row, order], 0, [width, height, width, height])
        np.testing.assert_allclose(found.boxes, clipped, atol=1.0)
        for instance, expected in zip(found, golden.masks[row], strict=False):
            assert mask_iou(instance.mask, expected) >= 0.99


@EVERY_PICTURE
@EVERY_CASE
def test_sessions_of_both_families_agree_with_pytorch(box_folder: Path, picture: str, case: str) -> None:
    with Sam3Session.from_folder(D1, feature_precision="exact") as session:
        assert_as_pytorch(session, no_geometry(picture, case))
    with Sam3Session.from_folder(box_folder, variant="plain", feature_precision="exact") as session:
        assert_as_pytorch(session, empty_slot(picture, case))


def test_the_families_are_told_from_the_graphs_alone(tmp_path: Path, box_folder: Path) -> None:
    for number, path in enumerate(sorted(D1.glob("*.onnx"))):
        shutil.copy(path, tmp_path / f"{number}.onnx")
    with Sam3Session.from_folder(tmp_path) as session:
        assert session.capabilities.family == "batched-geometry"
        assert session.capabilities.input_size == SIZE
        assert session.capabilities.boxes
        assert session.capabilities.max_boxes is None
    for variant in ("plain", "fp16", "q8"):
        with Sam3Session.from_folder(box_folder, variant=variant) as session:
            assert session.capabilities.family == "batched"
            assert session.capabilities.input_size == SIZE


def test_without_the_geometry_encoder_words_work_and_boxes_are_refused(tmp_path: Path) -> None:
    copied(tmp_path, [path for path in D1.glob("*.onnx") if path.stem != "geometry-encoder"])
    golden = no_geometry("other", "words")
    with Sam3Session.from_folder(tmp_path, feature_precision="exact") as session:
        assert session.capabilities.family == "batched-geometry"
        assert not session.capabilities.boxes
        assert_as_pytorch(session, golden)
        wanted = "batched-geometry model does not support boxes of examples; it supports words"
        with pytest.raises(UnsupportedPromptError, match=wanted):
            session.predict(golden.image, "coin", boxes=[Box(1, 1, 50, 50)])
        with pytest.raises(UnsupportedPromptError, match=wanted):
            session.predict(golden.image, boxes=[Box(1, 1, 50, 50)])


def test_variants_side_by_side_are_listed_and_one_is_picked(box_folder: Path) -> None:
    with pytest.raises(AmbiguousFolderError, match="more than one variant") as error:
        Sam3Session.from_folder(box_folder)
    for name in (*ENCODERS, DECODER):
        for ending in ("", "-fp16", "-q8"):
            assert f"{name}{ending}.onnx" in str(error.value)
    assert "variant=" in str(error.value)
    export = exports_in_folder(box_folder, variant="fp16").heads["concepts"]
    assert {graph.path.name for graph in export.graphs.values()} == {
        f"{name}-fp16.onnx" for name in (*ENCODERS, DECODER)
    }
    with pytest.raises(OptionError, match="plain, fp16, q8"):
        Sam3Session.from_folder(box_folder, variant="q4")


def test_a_decoder_alone_in_another_precision_is_a_variant_with_the_plain_encoders(tmp_path: Path) -> None:
    decoders = [D2 / f"{DECODER}.onnx", D2 / f"{DECODER}-fp16.onnx"]
    copied(tmp_path, [*(D1 / f"{name}.onnx" for name in ENCODERS), *decoders])
    with pytest.raises(AmbiguousFolderError, match=rf"fp16 \(batched\): .*{DECODER}-fp16\.onnx"):
        Sam3Session.from_folder(tmp_path)
    golden = empty_slot("other", "text_and_boxes")
    scores, edges, iou = disagreement(opened(tmp_path, "fp16"), golden)
    assert scores <= 3e-3
    assert edges <= 1.0
    assert iou >= 0.99


def test_graphs_of_both_families_in_one_folder_are_two_exports(tmp_path: Path) -> None:
    """They share their encoders: only the decoders differ."""
    copied(tmp_path, [*D1.glob("*.onnx"), D2 / f"{DECODER}.onnx"])
    with pytest.raises(AmbiguousFolderError, match=r"more than one family .*batched: .*batched-geometry: "):
        Sam3Session.from_folder(tmp_path)
    for family, kind in (("batched", empty_slot), ("batched-geometry", no_geometry)):
        with Sam3Session.from_folder(tmp_path, family=family, feature_precision="exact") as session:
            assert session.capabilities.family == family
            assert_as_pytorch(session, kind("same", "text"))


@pytest.mark.parametrize(("left_out", "missing"), [("text-encoder", "text encoder"), ("decoder", "decoder")])
def test_a_missing_part_is_named(tmp_path: Path, left_out: str, missing: str) -> None:
    there = [path for path in D1.glob("*.onnx") if path.stem != left_out]
    copied(tmp_path, there)
    with pytest.raises(UnknownFamilyError, match=f"batched.* family: no graph there is its {missing}") as error:
        Sam3Session.from_folder(tmp_path)
    assert all(path.name in str(error.value) for path in there)
