"""The tokenizer gives the ids of SAM 3's reference, and says so when a prompt does not fit."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sam3_onnx.errors import OptionError, PromptTooLongError
from sam3_onnx.prompts.tokenizer import ClipTokenizer, clean, load_tokenizer, pad
from tests.support.places import DATA

START, END, CONTEXT = ClipTokenizer.START, ClipTokenizer.END, ClipTokenizer.CONTEXT

Golden: TypeAlias = dict[str, list[tuple[str, list[int]]]]

any_text = st.text(st.characters(min_codepoint=0, max_codepoint=0x10FFFF, exclude_categories=()), max_size=40)
few = settings(deadline=None, max_examples=100)


@pytest.fixture(scope="module")
def golden() -> Golden:
    """Texts and the reference's ids without start and end, written by tools/tokenizer/make_golden.py."""
    packed = DATA.joinpath("tokenizer", "tokenizer_golden.json.gz").read_bytes()
    loaded: Golden = json.loads(gzip.decompress(packed))
    return loaded


def agrees(text: str, ids: list[int]) -> bool:
    cut = [START, *ids[: CONTEXT - 2], END]
    if load_tokenizer().encode(text, truncate=True) != cut:
        return False
    if len(ids) + 2 <= CONTEXT:
        return load_tokenizer().encode(text) == cut
    with pytest.raises(PromptTooLongError) as caught:
        load_tokenizer().encode(text)
    return caught.value.count == len(ids) + 2


def test_the_ids_are_the_references(golden: Golden) -> None:
    assert len(golden["same"]) > 3000
    assert [text for text, ids in golden["same"] if not agrees(text, ids)] == []


def test_mojibake_is_the_only_listed_difference(golden: Golden) -> None:
    assert len(golden["mojibake"]) > 100
    assert [text for text, ids in golden["mojibake"] if agrees(text, ids)] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a Cat", [320, 2368]),
        ("visual", [7195]),
        ("it\u2019s", [585, 568]),
        ("it's", [585, 568]),
        ("\uff23\uff21\uff34", [2368]),
        ("\ufb01sh", [2759]),
        ("caf\u00e9", [15304]),
        ("cafe\u0301", [15304]),
        ("A&amp;amp;B", [320, 261, 321]),
        ("\x1b[31mcat\x1b[0m", [2368]),
        ("", []),
        (" \u3000\t", []),
        ("<start_of_text>", [START]),
        ("<|startoftext|>", [27, 347, 993, 6659, 4160, 91, 285]),
    ],
)
def test_known_ids(text: str, words: list[int]) -> None:
    assert load_tokenizer().encode(text) == [START, *words, END]


@given(any_text)
@few
def test_ids_are_framed_and_in_range(text: str) -> None:
    ids = load_tokenizer().encode(text, truncate=True)
    assert ids[0] == START
    assert ids[-1] == END
    assert 2 <= len(ids) <= CONTEXT
    assert all(0 <= number <= END for number in ids)


@given(any_text)
@few
def test_clean_text_has_single_spaces_and_no_surrogates(text: str) -> None:
    cleaned = clean(text)
    assert cleaned == " ".join(cleaned.split())
    assert cleaned.encode("utf-8").decode("utf-8") == cleaned


@given(
    st.text(st.characters(max_codepoint=0x24F, exclude_categories=["Cc"], exclude_characters="\u0130&<"), max_size=20)
)
@few
def test_case_does_not_matter(text: str) -> None:
    tokenizer = load_tokenizer()
    assert tokenizer.encode(text, truncate=True) == tokenizer.encode(text.lower(), truncate=True)


@given(
    st.lists(st.sampled_from(["red", "car's", "(", "42", "\u8eca", "\u2019"]), max_size=6),
    st.lists(
        st.sampled_from([" ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "\u2003", "\u2028"]), min_size=7, max_size=7
    ),
)
@few
def test_white_space_is_folded(words: list[str], spaces: list[str]) -> None:
    spaced = "".join(space + word for space, word in zip(spaces, [*words, ""], strict=False))
    assert load_tokenizer().encode(spaced) == load_tokenizer().encode(" ".join(words))


def test_a_long_prompt_is_an_error_with_its_count() -> None:
    fits = " ".join(["cat"] * 30)
    assert load_tokenizer().encode(fits) == [START, *[2368] * 30, END]
    with pytest.raises(PromptTooLongError, match="expected at most 32 tokens with start and end, got 33") as e:
        load_tokenizer().encode(fits + " cat")
    assert e.value.count == 33
    assert load_tokenizer().encode(fits + " dog", truncate=True) == [START, *[2368] * 30, END]


def test_a_word_of_ten_thousand_letters_is_no_trouble() -> None:
    with pytest.raises(PromptTooLongError):
        load_tokenizer().encode("a" * 10_000)


def test_rows_are_padded() -> None:
    padded = pad([[START, 5, END], [START, END]], pad_id=0, length=4)
    assert padded.dtype == np.int64
    assert padded.tolist() == [[START, 5, END, 0], [START, END, 0, 0]]


def test_rows_are_padded_to_the_context_with_any_id() -> None:
    padded = pad([load_tokenizer().encode("cat")], pad_id=END)
    assert padded.shape == (1, CONTEXT)
    assert padded[0, 3:].tolist() == [END] * (CONTEXT - 3)
    assert pad([], pad_id=0).shape == (0, CONTEXT)


def test_a_row_longer_than_the_length_is_an_error() -> None:
    with pytest.raises(OptionError, match="rows of at most 2 ids, got 'a row of 3'"):
        pad([[1, 2], [1, 2, 3]], pad_id=0, length=2)


def test_there_is_one_tokenizer_in_a_process() -> None:
    assert load_tokenizer() is load_tokenizer()


def test_threads_get_the_same_ids() -> None:
    texts = [f"car number {number}" for number in range(200)]
    alone = [load_tokenizer().encode(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ClipTokenizer().encode, texts)) == alone


def test_importing_loads_neither_tokenizers_nor_a_runtime() -> None:
    code = "import sys, sam3_onnx.prompts.tokenizer; print({'tokenizers', 'onnxruntime', 'cv2'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert shown.stdout.strip() == "set()"


def test_the_merge_table_is_the_published_one_cut_short() -> None:
    packed = resources.files("sam3_onnx").joinpath("data", "clip_merges.txt.gz").read_bytes()
    merges = gzip.decompress(packed)
    assert merges.count(b"\n") == 48_894
    assert hashlib.sha256(merges).hexdigest() == "d308b7377a8ceaa9707a21614fe8c831b9196e197b7aeb69833359362907af02"
