"""The miniature's world in motion: generated clips of things that move, cross, hide behind others and come back.

A clip's things are the shapes and coins of `world.py`, drawn once each and then moved, turned and scaled as sprites.
Everything is drawn from one `numpy.random.Generator`, so a seed names a clip.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from world import COIN, COLORS, NO_COLOR, SHAPES, SIDE, background, dark_table, relief, shade_of, silhouette

LEAST_SEEN = 12
"""Pixels of a thing that have to be seen for it to be there; of fewer nobody can say."""
_LEAST_SHOWN = 90
"""Pixels of a thing that have to be seen on the first frame for it to be pointed at."""
_ROOM = 1.5
"""How much larger than a frame the ground is, along each side, for the camera to move over."""
_PATCH = 2
"""Side of a sprite's patch in multiples of the thing's reach."""


@dataclass(frozen=True)
class Plot:
    """What happens in a clip."""

    frames: int
    things: int
    crossings: int = 0
    """Pairs of things that meet in the middle of the clip."""
    twins: bool = False
    """Whether those that meet look the same."""
    hidden: int = 0
    """Frames for which the first thing is behind a bar, fully, or a few more; 0 for no bar."""


@dataclass(frozen=True)
class Clip:
    """Frames, and where each thing is to be seen on them."""

    frames: np.ndarray
    """(T, 3, SIDE, SIDE) uint8 RGB."""
    masks: np.ndarray
    """(N, T, SIDE, SIDE) uint8, coverage 0..255 of what is visible."""
    areas: np.ndarray
    """(N, T) visible pixels of a frame."""

    @property
    def shown(self) -> np.ndarray:
        """Indices of the things that can be pointed at on the first frame."""
        return np.flatnonzero(self.areas[:, 0] >= _LEAST_SHOWN)


@dataclass(frozen=True)
class _Sprite:
    """A thing as it looks, in the middle of a square."""

    paint: np.ndarray
    """(S, S, 3) float32 RGB."""
    cover: np.ndarray
    """(S, S) float32 in 0..1."""


@dataclass(frozen=True)
class _Path:
    """Where the middle of a thing is on each frame, how large and how turned."""

    places: np.ndarray
    """(T, 2) x, y in pixels of the ground, of which the frame is the middle."""
    scales: np.ndarray
    """(T,)."""
    turns: np.ndarray
    """(T,) radians."""


def draw_clip(rng: np.random.Generator, plot: Plot) -> Clip:
    """Draws a clip.

    Args:
        rng: Where all chance comes from.
        plot: What happens.
    """
    gray = rng.random() < 0.1
    ground = dark_table(rng) if rng.random() < 0.15 else background(rng, gray=gray)
    under = ground.reshape(-1, 3).mean(0)
    reaches = [_reach(rng, is_hidden=index == 0 and plot.hidden > 0) for index in range(plot.things)]
    sprites = [_sprite(rng, reach, under) for reach in reaches]
    for pair in range(plot.crossings if plot.twins else 0):
        sprites[2 * pair + 1] = sprites[2 * pair]
    paths = [_path(rng, plot.frames) for _ in range(plot.things)]
    for pair in range(plot.crossings):
        _let_meet(rng, paths[2 * pair], paths[2 * pair + 1])
    order = list(rng.permutation(plot.things))
    actors = [(sprites[index], paths[index]) for index in order]
    if plot.hidden:
        paths[0], bar = _behind_bar(rng, reaches[0], plot, under)
        actors = [
            (sprite, paths[0] if index == 0 else path) for index, (sprite, path) in zip(order, actors, strict=True)
        ]
        actors.append(bar)
    return _filmed(rng, ground, actors, order, gray=gray)


def _reach(rng: np.random.Generator, *, is_hidden: bool) -> float:
    return float(rng.uniform(16, 22) if is_hidden else rng.uniform(17, 46))


def _sprite(rng: np.random.Generator, reach: float, under: np.ndarray) -> _Sprite:
    """A thing of a size, in a colour that stands out from the ground."""
    side = 2 * math.ceil(_PATCH * reach / 2) + 2
    middle = (SIDE / 2, SIDE / 2)
    kind = COIN if rng.random() < 0.2 else str(rng.choice(SHAPES))
    stretch = math.sqrt(rng.uniform(1.55, 2.2)) if kind == "ellipse" else math.exp(rng.uniform(-0.08, 0.08))
    axes = (reach / 1.5 * stretch, reach / 1.5 / stretch)
    cut = slice(SIDE // 2 - side // 2, SIDE // 2 + side // 2)
    cover = silhouette(rng, kind, middle, axes, 0.0)[cut, cut].astype(np.float32) / 255
    if kind == COIN:
        base = _away_from(rng, float(under.mean()))
        tint = ((1, 1, 1), (1.05, 0.9, 0.7), (1.0, 0.75, 0.55))[int(rng.integers(3))]
        return _Sprite(relief(rng, (cut, cut), middle, axes, base)[..., None] * np.array(tint, np.float32), cover)
    return _Sprite(_painted(rng, _standing_out(rng, under), side), cover)


def _away_from(rng: np.random.Generator, under: float) -> float:
    level = float(rng.uniform(85, 225))
    return level if abs(level - under) > 30 else (level + 70 if level < 150 else level - 70)


def _standing_out(rng: np.random.Generator, under: np.ndarray) -> np.ndarray:
    shades = [shade_of(rng, str(color)) for color in rng.permutation([each for each in COLORS if each != NO_COLOR])]
    return max(shades[:2], key=lambda shade: float(min(np.abs(under - shade).sum(), 150)))


def _painted(rng: np.random.Generator, shade: np.ndarray, side: int) -> np.ndarray:
    """A colour, graded or grainy, (side, side, 3) float32."""
    paint = np.broadcast_to(shade, (side, side, 3)).astype(np.float32)
    style = rng.random()
    if style < 0.35:
        paint = paint * (1 + np.linspace(-0.12, 0.12, side, dtype=np.float32)[:, None, None] * rng.uniform(0.3, 1))
    elif style < 0.55:
        paint = paint + (rng.standard_normal((side, side), dtype=np.float32) * rng.uniform(2, 10))[..., None]
    return paint


def _path(rng: np.random.Generator, frames: int) -> _Path:
    """A steady way with a sway, which at times leaves the picture and comes back."""
    when = np.arange(frames) - rng.uniform(0, frames)
    speed, angle = rng.uniform(0, 7) * (rng.random() < 0.85), rng.uniform(0, 2 * np.pi)
    where = rng.uniform(0.1 * SIDE, 0.9 * SIDE, 2)
    places = where + when[:, None] * speed * np.array([math.cos(angle), math.sin(angle)])
    places = _turned_back(places, rng.uniform(-30, 25))
    sway = rng.uniform(0, 8) * np.sin(when * rng.uniform(0.2, 0.8) + rng.uniform(0, 6))
    places = places + sway[:, None] * np.array([-math.sin(angle), math.cos(angle)])
    places = places + rng.standard_normal((frames, 2)) * rng.uniform(0, 1)
    return _Path(places, *_poses(rng, frames))


def _turned_back(places: np.ndarray, margin: float) -> np.ndarray:
    """The same way, reflected where it comes as near as `margin` to an edge of the picture; below 0 it leaves."""
    width = SIDE - 2 * margin
    folded = np.mod(places - margin, 2 * width)
    return margin + np.where(folded < width, folded, 2 * width - folded)


def _poses(rng: np.random.Generator, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Scales and turns of a thing, which change slowly."""
    grown = np.exp(np.clip(np.cumsum(rng.normal(0, 0.03, frames)) * (rng.random() < 0.5), -0.35, 0.35))
    turned = rng.uniform(0, 2 * np.pi) + np.arange(frames) * rng.normal(0, 0.08) * (rng.random() < 0.6)
    return grown, turned


