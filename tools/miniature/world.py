"""What the miniature's world looks like: generated scenes of coloured shapes and of coins.

A scene is a 224 x 224 RGB picture with its objects. Everything is drawn from one
`numpy.random.Generator`, so a seed names a scene.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

SIDE = 224
"""Height and width of a scene in pixels; the model's input size."""
MASK_SIDE = SIDE // 14 * 4
"""Height and width of the model's mask logits."""

COLORS = ("red", "green", "blue", "yellow", "orange", "purple", "white", "black")
SHAPES = ("circle", "square", "triangle", "star", "ellipse", "ring", "cross")
COIN = "coin"
KINDS = (*SHAPES, COIN)
NO_COLOR = ""

_SUBPIXEL_BITS = 4
_MIN_RADIUS = 11.5
_VISIBLE_SHARE = 0.5
_MIN_AREA = 90
_ROWS, _COLS = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) / SIDE - 0.5


@dataclass(frozen=True)
class Thing:
    """One visible object of a scene."""

    kind: str
    """One of KINDS."""
    color: str
    """One of COLORS, or NO_COLOR for a coin."""
    mask: np.ndarray
    """(SIDE, SIDE) uint8, coverage 0..255 of what is visible."""
    box: np.ndarray
    """(4,) float32, cxcywh in 0..1 of what is visible."""

    @property
    def concept(self) -> tuple[str, str]:
        """What "everything like it" means: the same kind in the same colour."""
        return self.kind, self.color


@dataclass(frozen=True)
class Scene:
    """A picture and what is to be seen in it."""

    picture: np.ndarray
    """(SIDE, SIDE, 3) uint8 RGB."""
    things: tuple[Thing, ...]


@dataclass(frozen=True)
class _Plan:
    """What is going to be drawn, before it has found its place."""

    kind: str
    color: str
    smallest: float
    largest: float
    place: tuple[float, float] | None = None


def _hsv(hue: float, saturation: float, value: float) -> np.ndarray:
    pixel = np.array([[[hue % 360, saturation, value]]], np.float32)
    return cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0] * 255


_HSV_RANGES = {
    "red": ((-7, 7), (0.75, 1), (0.65, 1)),
    "orange": ((24, 35), (0.8, 1), (0.88, 1)),
    "yellow": ((53, 61), (0.7, 1), (0.88, 1)),
    "green": ((95, 150), (0.6, 1), (0.45, 0.95)),
    "blue": ((208, 238), (0.65, 1), (0.6, 1)),
    "purple": ((274, 298), (0.5, 0.95), (0.45, 0.9)),
}


def shade_of(rng: np.random.Generator, color: str) -> np.ndarray:
    """One of the many shades (3,) in 0..255 that a colour of COLORS has."""
    if color == "white":
        return np.full(3, rng.uniform(238, 255)) + rng.uniform(-3, 3, 3)
    if color == "black":
        return np.full(3, rng.uniform(0, 30)) + rng.uniform(-3, 3, 3)
    return _hsv(*(rng.uniform(*bounds) for bounds in _HSV_RANGES[color]))


def _clouds(rng: np.random.Generator, cells: int) -> np.ndarray:
    return cv2.resize(
        rng.standard_normal((cells, cells)).astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC
    )


def _slope(rng: np.random.Generator) -> np.ndarray:
    angle = rng.uniform(0, 2 * np.pi)
    return _COLS * np.cos(angle) + _ROWS * np.sin(angle)


