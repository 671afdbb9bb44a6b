"""A folder that grows beside its place is there whole, or leaves no trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sam3_onnx._support.drafts import draft_beside, parents_made

if TYPE_CHECKING:
    from pathlib import Path


def test_a_draft_is_a_hidden_neighbour_that_can_take_the_place_in_one_step(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "target"
    with draft_beside(target) as draft:
        assert (draft.parent, draft.name[0]) == (target.parent, ".")
        (draft / "file").write_bytes(b"x")
        assert not target.exists()
        draft.rename(target)
    assert [path.name for path in target.parent.iterdir()] == ["target"]
    assert (target / "file").read_bytes() == b"x"


def test_what_is_left_in_a_draft_goes(tmp_path: Path) -> None:
    with draft_beside(tmp_path / "target") as draft:
        (draft / "sub").mkdir()
        (draft / "sub" / "file").write_bytes(b"x")
    assert list(tmp_path.iterdir()) == []


def test_a_block_that_raises_takes_the_draft_and_the_folders_made_for_it_with_it(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(KeyboardInterrupt), draft_beside(tmp_path / "there" / "a" / "b" / "target") as draft:  # noqa: PT012 - the block is what fails
        (draft / "file").write_bytes(b"x")
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]


def test_a_folder_that_somebody_else_has_filled_meanwhile_stays(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"), parents_made(tmp_path / "a" / "b" / "file"):  # noqa: PT012 - the block is what fails
        (tmp_path / "a" / "theirs").write_bytes(b"x")
        raise ValueError("no")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["theirs"]
