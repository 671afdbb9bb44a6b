"""Trains the miniature's tracker: `python tools/miniature/train_tracker.py --out runs/tracker`.

The backbone stays as it is. First single frames, then clips of three frames, then clips of eight. Stopping and starting
again with the same `--out` goes on from the last saved state; the schedule depends on the step alone, so that `--steps`
may be changed in between. The best weights on validation clips are kept as `best.safetensors`, what they reached as
`best.json`.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from clip_losses import clip_parts
from clips import Plot, draw_clip
from fixed_clips import KINDS, VALIDATION_SEED, fixed_clips, mean_of, measure
from prompting import draw_prompts
from rollout import Prompts, roll_out
from safetensors.torch import save_file
from tracker import Tracker, build_tracker, own_weights
from world import MASK_SIDE

WARM_UP = 150
FALLING = 0.4
LOWEST = 0.02
MOST_GRADIENT = 1.0
SAVE_EVERY = 100
LEAST_SEEN = 12
TEACHING = 0.5
"""Share of the steps whose memories are made with the truth of whether an object is there."""


@dataclass(frozen=True)
class Stage:
    """What a step draws."""

    frames: int
    clips: int
    objects: int
    """At most, over all clips."""


STAGES = (Stage(1, 8, 20), Stage(3, 4, 12), Stage(8, 2, 7))


@dataclass
class Batch:
    """B clips of T frames with K objects to follow."""

    frames: torch.Tensor
    """(B * T, 3, SIDE, SIDE) uint8."""
    owners: torch.Tensor
    """(K,) the clip of each object."""
    prompts: Prompts
    masks: torch.Tensor
    """(K, T, MASK_SIDE, MASK_SIDE) float, coverage in 0..1."""
    there: torch.Tensor
    """(K, T) bool."""


def draw_plot(rng: np.random.Generator, frames: int) -> Plot:
    """What happens in a training clip."""
    things = int(rng.integers(2, 6)) if frames > 1 else int(rng.integers(1, 5))
    meets = frames > 1 and things > 1 and rng.random() < 0.45
    hides = frames > 3 and rng.random() < 0.4
    hidden = int(rng.integers(1, frames - 1)) if hides else 0
    return Plot(frames, things, int(meets), twins=bool(rng.random() < 0.4), hidden=hidden)


def draw_batch(rng: np.random.Generator, stage: Stage) -> Batch:
    """Draws clips until there are enough of them with something to point at."""
    clips, owners, things = [], [], []
    while len(clips) < stage.clips:
        clip = draw_clip(rng, draw_plot(rng, stage.frames))
        shown = list(rng.permutation(clip.shown))[: stage.objects // stage.clips + 1]
        if shown:
            owners += [len(clips)] * len(shown)
            things += shown
            clips.append(clip)
    chosen = sorted(rng.permutation(len(things))[: stage.objects])
    rows = [(clips[owners[index]], things[index]) for index in chosen]
    masks = np.array([[_small(mask) for mask in clip.masks[thing]] for clip, thing in rows])
    return Batch(
        torch.from_numpy(np.concatenate([clip.frames for clip in clips])),
        torch.tensor([owners[index] for index in chosen]),
        draw_prompts(rng, [clip.masks[thing, 0] for clip, thing in rows]),
        torch.from_numpy(masks).float() / 255,
        torch.from_numpy(np.array([clip.areas[thing] for clip, thing in rows]) >= LEAST_SEEN),
    )


def _small(mask: np.ndarray) -> np.ndarray:
    return cv2.resize(mask, (MASK_SIDE, MASK_SIDE), interpolation=cv2.INTER_AREA)


def rate(step: int, steps: int) -> float:
    """Share of the full learning rate: up, level, and down over the last FALLING of the steps."""
    left = (steps - step) / (FALLING * steps)
    return min(1.0, (step + 1) / WARM_UP, LOWEST + (1 - LOWEST) * max(0.0, left))


class Trainer:
    """The training, from where it stopped."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.step, self.best = options, 0, 0.0
        self.clips = {kind: list(fixed_clips(kind, options.clips, VALIDATION_SEED)) for kind in KINDS}
        self.model = build_tracker()
        self.tracker = Tracker(self.model)
        self.parameters = [each for each in self.model.parameters() if each.requires_grad]
        groups = [
            {"params": [each for each in self.parameters if each.ndim > 1], "weight_decay": 1e-3},
            {"params": [each for each in self.parameters if each.ndim <= 1], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=options.rate, betas=(0.9, 0.98), foreach=True)
        self.average = {name: value.detach().clone() for name, value in own_weights(self.model).items()}
        self.state_file = Path(options.out) / "state.pt"
        if self.state_file.exists():
            self.restore()

    def restore(self) -> None:
        """Goes on where the saved state stopped."""
        state = torch.load(self.state_file, weights_only=True)
        self.model.load_state_dict(state["model"], strict=False)
        self.optimizer.load_state_dict(state["optimizer"])
        self.average, self.step, self.best = state["average"], state["step"], state["best"]

    def save(self) -> None:
        """Writes the state."""
        state = {
            "model": own_weights(self.model),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average,
            "step": self.step,
            "best": self.best,
        }
        partial = self.state_file.with_suffix(".part")
        torch.save(state, partial)
        partial.replace(self.state_file)

    def stage(self) -> Stage:
        """What this step draws."""
        begun = sum(self.step >= self.options.steps * share for share in (self.options.still, self.options.short))
        return STAGES[begun]

    def learn(self) -> dict[str, torch.Tensor]:
        """Takes one step."""
        rng = np.random.default_rng([self.options.seed, 0, self.step])
        for group in self.optimizer.param_groups:
            group["lr"] = self.options.rate * rate(self.step, self.options.steps)
        stage = self.stage()
        batch = draw_batch(rng, stage)
        truth = batch.there if rng.random() < TEACHING else None
        features = self.tracker.features(batch.frames)
        steps = roll_out(self.tracker, features, batch.owners, batch.prompts, stage.frames, truth=truth)
        parts = clip_parts(steps, batch.masks, batch.there)
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(list(parts.values())).sum().backward()
        norm = torch.nn.utils.clip_grad_norm_(
            [each for each in self.parameters if each.grad is not None], MOST_GRADIENT
        )
        if torch.isfinite(norm):
            self.optimizer.step()
        self.step += 1
        self._follow()
        return {name: value.detach() for name, value in parts.items()} | {"gradient": norm}

    def _follow(self) -> None:
        """Lets the average of the weights follow them."""
        keep = min(0.998, self.step / (self.step + 20))
        current = own_weights(self.model)
        names = [name for name, value in self.average.items() if value.is_floating_point()]
        with torch.no_grad():
            torch._foreach_lerp_([self.average[n] for n in names], [current[n] for n in names], 1 - keep)

    def validate(self) -> None:
        """Measures the averaged weights on validation clips, and keeps them if they are the best so far."""
        mine = {name: value.clone() for name, value in own_weights(self.model).items()}
        self.model.load_state_dict(self.average, strict=False)
        self.model.eval()
        table = measure(self.tracker, self.clips)
        self.model.load_state_dict(mine, strict=False)
        self.model.train()
        overlap, presence = mean_of(table, "J"), mean_of(table, "presence right")
        rows = "; ".join(f"{kind} {row['J']:.3f} {row['presence right']:.3f}" for kind, row in table.items())
        print(f"{self.step} validation: J {overlap:.3f}, presence {presence:.3f} ({rows})", flush=True)
        if overlap + presence > self.best:
            self.best = overlap + presence
            half = {name: value.half() if value.is_floating_point() else value for name, value in self.average.items()}
            save_file({n: v.contiguous() for n, v in half.items()}, self.state_file.with_name("best.safetensors"))
            about = {"step": self.step, "of": self.options.steps, "validation": table}
            self.state_file.with_name("best.json").write_text(json.dumps(about, indent=2) + "\n")

    def run(self) -> None:
        """Takes all steps that are left."""
        self.model.train()
        log: dict[str, list[float]] = {}
        began = time.time()
        while self.step < self.options.steps:
            for name, value in self.learn().items():
                log.setdefault(name, []).append(float(value))
            if self.step % SAVE_EVERY == 0:
                figures = " ".join(f"{name} {np.mean(values):.3f}" for name, values in log.items())
                print(f"{self.step} {(time.time() - began) / SAVE_EVERY * 1000:.0f} ms/step {figures}", flush=True)
                log, began = {}, time.time()
                self.save()
            if self.step % self.options.validate_every == 0:
                self.validate()
                began = time.time()
        self.validate()
        self.save()


def main() -> None:
    """Trains on one thread."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, type=Path, help="folder of the state and the best weights")
    parser.add_argument("--steps", type=int, default=3600, help="steps in all")
    parser.add_argument("--still", type=float, default=0.2, help="share of the steps on single frames")
    parser.add_argument("--short", type=float, default=0.45, help="share of the steps before clips of eight frames")
    parser.add_argument("--rate", type=float, default=1e-3, help="learning rate at its height")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--clips", type=int, default=3, help="validation clips of each kind")
    parser.add_argument("--validate-every", type=int, default=300, help="steps between validations")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    Trainer(options).run()


if __name__ == "__main__":
    main()