def background(rng: np.random.Generator, *, gray: bool) -> np.ndarray:
    """A ground (SIDE, SIDE, 3) float32: plain, graded or cloudy, at times grainy."""

    def tone() -> np.ndarray:
        value = rng.uniform(40, 215)
        if gray:
            return np.full(3, value)
        return np.clip(_hsv(rng.uniform(0, 360), rng.uniform(0, 0.35), value / 255.0), 5, 235)

    base, style = tone(), rng.random()
    if style < 0.3:
        canvas = np.broadcast_to(base, (SIDE, SIDE, 3))
    elif style < 0.65:
        other = tone() if rng.random() < 0.5 else np.clip(base + rng.uniform(-50, 50), 20, 225)
        mix = np.clip(_slope(rng) + 0.5, 0, 1)[..., None]
        canvas = base * (1 - mix) + other * mix
    else:
        canvas = base + (_clouds(rng, int(rng.integers(3, 12))) * rng.uniform(5, 18))[..., None]
    if rng.random() < 0.4:
        canvas = canvas + (rng.standard_normal((SIDE, SIDE), dtype=np.float32) * rng.uniform(2, 10))[..., None]
    return np.ascontiguousarray(canvas, np.float32)


def dark_table(rng: np.random.Generator) -> np.ndarray:
    """A ground (SIDE, SIDE, 3) float32 as under coins in a museum."""
    level = rng.uniform(15, 90) + rng.uniform(0, 60) * _slope(rng)
    level = level + _clouds(rng, int(rng.integers(2, 6))) * rng.uniform(0, 8)
    level = level + rng.standard_normal((SIDE, SIDE), dtype=np.float32) * rng.uniform(0, 6)
    return np.repeat(level[..., None], 3, axis=2).astype(np.float32)


def _spikes(outer: float, inner: float, points: int) -> list[tuple[float, float]]:
    angles = [-math.pi / 2 + step * math.pi / points for step in range(2 * points)]
    radii = [outer if step % 2 == 0 else inner for step in range(2 * points)]
    return [(radius * math.cos(angle), radius * math.sin(angle)) for radius, angle in zip(radii, angles, strict=True)]


_ARM = 0.36
_OUTLINES = {
    "square": [(-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)],
    "triangle": [(0.0, -1.1), (0.953, 0.55), (-0.953, 0.55)],
    "star": _spikes(1.1, 0.46, 5),
    "cross": [
        *((-_ARM, -1), (_ARM, -1), (_ARM, -_ARM), (1, -_ARM), (1, _ARM), (_ARM, _ARM)),
        *((_ARM, 1), (-_ARM, 1), (-_ARM, _ARM), (-1, _ARM), (-1, -_ARM), (-_ARM, -_ARM)),
    ],
}