def _let_meet(rng: np.random.Generator, one: _Path, other: _Path) -> None:
    """Moves two ways so that they meet near the middle of the clip, somewhere in the picture."""
    meeting = rng.uniform(0.3 * SIDE, 0.7 * SIDE, 2)
    when = len(one.places) // 2
    for path in (one, other):
        path.places[:] += meeting + rng.uniform(-6, 6, 2) - path.places[when]


def _behind_bar(
    rng: np.random.Generator, reach: float, plot: Plot, under: np.ndarray
) -> tuple[_Path, tuple[_Sprite, _Path]]:
    """A way straight across a bar that hides the thing fully for the frames of the plot, and the bar."""
    speed = rng.uniform(3.0, min(8.0, 90 / plot.hidden))
    angle = rng.uniform(0, 2 * np.pi)
    along = np.array([math.cos(angle), math.sin(angle)])
    half = (speed * (plot.hidden - 0.5) + 2 * reach) / 2
    middle = np.full(2, SIDE / 2) + rng.uniform(-12, 12, 2)
    in_middle = rng.uniform(0.42, 0.58) * (plot.frames - 1)
    places = middle + (np.arange(plot.frames) - in_middle)[:, None] * speed * along
    still = np.ones(plot.frames)
    side = 2 * SIDE
    cover = np.zeros((side, side), np.float32)
    cover[:, int(SIDE - half) : math.ceil(SIDE + half)] = 1
    bar = _Sprite(_painted(rng, _standing_out(rng, under), side), cover)
    where = np.repeat(middle[None], plot.frames, 0)
    thing = _Path(places, still, rng.uniform(0, 2 * np.pi) + np.zeros(plot.frames))
    return thing, (bar, _Path(where, still, np.full(plot.frames, angle)))


