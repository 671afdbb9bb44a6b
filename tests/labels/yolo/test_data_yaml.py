"""The names of a trainer's data.yaml are what PyYAML, and so ultralytics, reads; or the file is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sam3_onnx.errors import LabelFileDamagedError
from sam3_onnx.labels import read_classes

if TYPE_CHECKING:
    from pathlib import Path

WORD = st.text(alphabet="abcxyzÄ車 _-0123#:'\"", min_size=1, max_size=12)
ANY = st.one_of(WORD, st.text(max_size=12))


def read(folder: Path, text: str) -> tuple[str, ...]:
    path = folder / "data.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return read_classes(path)


@pytest.mark.parametrize(
    "text",
    [
        "names: ['person', 'traffic light']\nnc: 2\n",
        "names: [person, traffic light]",
        "names:\n- person\n- traffic light\n",
        "names:\n  - person  # a comment\n\n  # another\n  - 'traffic light'\n",
        "# Ultralytics\npath: ../x # root\nnames:\n  0: person\n  1: traffic light\n\ndownload: |\n  names: no\n",
        "names: {0: person, 1: traffic light}",
        'names: {"0": "person", "1": "traffic\\x20light"}\r\n',
        "names:\n  1: traffic light\n  0: person\n",
        "names: [\n  person,\n  traffic\n  light, # last\n]\nnc: 2",
        '{"path": "x", "names": ["person", "traffic light"], "nc": 2, "kpt_shape": [17, 3]}',
        "\ufeff---\nnc: 2\n'names': [person, traffic light]\n",
    ],
)
def test_the_forms_that_trainers_write_are_read(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == ("person", "traffic light")


@pytest.mark.parametrize(
    "text",
    [
        "names: {0: a, 2: c}",
        "names: {-1: a, 0: b}",
        "names: {a: 0}",
        "names:\n  0: a\n  0: b\n",
        "names: [a, b]\nnc: 3",
        "nc: 2",
        "names: [yes, no]",
        "names: [1.50]",
        "names: [~]",
        "names: [a, [b]]",
        "names: coco.names",
        "names: &x [a]",
        "names: [a, b",
        "names: ['a]",
        "names:\n",
        "names:\n  - a: b\n",
        "names:\n  - a\n    b\n",
        "names: [a]\nnames: [b]\n",
        "names: [a\u2028b]",
        '{"names": ["a"], "names": ["b"]}',
        "train: x",
        "[" * 100_000,
        '{"names":' + "[" * 100_000,
    ],
)
def test_any_other_form_is_refused_and_the_file_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(LabelFileDamagedError, match=r"data\.yaml"):
        read(tmp_path, text)


@settings(deadline=None, max_examples=200)
@given(
    names=st.lists(ANY, max_size=20),
    is_mapping=st.booleans(),
    flow=st.sampled_from([None, True, False]),
    is_ascii=st.booleans(),
)
def test_what_is_read_is_what_pyyaml_reads(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], *, flow: bool | None, is_mapping: bool, is_ascii: bool
) -> None:
    content = {"path": "x", "names": dict(enumerate(names)) if is_mapping else names, "nc": len(names)}
    text = yaml.dump(content, default_flow_style=flow, allow_unicode=not is_ascii)
    try:
        found = read(tmp_path_factory.mktemp("yaml"), text)
    except LabelFileDamagedError:
        return
    said = yaml.safe_load(text)["names"]
    assert found == tuple(said[number] for number in range(len(names)))


def test_plain_words_are_never_refused(tmp_path: Path) -> None:
    names = ["person", "stop sign", "7", "60+", "0-18", "t-shirt", "a.b", "Ä", "車", "don't", "x:y", "a#b"]
    for flow in (True, False):
        (listed,) = yaml.dump([names], default_flow_style=flow, width=999).splitlines() if flow else [""]
        text = f"names: {listed[1:-1]}\n" if flow else yaml.dump({"names": names}, default_flow_style=False)
        assert read(tmp_path, text) == tuple(names)
