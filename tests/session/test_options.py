"""Is an option of the wrong kind, or one that does not exist, refused by name before anything runs?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.errors import OptionError
from sam3_onnx.images import load_image
from sam3_onnx.testing import FakeInstance, FakeTracker, fake_session

if TYPE_CHECKING:
    from collections.abc import Callable

IMAGE = np.zeros((60, 90, 3), np.uint8)
OPENERS: dict[str, Callable[..., Sam3Session]] = {
    "from_pretrained": lambda **options: Sam3Session.from_pretrained("miniature", **options),
    "from_folder": lambda **options: Sam3Session.from_folder("nowhere", **options),
    "from_files": lambda **options: Sam3Session.from_files(image_encoder="a.onnx", decoder="b.onnx", **options),
    "from_config": lambda **options: Sam3Session.from_config({}, **options),
    "fake_session": lambda **options: fake_session({}, **options),
}


@pytest.fixture
def session() -> Sam3Session:
    return fake_session({"coin": [FakeInstance((0.1, 0.1, 0.6, 0.6))]})


@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize(
    ("name", "value", "near"),
    [
        ("conf_treshold", 0.9, "Did you mean conf_threshold?"),
        ("Provider", "cpu", "Did you mean provider?"),
        ("providers", ["cpu"], "Did you mean provider?"),
        ("device", "cuda", "Did you mean provider?"),
        ("threshold", 0.9, "Did you mean conf_threshold?"),
        ("whatever", 1, ""),
    ],
)
def test_an_option_that_does_not_exist_is_refused_with_those_that_do(
    opener: str, name: str, value: object, near: str
) -> None:
    with pytest.raises(OptionError) as error:
        OPENERS[opener](**{name: value})
    assert "provider, precision, threads, conf_threshold, epsilon, cache_bytes, device_cache_bytes, " in str(
        error.value
    )
    assert str(error.value).endswith(f"got {name!r}.{' ' if near else ''}{near}")


def test_near_names_know_the_keywords_of_the_method() -> None:
    with pytest.raises(OptionError, match="Did you mean variant"):
        Sam3Session.from_folder("nowhere", varient="fp16")  # type: ignore[call-arg]


@pytest.mark.parametrize("wrong", [None, 3])
@pytest.mark.parametrize(
    ("named", "call"),
    [
        ("folder", Sam3Session.from_folder),
        ("config", Sam3Session.from_config),
        ("image_encoder", lambda path: Sam3Session.from_files(image_encoder=path, decoder="b.onnx")),
    ],
)
def test_a_path_that_is_none(named: str, call: Callable[[Any], Sam3Session], wrong: object) -> None:
    with pytest.raises(OptionError, match=f"{named} must be a path: a string or a pathlib.Path, got {wrong}"):
        call(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"cancel": True},
        {"cancel": 1.5},
        {"progress": 3},
        {"max_pixels": "10"},
        {"max_pixels": True},
        {"label": 3},
        {"label": " "},
        {"cut_to_box": "no"},
        {"truncate": "no"},
    ],
    ids=str,
)
def test_a_question_takes_no_option_of_another_kind(session: Sam3Session, wrong: dict[str, Any]) -> None:
    (name,) = wrong
    text = None if name == "label" else "coin"
    with pytest.raises(OptionError, match=f"^{name} must be "):
        session.predict(IMAGE, text, boxes=[(1, 1, 40, 40)], **wrong)
    assert session.cache.info().misses == 0


@pytest.mark.parametrize("wrong", [{"cancel": True}, {"progress": 3}, {"max_pixels": "10"}, {"label": 3}], ids=str)
def test_a_click_takes_no_option_of_another_kind(wrong: dict[str, Any]) -> None:
    tracker = FakeTracker()
    with pytest.raises(OptionError, match=f"^{next(iter(wrong))} must be "):
        Sam3Session(None, tracker=tracker, model="fake").predict_object(IMAGE, [(5, 5)], **wrong)
    assert not tracker.calls


def test_encoding_takes_no_option_of_another_kind(session: Sam3Session) -> None:
    with pytest.raises(OptionError, match=r"cancel must be a threading\.Event or None, got True"):
        session.encode(IMAGE, cancel=True)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match=r"max_pixels must be a whole number of at least 1"):
        load_image(IMAGE, max_pixels="10")  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"cache_bytes": "1GB"}, {"cache_bytes": True}, {"epsilon": True}], ids=str)
def test_a_session_takes_no_option_of_another_kind(wrong: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="must be "):
        fake_session({}, **wrong)


def test_numbers_of_numpy_are_numbers() -> None:
    session = fake_session(
        {"coin": [FakeInstance((0.1, 0.1, 0.6, 0.6))]},
        epsilon=np.float32(0.01),  # type: ignore[arg-type]
        conf_threshold=np.float32(0.5),  # type: ignore[arg-type]
        cache_bytes=np.int64(1 << 20),  # type: ignore[arg-type]
    )
    assert session.predict(IMAGE, "coin")[0].polygon(max_vertices=np.int64(3)) is not None  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"epsilon": "1"}, {"epsilon": True}, {"max_vertices": 3.5}], ids=str)
def test_a_polygon_takes_no_option_of_another_kind(session: Sam3Session, wrong: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match=f"^{next(iter(wrong))} must be "):
        session.predict(IMAGE, "coin")[0].polygon(**wrong)


@pytest.mark.parametrize(
    "wrong", [{"label": ["coin", 3]}, {"min_score": "a"}, {"min_area": "a"}, {"where": "score > 1"}], ids=str
)
def test_a_filter_takes_no_condition_of_another_kind(session: Sam3Session, wrong: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match=f"^{next(iter(wrong))} must be "):
        session.predict(IMAGE, "coin").filter(**wrong)


def test_a_cache_has_three_tiers(session: Sam3Session) -> None:
    with pytest.raises(OptionError, match='tier must be "images", "texts" or "disk", got \'nope\''):
        session.cache.info("nope")  # type: ignore[arg-type]


def test_heads_are_given_by_name() -> None:
    session = Sam3Session(None, heads={"clicks": FakeTracker()}, model="fake")
    assert session.capabilities.points
    with pytest.raises(OptionError, match="heads must be made of concepts, clicks, video, got 'hands'"):
        Sam3Session(None, heads={"hands": FakeTracker()}, model="fake")
