"""Measures a model on every provider that a machine offers: `python -m tools.gpu_check --model FOLDER -o report.md`.

Nothing is installed and nothing is downloaded. For each provider and precision the report says how long opening and the
first call take, how long encoding a picture, a word and a click take in comparison with CPU (in turn, in one process),
how much of a picture stays in the memory of the card and what a word takes where it does not, how far the answers are
from those of CPU in float32, and whether "auto" would take the provider. TensorRT is opened a second time with the
engines that it has built, and `--half` names a model in half precision to measure beside the other. What cannot be
opened is there with its reason. Attach the report to an issue: it is how figures of other machines come into the
documentation.
"""

from __future__ import annotations

import argparse
import copy
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.machine import describe, load
from benchmarks.pairing import Spread, in_turn, ratios_to
from sam3_onnx import Sam3Session
from sam3_onnx.errors import OptionError, Sam3Error
from sam3_onnx.geometry import mask_iou
from sam3_onnx.images import load_image
from sam3_onnx.models.runtime.providers.names import spelt_out
from sam3_onnx.models.runtime.providers.proof import prove
from sam3_onnx.models.runtime.settings import RuntimeSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from sam3_onnx import Segmentation

ROOT = Path(__file__).parent.parent
PHOTOGRAPH = ROOT / "src" / "sam3_onnx" / "data" / "coins.png"
PROVIDERS = ("cuda", "tensorrt", "migraphx", "rocm", "directml", "coreml", "openvino")
PRECISIONS = ("auto", "float32", "float16", "bfloat16")
STEPS = ("encode", "word", "word, from host", "click")
_BUILDS = "tensorrt"
"""Builds engines at its first run, and is quicker where they are kept."""
_FIXED: dict[str, Any] = {"cache_bytes": 0}
"""Options of every session: what is measured is not to come from a cache."""


@dataclass
class Way:
    """One provider in one precision."""

    name: str
    session: Sam3Session | None = None
    refusal: str = ""
    opening: float = 0.0
    first: float = 0.0
    ratios: dict[str, Spread] = field(default_factory=dict)
    agreement: str = ""
    stays: int = 0
    """Bytes of a picture that stay in the memory of a card."""
    proof: str = ""
    """What the proof of "auto" says of it."""


def main(arguments: list[str] | None = None) -> int:
    """Writes the report; returns 0, or 1 if CPU itself cannot be measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="miniature", help="a folder of .onnx files (default: %(default)s)")
    parser.add_argument("--half", help="the same in half precision, as `sam3-onnx optimize --precision fp16` makes it")
    parser.add_argument("--picture", type=Path, default=PHOTOGRAPH, help="a picture (default: coins)")
    parser.add_argument("--text", default="coin", help="a word that the picture shows (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each (default: %(default)s)")
    parser.add_argument("--providers", nargs="*", default=PROVIDERS, help="which to try (default: all)")
    parser.add_argument("-o", "--out", type=Path, help="the report (default: standard output)")
    options = parser.parse_args(arguments)
    try:
        image = load_image(options.picture)
        base = opened(options.model, "cpu", "float32")
        if base.session is None:
            print(f"CPU: {base.refusal}", file=sys.stderr)
            return 1
        began = time.perf_counter()
        expected = base.session.predict(image, options.text)
        base.first, base.agreement = time.perf_counter() - began, f"{len(expected)} instances: the baseline"
        ways = [base]
        with tempfile.TemporaryDirectory() as engines:
            for way in tried(options.model, options.half, options.providers, engines):
                print(f"{way.name}: {way.refusal or 'opened'}", file=sys.stderr)
                measure(way, base, image, options.text, expected, rounds=options.rounds)
                ways.append(way)
    except Sam3Error as error:
        print(f"gpu_check: {error}", file=sys.stderr)
        return 1
    report = "\n".join(lines(ways, base.session, options))
    if options.out is None:
        print(report)
    else:
        options.out.write_text(report + "\n", encoding="utf-8")
    return 0


def tried(model: str, half: str | None, providers: Iterable[str], engines: str) -> Iterator[Way]:
    """Yields every provider in every precision that it offers, opened or refused; one that is not there, once.

    Args:
        model: A folder, or a name.
        half: The same in half precision, if there is one.
        providers: Short names.
        engines: A folder for TensorRT's engines.
    """
    for provider in providers:
        for precision in PRECISIONS:
            try:
                way = opened(model, provider, precision, engines=engines)
            except OptionError:  # a precision that this provider has no choice of
                continue
            way.proof = proof_of(provider, precision) if way.session else ""
            yield way
            if way.session is None and precision == PRECISIONS[0]:
                break
            if provider == _BUILDS:
                yield opened(model, provider, precision, engines=engines, note=", engines kept")
        else:
            if half is not None:
                yield opened(half, provider, PRECISIONS[0], engines=engines, note=", model in half precision")


def proof_of(provider: str, precision: str) -> str:
    """Returns what the proof of "auto" says of a provider in a precision."""
    (wanted,) = spelt_out(provider)
    proof = prove(wanted, RuntimeSettings(provider, precision=precision))  # type: ignore[arg-type] # one of PRECISIONS
    return proof.failure or f"passed, off by {proof.changes.largest:.2g}"


def opened(model: str, provider: str, precision: str, *, engines: str | None = None, note: str = "") -> Way:
    """Opens a model.

    Args:
        model: A folder, or a name.
        provider: A short name.
        precision: A word.
        engines: A folder for TensorRT's engines.
        note: What else there is to say of this way.

    Raises:
        OptionError: The provider has no such precision.
    """
    way = Way(f"{provider}, {precision}{note}")
    began = time.perf_counter()
    options = {"provider": provider, "precision": precision, "engine_folder": engines, **_FIXED}
    try:
        is_folder = Path(model).is_dir()
        way.session = (Sam3Session.from_folder if is_folder else Sam3Session.from_pretrained)(model, **options)
    except OptionError:
        raise
    except Sam3Error as error:
        way.refusal = str(error).splitlines()[0]
    way.opening = time.perf_counter() - began
    return way


def measure(way: Way, base: Way, image: NDArray[np.uint8], text: str, expected: Segmentation, *, rounds: int) -> None:
    """Fills in what one way takes in comparison with CPU, and how far its answers are from CPU's."""
    if way.session is None or base.session is None:
        return
    try:
        began = time.perf_counter()
        found = way.session.predict(image, text)
        way.first = time.perf_counter() - began
        way.agreement = agreement(found, expected)
        way.stays = way.session.encode(image).features.device_bytes
        mine, theirs = steps(way.session, image, text), steps(base.session, image, text)
        for step, run in mine.items():
            seconds = in_turn({"cpu": theirs[step], "here": run}, rounds=rounds)
            way.ratios[step] = ratios_to("cpu", seconds)["here"]
    except Sam3Error as error:
        way.refusal = f"while it ran: {str(error).splitlines()[0]}"
    finally:
        way.session.close()