def _filmed(
    rng: np.random.Generator,
    ground: np.ndarray,
    actors: list[tuple[_Sprite, _Path]],
    order: list[int],
    *,
    gray: bool,
) -> Clip:
    """What a camera that moves a little sees of the ground and of things on it, those behind first.

    Args:
        rng: Where all chance comes from.
        ground: (SIDE, SIDE, 3) float32.
        actors: Things from behind to the front; those beyond `order` only hide others.
        order: Which thing of the clip each of the actors is.
        gray: Whether the camera has no colours.
    """
    count = len(actors[0][1].places)
    drift = np.cumsum(rng.normal(0, 1.2, (count, 2)), 0) * (rng.random() < 0.5)
    zoom = np.exp(np.linspace(0, rng.normal(0, 0.06), count) * (rng.random() < 0.4))
    light = 1 + np.linspace(0, rng.normal(0, 0.08), count) + rng.normal(0, 0.01, count) * (rng.random() < 0.4)
    grain, blur = rng.uniform(0, 5) * (rng.random() < 0.4), rng.uniform(0.4, 1.0) * (rng.random() < 0.2)
    frames = np.empty((count, 3, SIDE, SIDE), np.uint8)
    masks = np.zeros((len(order), count, SIDE, SIDE), np.uint8)
    areas = np.zeros((len(order), count), np.int64)
    for when in range(count):
        camera = np.array([[zoom[when], 0, drift[when, 0]], [0, zoom[when], drift[when, 1]], [0, 0, 1]])
        picture = _warped(ground, camera @ _enlarged())
        covers: list[np.ndarray] = []
        for sprite, path in actors:
            _put(picture, covers, sprite, camera @ _pose(sprite, path, when))
        for thing, cover in zip(order, covers, strict=False):
            masks[thing, when] = np.round(cover * 255)
            areas[thing, when] = np.count_nonzero(cover > 0.5)
        picture = cv2.GaussianBlur(picture, (0, 0), blur) if blur else picture
        picture = picture * light[when] + rng.standard_normal((SIDE, SIDE, 1), dtype=np.float32) * grain
        picture = np.repeat(picture.mean(2, keepdims=True), 3, 2) if gray else picture
        frames[when] = np.clip(picture, 0, 255).astype(np.uint8).transpose(2, 0, 1)
    return Clip(frames, masks, areas)


def _enlarged() -> np.ndarray:
    """(3, 3): the ground, which is larger than the frame, with their middles together."""
    shift = SIDE / 2 * (1 - _ROOM)
    return np.array([[_ROOM, 0, shift], [0, _ROOM, shift], [0, 0, 1]])


def _pose(sprite: _Sprite, path: _Path, when: int) -> np.ndarray:
    """(3, 3): pixels of a sprite to pixels of the ground."""
    middle = len(sprite.cover) / 2
    cos, sin = (path.scales[when] * part(path.turns[when]) for part in (math.cos, math.sin))
    x, y = path.places[when]
    turned = np.array([[cos, -sin, x], [sin, cos, y], [0, 0, 1]])
    return turned @ np.array([[1, 0, -middle], [0, 1, -middle], [0, 0, 1]])


def _warped(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return cv2.warpAffine(image, matrix[:2], (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def _put(picture: np.ndarray, covers: list[np.ndarray], sprite: _Sprite, matrix: np.ndarray) -> None:
    """Draws a sprite over a picture and over what was there before it."""
    side = len(sprite.cover)
    corners = matrix[:2] @ np.array([[0, side, 0, side], [0, 0, side, side], [1, 1, 1, 1]])
    left, top = np.clip(np.floor(corners.min(1)).astype(int), 0, SIDE)
    right, bottom = np.clip(np.ceil(corners.max(1)).astype(int) + 1, 0, SIDE)
    cover = np.zeros((SIDE, SIDE), np.float32)
    covers.append(cover)
    if right <= left or bottom <= top:
        return
    moved = matrix[:2].copy()
    moved[:, 2] -= left, top
    size = (int(right - left), int(bottom - top))
    window = slice(top, bottom), slice(left, right)
    cover[window] = cv2.warpAffine(sprite.cover, moved, size, flags=cv2.INTER_LINEAR)
    paint = cv2.warpAffine(sprite.paint, moved, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    picture[window] += (paint - picture[window]) * cover[window][..., None]
    for earlier in covers[:-1]:
        earlier[window] *= 1 - cover[window]
