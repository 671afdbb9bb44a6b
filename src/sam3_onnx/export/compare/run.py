"""Asks a bundle and a transformers model the same of some pictures."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx._support.distributions import installed_distributions
from sam3_onnx._support.version import __version__
from sam3_onnx.export.compare.report import Answer, CompareReport
from sam3_onnx.export.compare.transformers_model import TransformersModel
from sam3_onnx.geometry.window import Window, window_iou
from sam3_onnx.images.loading import load_image
from sam3_onnx.prompts.words import parse_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import torch
    from numpy.typing import NDArray
    from torch import nn

    from sam3_onnx.export.compare.transformers_model import Found
    from sam3_onnx.prompts.words import TextLike
    from sam3_onnx.results.segmentation import Segmentation
    from sam3_onnx.session.session import Sam3Session

__all__ = ["compare_pictures"]

_SAME = 0.5
"""IoU of masks from which two instances are taken for the same."""
_PACKAGES = ("onnxruntime", "numpy", "torch", "transformers")


def compare_pictures(
    model: nn.Module,
    session: Sam3Session,
    pictures: Iterable[Path],
    text: TextLike,
    *,
    conf_threshold: float = 0.5,
    token_remap: torch.Tensor | None = None,
    progress: Callable[[Path], None] | None = None,
) -> CompareReport:
    """Compares a bundle with the model that it was made from, picture by picture and word by word.

    Masks are compared as the models make them: neither cut to their boxes nor suppressed.

    Args:
        model: `Sam3Model` of transformers, as `sam3_onnx.export` loads it.
        session: The bundle, opened.
        pictures: Files that `load_image` reads.
        text: Words, as `predict` takes them.
        conf_threshold: Instances with a score above it are compared, in 0..1.
        token_remap: For a model with a smaller table of tokens, its id of each of CLIP's.
        progress: Called with each picture that is done.

    Raises:
        PictureError: A picture cannot be read.
        PromptError: A word cannot be used.
    """
    reference = TransformersModel(model, token_remap=token_remap)
    concepts = parse_text(text)
    answers: list[Answer] = []
    for picture in pictures:
        image = load_image(picture)
        size = image.shape[0], image.shape[1]
        vision, embedding = reference.encode(image), session.encode(image)
        for concept in concepts:
            theirs = reference.ask(vision, concept.prompt, size=size, threshold=conf_threshold)
            ours = session.predict(
                embedding, [concept.prompt], conf_threshold=conf_threshold, cut_to_box=False, nms=False
            )
            answers.append(_compared(picture.name, concept.prompt, ours, theirs))
        if progress is not None:
            progress(picture)
    return CompareReport(_about(session), conf_threshold, tuple(answers))


def _compared(picture: str, word: str, ours: Segmentation, theirs: Found) -> Answer:
    windows = [Window.of(mask) for mask in theirs.masks]
    overlaps = np.array([[window_iou(mine.source.window, one) for one in windows] for mine in ours])
    overlaps = overlaps.reshape(len(ours), len(windows))
    apart = np.abs(ours.scores[:, None] - theirs.scores[None])
    edges = np.abs(ours.boxes[:, None] - theirs.boxes[None]).max(axis=2, initial=0)
    pairs = _pairs(overlaps, apart + edges / max(ours.size))
    alone = [float(score) for mine, score in enumerate(ours.scores) if mine not in {mine for mine, _ in pairs}]
    alone += [float(score) for one, score in enumerate(theirs.scores) if one not in {one for _, one in pairs}]
    return Answer(
        picture=picture,
        word=word,
        reference=len(windows),
        bundle=len(ours),
        paired=len(pairs),
        score=max((float(apart[pair]) for pair in pairs), default=0.0),
        box=max((float(edges[pair]) for pair in pairs), default=0.0),
        mask_iou=min((float(overlaps[pair]) for pair in pairs), default=1.0),
        alone=max(alone, default=0.0),
    )


def _pairs(overlaps: NDArray[np.float64], apart: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Returns which instance is which: of the most alike pair first, of masks with an IoU of at least 0.5.

    Args:
        overlaps: (M, N) IoU of masks.
        apart: (M, N) how far scores and boxes differ. Masks alone cannot tell two instances in the same place apart.
    """
    alike = np.where(overlaps >= _SAME, overlaps - apart, -np.inf)
    pairs: list[tuple[int, int]] = []
    while alike.size and np.isfinite(alike).any():
        mine, one = (int(place) for place in np.unravel_index(np.argmax(alike), alike.shape))
        pairs.append((mine, one))
        alike[mine], alike[:, one] = -np.inf, -np.inf
    return pairs


def _about(session: Sam3Session) -> dict[str, str]:
    versions = {found.name: found.version for found in installed_distributions() if found.name in _PACKAGES}
    return {
        "sam3-onnx": __version__,
        **{name: versions[name] for name in _PACKAGES if name in versions},
        "model": repr(session),
        "providers": ", ".join(f"{graph} {provider}" for graph, provider in session.providers.items()),
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
    }