def steps(session: Sam3Session, image: NDArray[np.uint8], text: str) -> dict[str, Callable[[], object]]:
    """Returns what is measured, by name."""
    embedding = session.encode(image)
    on_host = copy.deepcopy(embedding)
    height, width = image.shape[:2]
    found: dict[str, Callable[[], object]] = {
        "encode": lambda: session.encode(image),
        "word": lambda: session.predict(embedding, text),
        "word, from host": lambda: session.predict(on_host, text),
    }
    if session.capabilities.points:
        clicked = session.encode(image, purpose="clicks")
        found["click"] = lambda: session.predict_object(clicked, points=[(width / 2, height / 2)])
    return found


def agreement(found: Segmentation, expected: Segmentation) -> str:
    """Returns how far an answer is from the one expected, in words."""
    if len(found) != len(expected):
        return f"{len(found)} instances instead of {len(expected)}"
    if not len(found):
        return "nothing found by either"
    scores = float(np.abs(np.sort(found.scores) - np.sort(expected.scores)).max())
    overlap = min(max(mask_iou(one.mask, other.mask) for other in found) for one in expected)
    return f"{len(found)} instances, scores within {scores:.4f}, mask IoU at least {overlap:.3f}"


def lines(ways: Iterable[Way], base: Sam3Session, options: argparse.Namespace) -> Iterator[str]:
    """Yields the report, line by line, in Markdown."""
    machine = describe()
    yield f"# {options.model} on {machine['processor']}"
    yield ""
    for name, value in machine.items():
        yield f"- {name}: {value}"
    yield f"- load when the report was written: {load()}"
    for card in cards():
        yield f"- card: {card}"
    yield f"- model: {base!r}, word: {options.text!r}, {options.rounds} rounds"
    yield ""
    yield "Ratios are seconds here by seconds on CPU in float32: the median, and the 10th to 90th percentile."
    yield "What stays is memory of the card that one picture occupies between two questions; a word from the host has"
    yield "the picture copied to the card first."
    yield ""
    columns = ["provider, precision", "opening, s", "first call, s", *STEPS, "stays, MB", "proof", "answers"]
    yield f"| {' | '.join(columns)} |"
    yield "|---" * len(columns) + "|"
    for way in ways:
        if way.refusal:
            yield f"| {way.name} {'| ' * (len(columns) - 2)}| {way.refusal} |"
            continue
        cells = [ratio(way.ratios.get(step)) for step in STEPS]
        stays = f"{way.stays / 1e6:.1f}"
        figures = [f"{way.opening:.1f}", f"{way.first:.2f}", *cells, stays, way.proof, way.agreement]
        yield f"| {way.name} | {' | '.join(figures)} |"


def ratio(spread: Spread | None) -> str:
    """Returns a ratio with its spread; "" for what was not measured."""
    return "" if spread is None else f"{spread.median:.3f} ({spread.p10:.3f}-{spread.p90:.3f})"


def cards() -> list[str]:
    """Returns the names, drivers and memory of NVIDIA's cards, as `nvidia-smi` says them; nothing without it."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    asked = [program, "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603 - no input of others
    return answer.stdout.strip().splitlines()


if __name__ == "__main__":
    raise SystemExit(main())
