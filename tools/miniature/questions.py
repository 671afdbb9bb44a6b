"""What can be asked about a scene, and which of its objects are the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from vocabulary import ARTICLES, EVERYTHING, PLURALS, VISUAL
from world import COIN, COLORS, NO_COLOR, SHAPES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from world import Scene, Thing

ASKED = ("both", "shape", "color", "box", "negative", "absent")
"""Kinds of questions: colour and shape; shape; colour; boxes of examples; a word with a box of
what to leave out; something that is not there."""
NO_BOX = -10
MOST_BOXES = 3
STRANGERS = (
    *("dog", "car", "person", "tree", "house", "banana", "face", "bottle", "cup", "hand", "window", "cat"),
    *("wheel", "flower", "bird", "chair", "leaf", "number", "plate", "street sign", "traffic light"),
)
"""Words that the world does not have: all become the one unknown word."""


@dataclass(frozen=True)
class Question:
    """One prompt about a scene with its answer."""

    kind: str
    """One of ASKED."""
    text: str
    boxes: np.ndarray
    """(N, 4) float32, cxcywh in 0..1."""
    labels: np.ndarray
    """(N,) int64, 1 positive and 0 negative."""
    answer: tuple[int, ...]
    """Indices into the scene's things."""


def _phrase(rng: np.random.Generator, kind: str, color: str) -> str:
    noun = kind
    if noun and rng.random() < 0.35:
        noun = PLURALS[noun]
    if not noun and rng.random() < 0.15:
        noun = str(rng.choice(EVERYTHING))
    words = f"{color} {noun}".strip()
    return words if rng.random() < 0.7 else f"{rng.choice(ARTICLES)} {words}"


def _without_boxes(kind: str, text: str, answer: Sequence[int]) -> Question:
    return Question(kind, text, np.zeros((0, 4), np.float32), np.zeros(0, np.int64), tuple(answer))


def _indices(things: Sequence[Thing], wanted: Callable[[Thing], bool]) -> tuple[int, ...]:
    return tuple(index for index, thing in enumerate(things) if wanted(thing))


def _nameable(things: Sequence[Thing]) -> list[str]:
    """Kinds that a word names without doubt: among coins, "circle" is left alone."""
    kinds = {thing.kind for thing in things}
    return sorted(kinds - {"circle"} if COIN in kinds else kinds)


def ask_both(rng: np.random.Generator, scene: Scene) -> Question | None:
    """Asks for a colour and a shape that are there together."""
    colored = [thing for thing in scene.things if thing.color]
    if not colored:
        return None
    wanted = colored[int(rng.integers(len(colored)))]
    answer = _indices(scene.things, lambda thing: thing.concept == wanted.concept)
    return _without_boxes("both", _phrase(rng, wanted.kind, wanted.color), answer)


def ask_shape(rng: np.random.Generator, scene: Scene) -> Question | None:
    """Asks for a kind that is there, now and then for every shape."""
    kinds = _nameable(scene.things)
    if not kinds:
        return None
    if COIN not in kinds and rng.random() < 0.04:
        return _without_boxes("shape", str(rng.choice(EVERYTHING)), range(len(scene.things)))
    kind = str(rng.choice(kinds))
    return _without_boxes(
        "shape", _phrase(rng, kind, NO_COLOR), _indices(scene.things, lambda thing: thing.kind == kind)
    )


def ask_color(rng: np.random.Generator, scene: Scene) -> Question | None:
    """Asks for a colour that is there."""
    colors = sorted({thing.color for thing in scene.things} - {NO_COLOR})
    if not colors:
        return None
    color = str(rng.choice(colors))
    return _without_boxes("color", _phrase(rng, "", color), _indices(scene.things, lambda thing: thing.color == color))


def ask_absent(rng: np.random.Generator, scene: Scene) -> Question:
    """Asks for what is not there: preferably one step away from what is."""
    concepts = {thing.concept for thing in scene.things}
    kinds, colors = {kind for kind, _ in concepts}, {color for _, color in concepts} - {NO_COLOR}
    for _ in range(20):
        dice = rng.random()
        if dice < 0.10:
            stranger = str(rng.choice(STRANGERS))
            text = stranger if rng.random() < 0.7 else f"{rng.choice(COLORS)} {stranger}"
            return _without_boxes("absent", text, ())
        kind = str(rng.choice(sorted(kinds - {COIN}) if kinds - {COIN} and rng.random() < 0.6 else SHAPES))
        color = str(rng.choice(sorted(colors) if colors and rng.random() < 0.6 else COLORS))
        if dice < 0.55 and (kind, color) not in concepts and not (kind == "circle" and COIN in kinds):
            return _without_boxes("absent", _phrase(rng, kind, color), ())
        if 0.55 <= dice < 0.85:
            kind = str(rng.choice((*SHAPES, COIN, COIN)))
            if kind not in kinds and not (kind == "circle" and COIN in kinds):
                return _without_boxes("absent", _phrase(rng, kind, NO_COLOR), ())
        if dice >= 0.85 and color not in colors and COIN not in kinds:
            return _without_boxes("absent", _phrase(rng, "", color), ())
    return _without_boxes("absent", str(rng.choice(STRANGERS)), ())


