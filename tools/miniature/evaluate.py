"""Measures a miniature bundle through the library: `python tools/miniature/evaluate.py [FOLDER]`.

Scenes are unseen ones with at least two kinds of objects, questions those whose
answer is a strict subset of them. An instance counts as found if its mask and a
wanted object's overlap with an IoU of at least 0.5.

`--precision bfloat16`, or `--precision image_encoder=bfloat16`, measures another precision, and how far
its scores are from those of float32; `--provider` chooses who computes it. A bundle that `optimize` made is held
against the one that it was made of by `--against FOLDER`.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from questions import ASKED, ask
from score_changes import ScoreChanges, against_float32
from vocabulary import VISUAL
from world import SIDE, draw_scene

from sam3_onnx import Box, Sam3Session
from sam3_onnx.cli.opening import precision_of
from sam3_onnx.geometry import mask_iou_matrix, rle_to_mask
from sam3_onnx.models.runtime.settings import RuntimeSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from questions import Question
    from world import Scene

ROOT = Path(__file__).parent.parent.parent
SHIPPED = ROOT / "src" / "sam3_onnx" / "data" / "miniature"
COINS = ROOT / "examples" / "pictures" / "coins.png"
COINS_TRUTH = ROOT / "tests" / "data" / "miniature" / "coins_truth.json"
SEED = 20_000_003
"""No training step has it: those seeds are triples."""


@dataclass
class Tally:
    """Counts of one kind of question."""

    questions: int = 0
    wanted: int = 0
    found: int = 0
    right: int = 0

    def add(self, found: NDArray[np.bool_], wanted: NDArray[np.bool_]) -> None:
        """Counts one answer; masks are (N, H, W)."""
        self.questions += 1
        self.wanted += len(wanted)
        self.found += len(found)
        self.right += matched(found, wanted)

    @property
    def figures(self) -> dict[str, float]:
        """Precision, recall, F1."""
        precision, recall = self.right / max(1, self.found), self.right / max(1, self.wanted)
        f1 = 2 * self.right / max(1, self.found + self.wanted)
        return {"questions": self.questions, "precision": precision, "recall": recall, "F1": f1}


def matched(found: NDArray[np.bool_], wanted: NDArray[np.bool_], least: float = 0.5) -> int:
    """How many found masks have a wanted one to themselves; best pairs first."""
    if not len(found) or not len(wanted):
        return 0
    overlaps = mask_iou_matrix(found, wanted)
    pairs = 0
    while overlaps.size and overlaps.max() >= least:
        row, col = np.unravel_index(overlaps.argmax(), overlaps.shape)
        overlaps[row], overlaps[:, col] = -1, -1
        pairs += 1
    return pairs


def questions_of(kind: str, count: int) -> Iterator[tuple[Scene, Question]]:
    """Questions of one kind whose answer is a strict subset of a scene of at least two concepts."""
    rng = np.random.default_rng([SEED, ASKED.index(kind)])
    while count:
        scene = draw_scene(rng)
        if len({thing.concept for thing in scene.things}) < 2:
            continue
        question = ask(rng, scene, kind)
        if question is None or (kind != "absent" and not 0 < len(question.answer) < len(scene.things)):
            continue
        count -= 1
        yield scene, question


def ask_session(session: Sam3Session, scene: Scene, question: Question, *, boxes: bool = True) -> NDArray[np.bool_]:
    """The masks that the library answers with."""
    shown = []
    for (x, y, w, h), label in zip(question.boxes * SIDE, question.labels, strict=True):
        shown.append(Box(x - w / 2, y - h / 2, x + w / 2, y + h / 2, positive=bool(label)))
    text = None if question.text == VISUAL else [question.text]
    return session.predict(scene.picture, text, boxes=shown if boxes else None).masks


def masks_of(scene: Scene, answer: tuple[int, ...]) -> NDArray[np.bool_]:
    """Wanted masks (N, SIDE, SIDE)."""
    return np.array([scene.things[index].mask > 127 for index in answer]).reshape(-1, SIDE, SIDE)


def evaluate(session: Sam3Session, count: int, moved: ScoreChanges | None = None) -> dict[str, dict[str, float]]:
    """One row per kind of question, and what ignoring negative boxes would give; `moved` gets every question."""
    table: dict[str, dict[str, float]] = {}
    for kind in ASKED:
        tally, ignoring, silent = Tally(), Tally(), 0
        for scene, question in questions_of(kind, count):
            wanted = masks_of(scene, question.answer)
            found = ask_session(session, scene, question)
            tally.add(found, wanted)
            silent += not len(found)
            if moved is not None:
                moved.add(scene, question)
            if kind == "negative":
                ignoring.add(ask_session(session, scene, question, boxes=False), wanted)
        if kind == "absent":
            table[kind] = {"questions": count, "silent": silent / count}
        else:
            table[kind] = tally.figures
        if kind == "negative":
            table["negative, box ignored"] = ignoring.figures
        print(kind, {name: round(value, 3) for name, value in table[kind].items()}, flush=True)
    return table


def evaluate_coins(session: Sam3Session) -> dict[str, float]:
    """The photograph of 24 coins."""
    truth = np.array([rle_to_mask(rle) for rle in json.loads(COINS_TRUTH.read_text())["coins"]])
    result = session.predict(COINS, "coin")
    right = matched(result.masks, truth)
    return {"coins": len(truth), "found": len(result), "right": right, "false": len(result) - right}


def main() -> None:
    """Prints the table and writes it as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=SHIPPED)
    parser.add_argument("--count", type=int, default=300, help="questions of each kind")
    parser.add_argument("--conf", type=float, default=0.5)
    parser.add_argument("--json", type=Path, help="where to write the table")
    parser.add_argument("--provider", default="auto", help="what computes (default: auto)")
    told = "a bundle in float32 that scores are held against (default: FOLDER itself)"
    parser.add_argument("--against", type=Path, metavar="BUNDLE", help=told)
    parser.add_argument("--precision", type=precision_of, default="auto", help="a word, or parts with words")
    options = parser.parse_args()
    settings = RuntimeSettings(options.provider, 1, options.precision)
    with Sam3Session.from_folder(
        options.folder, conf_threshold=options.conf, threads=1, provider=options.provider, precision=options.precision
    ) as session:
        session.load()
        ways = {role: f"{names[0]} {session.precisions[role]}" for role, names in session.providers.items()}
        print(ways)
        is_exact = options.against is None and set(ways.values()) == {"CPUExecutionProvider float32"}
        moved = None if is_exact else against_float32(options.folder, settings, options.against or options.folder)
        table = {"coins photograph": evaluate_coins(session)}
        print(table)
        table |= evaluate(session, options.count, moved)
    if moved is not None:
        table["against float32"] = moved.figures
        print(json.dumps(moved.figures))
    print(json.dumps(table["negative, box ignored"]))
    if options.json:
        options.json.write_text(json.dumps(table, indent=2) + "\n")


if __name__ == "__main__":
    main()
