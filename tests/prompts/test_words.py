"""Class lists are read as people mean them, or refused with the reason."""

from __future__ import annotations

import subprocess
import sys
from collections import UserDict
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sam3_onnx.errors import EmptyPromptError, OptionError
from sam3_onnx.prompts import VISUAL, Concept, parse_text

if TYPE_CHECKING:
    from sam3_onnx.prompts import TextLike

few = settings(deadline=None, max_examples=100)
word = st.text(st.sampled_from("abc xyz'-\u8eca\u00e9"), min_size=1, max_size=8).map(str.strip).filter(bool)


def prompts(text: TextLike) -> list[str]:
    return [concept.prompt for concept in parse_text(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("person", ["person"]),
        ("person, truck", ["person", "truck"]),
        ("person.truck", ["person", "truck"]),
        ("person, truck. dog", ["person", "truck", "dog"]),
        ("person. truck.", ["person", "truck"]),
        ("\u4eba\uff0c\u8f66\u3002\u72d7", ["\u4eba", "\u8f66", "\u72d7"]),
        ("\u72ac\u3001\u732b\uff64\u9ce5\uff61\u9b5a\uff0e", ["\u72ac", "\u732b", "\u9ce5", "\u9b5a"]),
        (" , person ,, . ,\n truck , ", ["person", "truck"]),
        ("red car, a big dog", ["red car", "a big dog"]),
        ("2.5 inch pipe", ["2.5 inch pipe"]),
        ("2.5 mm screw. 10.25 mm nut.", ["2.5 mm screw", "10.25 mm nut"]),
        ("\uff12\uff0e\uff15 pipe", ["\uff12\uff0e\uff15 pipe"]),
        (".22 cartridge, .5 inch pipe", [".22 cartridge", ".5 inch pipe"]),
        ("cat.2 dogs", ["cat", "2 dogs"]),
        ("no. 7. cat", ["no", "7", "cat"]),
        ("1,000 coins", ["1", "000 coins"]),
        ("car; bus", ["car", "bus"]),
        ("car\nbus\r\ntaxi\n", ["car", "bus", "taxi"]),
        ("car|bus | taxi", ["car", "bus", "taxi"]),
        (
            "\u0642\u0637\u060c \u0643\u0644\u0628\u061b \u062c\u0645\u0644",
            ["\u0642\u0637", "\u0643\u0644\u0628", "\u062c\u0645\u0644"],
        ),
        ("salt &amp; pepper; sugar", ["salt &amp; pepper", "sugar"]),
        ("caf&eacute; cup; tree&#x2019;s root;dog", ["caf&eacute; cup", "tree&#x2019;s root", "dog"]),
        ("R&D; lab", ["R&D", "lab"]),
        ("&lt;b&gt; &#39;x&#39; &quot;y&quot;", ["&lt;b&gt; &#39;x&#39; &quot;y&quot;"]),
        ("R&D; M&M's", ["R&D", "M&M's"]),
    ],
)
def test_a_string_is_a_class_list(text: str, expected: list[str]) -> None:
    assert prompts(text) == expected


def test_a_list_is_taken_as_it_is() -> None:
    assert prompts(["St. Bernard", " 1,000 yen note ", "", "  ", "St. Bernard"]) == ["St. Bernard", "1,000 yen note"]
    assert prompts(("cat", "dog")) == ["cat", "dog"]


@pytest.mark.parametrize("text", ["Cat, dog, cat", ["Cat", "dog", "cat"], ["Cat", "dog", " \uff23\uff21\uff34"]])
def test_what_the_model_sees_as_one_prompt_is_asked_once(text: TextLike) -> None:
    assert prompts(text) == ["Cat", "dog"]


def test_without_a_mapping_the_label_is_the_prompt() -> None:
    assert parse_text("red car") == (Concept("red car", "red car"),)


@pytest.mark.parametrize("kind", [dict, UserDict])
def test_a_mapping_gives_prompt_and_label(kind: type[dict[str, str] | UserDict[str, str]]) -> None:
    text = kind({"St. Bernard ": " dog ", "red, car": "vehicle", " ": "nothing"})
    assert parse_text(text) == (Concept("St. Bernard", "dog"), Concept("red, car", "vehicle"))


def test_two_prompts_may_share_a_label() -> None:
    assert [concept.label for concept in parse_text({"car": "vehicle", "truck": "vehicle"})] == ["vehicle"] * 2


def test_two_labels_for_one_prompt_are_an_error() -> None:
    assert parse_text({"Car": "a", "car": "a"}) == (Concept("Car", "a"),)
    with pytest.raises(OptionError, match=r"one label for each prompt, ignoring case, got \{'Car': 'a', 'car': 'b'\}"):
        parse_text({"Car": "a", "car": "b"})


@pytest.mark.parametrize("text", ["", " ", ",. ,\uff0c\u3002", "\x00", "&nbsp;", [], [""], {}, {" ": "cat"}])
def test_nothing_left_is_an_error(text: TextLike) -> None:
    with pytest.raises(EmptyPromptError, match="expected at least one word or one positive box, got the text"):
        parse_text(text)


@pytest.mark.parametrize("text", [None, 5, b"cat", bytearray(b"cat"), {"cat"}, iter(["cat"]), np.array(["cat"])])
def test_another_type_is_an_error(text: TextLike) -> None:
    expected = "text must be a string, a list of strings, or a mapping of prompt to label, got"
    with pytest.raises(OptionError, match=expected):
        parse_text(text)


@pytest.mark.parametrize("text", [["cat", 5], ["cat", None], [["cat"]], {"cat": 5}, {5: "cat"}, {"cat": None}])
def test_an_item_of_another_type_is_an_error(text: TextLike) -> None:
    with pytest.raises(OptionError, match="text must be made of strings, got"):
        parse_text(text)


def test_a_blank_label_is_an_error() -> None:
    with pytest.raises(OptionError, match="text must be a mapping with a label for each prompt, got ' '"):
        parse_text({"cat": " "})


@given(st.lists(word, min_size=1), st.data())
@few
def test_separators_are_all_the_same(words: list[str], data: st.DataObject) -> None:
    separator = st.sampled_from([",", ".", "\uff0c", "\u3002", " , ", ".,", "\uff0c "])
    text = "".join(item + data.draw(separator) for item in words)
    assert prompts(text) == prompts(words)


@given(st.lists(word, min_size=1))
@few
def test_reading_twice_changes_nothing(words: list[str]) -> None:
    once = prompts(words)
    assert prompts(once) == once
    assert len({prompt.lower() for prompt in once}) == len(once)


def test_boxes_alone_go_with_the_references_word() -> None:
    assert VISUAL == "visual"


def test_prompts_need_no_runtime() -> None:
    code = "import sys, sam3_onnx.prompts; print({'tokenizers', 'onnxruntime', 'cv2'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert shown.stdout.strip() == "set()"