def _sketched(rng: np.random.Generator, box: np.ndarray) -> np.ndarray:
    """A box as a hand draws it: edges off by some 4 % of its size."""
    noise = rng.normal(0, 0.04, 4) * np.array([box[2], box[3], box[2], box[3]])
    return np.clip(box + noise, 0.005, 0.995).astype(np.float32)


def ask_box(rng: np.random.Generator, scene: Scene, *, avoid: tuple[str, str] | None = None) -> Question | None:
    """Shows an example or two, at times with a counterexample; the answer is all that is like it.

    Args:
        rng: Where all chance comes from.
        scene: What is asked about.
        avoid: A concept not to ask for, if there is another.

    Returns:
        The question, or None in an empty scene.
    """
    things = scene.things
    candidates = [thing for thing in things if thing.concept != avoid] or list(things)
    if not candidates:
        return None
    concepts = sorted({thing.concept for thing in candidates})
    wanted = concepts[int(rng.integers(len(concepts)))]
    like = _indices(things, lambda thing: thing.concept == wanted)
    unlike = _indices(things, lambda thing: thing.concept != wanted)
    shown = [int(index) for index in rng.permutation(like)[: 2 if rng.random() < 0.25 else 1]]
    boxes, labels = [_sketched(rng, things[index].box) for index in shown], [1] * len(shown)
    if unlike and rng.random() < 0.2:
        boxes.append(_sketched(rng, things[int(rng.choice(unlike))].box))
        labels.append(0)
    text = VISUAL if rng.random() < 0.9 else f"{wanted[1]} {wanted[0]}".strip()
    return Question("box", text, np.stack(boxes), np.array(labels, np.int64), like)


def ask_negative(rng: np.random.Generator, scene: Scene) -> Question | None:
    """Asks for a word, less what is like the thing in a negative box."""
    things = scene.things
    colors = sorted({thing.color for thing in things} - {NO_COLOR})
    choices = [
        (kind, NO_COLOR, _indices(things, lambda thing, kind=kind: thing.kind == kind)) for kind in _nameable(things)
    ] + [("", color, _indices(things, lambda thing, color=color: thing.color == color)) for color in colors]
    choices = [choice for choice in choices if len({things[index].concept for index in choice[2]}) > 1]
    if not choices:
        return None
    kind, color, named = choices[int(rng.integers(len(choices)))]
    concepts = sorted({things[index].concept for index in named})
    left_out = concepts[int(rng.integers(len(concepts)))]
    shown = [index for index in named if things[index].concept == left_out]
    box = _sketched(rng, things[int(rng.choice(shown))].box)
    answer = tuple(index for index in named if index not in shown)
    return Question("negative", _phrase(rng, kind, color), box[None], np.zeros(1, np.int64), answer)


def ask(rng: np.random.Generator, scene: Scene, kind: str) -> Question | None:
    """Asks one question of the given kind, or None where the scene does not allow it."""
    return {
        "both": ask_both,
        "shape": ask_shape,
        "color": ask_color,
        "box": ask_box,
        "negative": ask_negative,
        "absent": ask_absent,
    }[kind](rng, scene)


def ask_five(rng: np.random.Generator, scene: Scene) -> list[Question]:
    """Five questions about one scene that contrast with one another.

    The same scene is asked for different words and for different examples, so
    that only the prompt can tell the answers apart.
    """
    first = ask_both(rng, scene) or ask_box(rng, scene) or ask_absent(rng, scene)
    second = ask_shape(rng, scene) or ask_absent(rng, scene)
    third = ask_absent(rng, scene) if rng.random() < 0.7 else ask_color(rng, scene) or ask_absent(rng, scene)
    fourth = ask_box(rng, scene) or ask_absent(rng, scene)
    shown = scene.things[fourth.answer[0]].concept if fourth.answer else None
    fifth = ask_negative(rng, scene) if rng.random() < 0.75 else None
    fifth = fifth or ask_box(rng, scene, avoid=shown) or ask_absent(rng, scene)
    return [first, second, third, fourth, fifth]