def _fill(mask: np.ndarray, outline: np.ndarray) -> None:
    corners = np.round(outline * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    cv2.fillPoly(mask, [corners], 255, cv2.LINE_AA, _SUBPIXEL_BITS)


def silhouette(
    rng: np.random.Generator, kind: str, center: tuple[float, float], axes: tuple[float, float], turn: float
) -> np.ndarray:
    """Coverage (SIDE, SIDE) uint8 of a thing of one of KINDS."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    if kind == COIN:
        angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        phase, dent = rng.uniform(0, 2 * np.pi, 3), rng.uniform(0, 0.035)
        waves = sum(share * np.sin(n * angle + p) for n, share, p in zip((2, 3, 5), (1, 0.7, 0.5), phase, strict=True))
        rim = 1 + dent * waves
        _fill(mask, np.stack([center[0] + axes[0] * rim * np.cos(angle), center[1] + axes[1] * rim * np.sin(angle)], 1))
    elif kind in _OUTLINES:
        outline = np.array(_OUTLINES[kind]) * axes
        rotation = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
        _fill(mask, outline @ rotation + center)
    else:
        scale = 1 << _SUBPIXEL_BITS
        middle = (int(center[0] * scale), int(center[1] * scale))
        whole = (int(axes[0] * scale), int(axes[1] * scale))
        cv2.ellipse(mask, middle, whole, math.degrees(turn), 0, 360, 255, -1, cv2.LINE_AA, _SUBPIXEL_BITS)
        if kind == "ring":
            share = rng.uniform(0.5, 0.66)
            hole = (int(whole[0] * share), int(whole[1] * share))
            cv2.ellipse(mask, middle, hole, math.degrees(turn), 0, 360, 0, -1, cv2.LINE_AA, _SUBPIXEL_BITS)
    return mask


def relief(
    rng: np.random.Generator,
    window: tuple[slice, slice],
    center: tuple[float, float],
    axes: tuple[float, float],
    base: float,
) -> np.ndarray:
    """Grey levels of a worn coin face: embossed figure, rim, wear."""
    u = (_COLS[window] + 0.5) * SIDE - center[0]
    v = (_ROWS[window] + 0.5) * SIDE - center[1]
    u, v = u / axes[0], v / axes[1]
    radius = np.sqrt(u * u + v * v)
    height, width = radius.shape
    light = rng.uniform(0, 2 * np.pi)
    level = base + rng.uniform(0, 30) * (u * np.cos(light) + v * np.sin(light))
    cells = int(rng.integers(4, 10))
    emboss = cv2.resize(
        rng.standard_normal((cells, cells)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    if rng.random() < 0.6:
        head = rng.uniform(-0.2, 0.2, 2)
        inside = ((u - head[0]) / rng.uniform(0.3, 0.6)) ** 2 + ((v - head[1]) / rng.uniform(0.35, 0.65)) ** 2
        emboss = emboss * 0.6 + 2.0 * np.exp(-(inside**2))
    emboss = emboss.astype(np.float32)
    edges = cv2.Sobel(emboss, cv2.CV_32F, 1, 0) * np.cos(light) + cv2.Sobel(emboss, cv2.CV_32F, 0, 1) * np.sin(light)
    level = level + edges / (edges.std() + 1e-4) * rng.uniform(4, 28) * (radius < rng.uniform(0.78, 0.95))
    if rng.random() < 0.6:
        level = level + rng.uniform(-45, 40) * np.exp(-(((radius - rng.uniform(0.86, 0.96)) / 0.06) ** 2))
    if rng.random() < 0.4:
        level = level - rng.uniform(10, 50) * np.clip((radius - 0.85) / 0.15, 0, 1)
    return np.clip(level + rng.standard_normal((height, width)) * rng.uniform(0, 8), 0, 255)


def _shape_plans(rng: np.random.Generator, most: int) -> list[_Plan]:
    """A few kinds and colours, recombined: neighbours that share one and differ in the other are the hard cases."""
    count = int(rng.integers(1, most))
    kinds = rng.choice(SHAPES, int(rng.integers(1, 5)), replace=False)
    colors = rng.choice(COLORS, int(rng.integers(1, 5)), replace=False)
    if rng.random() < 0.25:
        kinds, colors = np.array(SHAPES), np.array(COLORS)
    largest = rng.uniform(18, 46) if count > 4 else rng.uniform(24, 60)
    return [_Plan(str(rng.choice(kinds)), str(rng.choice(colors)), _MIN_RADIUS, largest) for _ in range(count)]


def _coin_plans(rng: np.random.Generator, *, alone: bool) -> list[_Plan]:
    if not alone or rng.random() > 0.6:
        largest = rng.uniform(16, 50)
        return [_Plan(COIN, NO_COLOR, 10, largest) for _ in range(int(rng.integers(1, 14 if alone else 6)))]
    rows, cols = int(rng.integers(2, 6)), int(rng.integers(2, 8))
    reach = 0.5 * SIDE / max(rows, cols)
    plans = []
    for row in range(rows):
        for col in range(cols):
            if rng.random() < 0.92:
                x = (col + 0.5 + rng.normal() * 0.08) * SIDE / cols
                y = (row + 0.5 + rng.normal() * 0.08) * SIDE / rows
                plans.append(_Plan(COIN, NO_COLOR, reach * 0.55, reach * 0.98, (x, y)))
    return plans[:30]


class _Canvas:
    """A picture in the making, and the objects on it."""

    def __init__(self, rng: np.random.Generator, picture: np.ndarray, *, gray: bool, coin_contrast: float) -> None:
        self.coin_contrast = coin_contrast
        self.rng = rng
        self.picture = picture
        self.gray = gray
        self.crowded = rng.random() < 0.2
        self.flat = rng.random() < 0.35
        self.circles: list[tuple[float, float, float]] = []
        self.drawn: list[tuple[str, str, np.ndarray, int]] = []
        self.coin_squeeze = math.exp(rng.uniform(-0.18, 0.18))
        self.coin_level = rng.uniform(110, 210)
        tints = ((1, 1, 1), (1.05, 0.9, 0.7), (1.1, 0.9, 0.55), (1.0, 0.75, 0.55))
        self.coin_tint = np.array((1, 1, 1) if gray else tints[int(rng.integers(4))], np.float32)

    def find_place(self, plan: _Plan) -> tuple[float, float, float] | None:
        apart = 0.75 if self.crowded else 1.08
        for _ in range(25 if plan.place is None else 1):
            radius = self.rng.uniform(plan.smallest, max(plan.smallest + 1, plan.largest))
            x, y = plan.place or self.rng.uniform(radius * 0.9, SIDE - radius * 0.9, 2)
            if all((x - a) ** 2 + (y - b) ** 2 >= ((radius + r) * apart) ** 2 for a, b, r in self.circles):
                self.circles.append((x, y, radius))
                return x, y, radius
        return None

    def draw(self, plan: _Plan) -> None:
        place = self.find_place(plan)
        if place is None:
            return
        x, y, radius = place
        stretch, turn = self.pose(plan.kind)
        axes = (radius * stretch, radius / stretch)
        mask = silhouette(self.rng, plan.kind, (x, y), axes, turn)
        reach = int(radius * 1.6) + 4
        window = (
            slice(max(0, int(y) - reach), min(SIDE, int(y) + reach)),
            slice(max(0, int(x) - reach), min(SIDE, int(x) + reach)),
        )
        behind = self.picture[window]
        under = self.picture[int(np.clip(y, 0, SIDE - 1)), int(np.clip(x, 0, SIDE - 1))]
        if plan.kind == COIN:
            paint = self.coin_paint(window, (x, y), axes, under)
            behind = self.shadowed(behind, mask[window])
        else:
            shade = self.contrasting(plan.color, under)
            if shade is None:
                return
            paint = self.textured(shade, window, place)
        cover = (mask[window].astype(np.float32) / 255)[..., None]
        self.picture[window] = behind * (1 - cover) + paint * cover
        for _, _, earlier, _ in self.drawn:
            earlier[window] = (earlier[window] * (1 - cover[..., 0])).astype(np.uint8)
        self.drawn.append((plan.kind, plan.color, mask, int((mask > 127).sum())))

    def pose(self, kind: str) -> tuple[float, float]:
        rng = self.rng
        if kind == "ellipse":
            return math.sqrt(rng.uniform(1.55, 2.2)), rng.uniform(0, math.pi)
        if kind == COIN:
            return self.coin_squeeze, 0.0
        if kind in {"circle", "ring"}:
            return math.exp(rng.uniform(-0.05, 0.05)), 0.0
        turn = rng.uniform(-0.35, 0.35) if rng.random() < 0.7 else rng.uniform(0, 2 * math.pi)
        return math.exp(rng.uniform(-0.08, 0.08)), turn

    def contrasting(self, color: str, under: np.ndarray) -> np.ndarray | None:
        for _ in range(8):
            shade = shade_of(self.rng, color)
            if np.abs(under - shade).sum() > 110:
                return shade.astype(np.float32)
        return None

    def textured(self, shade: np.ndarray, window: tuple[slice, slice], place: tuple[float, float, float]) -> np.ndarray:
        style = 1.0 if self.flat else self.rng.random()
        if style < 0.35:
            x, y, radius = place
            angle = self.rng.uniform(0, 2 * np.pi)
            across = (_COLS[window] - x / SIDE + 0.5) * np.cos(angle) + (_ROWS[window] - y / SIDE + 0.5) * np.sin(angle)
            return shade * (1 + (across * SIDE / radius * self.rng.uniform(0.03, 0.1))[..., None])
        if style < 0.55:
            grain = self.rng.standard_normal(_COLS[window].shape, dtype=np.float32)
            return shade + (grain * self.rng.uniform(2, 10))[..., None]
        return shade

    def coin_paint(
        self, window: tuple[slice, slice], center: tuple[float, float], axes: tuple[float, float], under: np.ndarray
    ) -> np.ndarray:
        for _ in range(4):
            base = float(np.clip(self.coin_level + self.rng.uniform(-35, 35), 85, 225))
            if abs(base - under.mean()) > self.coin_contrast:
                break
            self.coin_level = self.rng.uniform(110, 215)
        return relief(self.rng, window, center, axes, base)[..., None] * self.coin_tint

    def shadowed(self, behind: np.ndarray, mask: np.ndarray) -> np.ndarray:
        if self.rng.random() > 0.3:
            return behind
        shadow = cv2.GaussianBlur(np.roll(mask, (2, 2), (0, 1)), (0, 0), 2.0).astype(np.float32) / 255
        return behind * (1 - (shadow * self.rng.uniform(0.1, 0.4))[..., None])

    def finished(self) -> np.ndarray:
        rng, picture = self.rng, self.picture
        if self.gray:
            picture = np.repeat(picture.mean(2, keepdims=True), 3, axis=2)
        if rng.random() < 0.2:
            picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.0))
        if rng.random() < 0.4:
            picture = (picture - 128) * rng.uniform(0.88, 1.08) + 128 + rng.uniform(-10, 10)
        if rng.random() < 0.4:
            grain = rng.standard_normal((SIDE, SIDE, 1 if self.gray else 3), dtype=np.float32)
            picture = picture + grain * rng.uniform(1, 6)
        return np.clip(picture, 0, 255).astype(np.uint8)


def _visible(kind: str, color: str, mask: np.ndarray, whole: int) -> Thing | None:
    solid = mask > 127
    area = int(solid.sum())
    if area < _MIN_AREA or area < _VISIBLE_SHARE * whole:
        return None
    ys, xs = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    left, right, top, bottom = xs[0], xs[-1] + 1, ys[0], ys[-1] + 1
    box = np.array([(left + right) / 2, (top + bottom) / 2, right - left, bottom - top], np.float32) / SIDE
    return Thing(kind, color, mask, box)


def draw_scene(rng: np.random.Generator, *, many_coins: bool = False) -> Scene:
    """Draws one scene: shapes, coins, or both mixed (70, 18 and 12 %).

    Args:
        rng: Where all chance comes from.
        many_coins: Draw coins more often (50, 38 and 12 %), and at times almost as dark as the ground.

    Returns:
        The picture, and the objects of which at least half can be seen.
    """
    theme = rng.choice(("shapes", "coins", "mixed"), p=(0.50, 0.38, 0.12) if many_coins else (0.70, 0.18, 0.12))
    gray = theme == "coins" and rng.random() < 0.6
    picture = background(rng, gray=gray)
    if theme == "coins" and rng.random() < 0.6:
        picture = dark_table(rng)
    plans: list[_Plan] = []
    if theme != "coins":
        plans += _shape_plans(rng, 13 if theme == "shapes" else 7)
    if theme != "shapes":
        plans += _coin_plans(rng, alone=theme == "coins")
    canvas = _Canvas(rng, picture, gray=gray, coin_contrast=12 if many_coins else 28)
    for plan in plans:
        canvas.draw(plan)
    things = (_visible(*drawn) for drawn in canvas.drawn)
    return Scene(canvas.finished(), tuple(thing for thing in things if thing is not None))
