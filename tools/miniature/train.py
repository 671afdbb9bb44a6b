"""Trains the miniature: `python tools/miniature/train.py --out runs/miniature`.

First the picture features alone, with helper heads that say what every pixel is
(four times the pictures per second), then the whole model on questions. Two
one-thread processes with averaged gradients use two cores better than one
process with two threads. Stopping and starting again with the same `--out`
goes on from the last saved state; the schedule depends on the step alone, so
that `--steps` may be changed in between: the learning rate stays level and
falls over the last part.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from batches import choose_masked, draw_batch, draw_noise
from losses import Helpers, Parts, question_parts, vision_parts
from model import QUERIES, answer, build, picture_features
from safetensors.torch import save_file
from torch import distributed
from vocabulary import Words

WARM_UP = 300
FALLING = 0.35
LOWEST = 0.02
MOST_GRADIENT = 5.0
STEADY_MALLOC = {
    # glibc gives large buffers back to the system after every step; keeping them is 1.6 times as fast
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "10000000000",
    "MALLOC_TOP_PAD_": "300000000",
    "OMP_NUM_THREADS": "1",
}


def rate(step: int, steps: int) -> float:
    """Share of the full learning rate: up, level, and down over the last FALLING of the steps."""
    left = (steps - step) / (FALLING * steps)
    return min(1.0, (step + 1) / WARM_UP, LOWEST + (1 - LOWEST) * max(0.0, left))


class Trainer:
    """One process's share of the training."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.words = Words()
        self.model = build(self.words.size)
        torch.manual_seed(1)
        self.helpers = Helpers()
        self.parameters = [*self.model.parameters(), *self.helpers.parameters()]
        groups = [
            {"params": [p for p in self.parameters if p.ndim > 1], "weight_decay": 1e-3},
            {"params": [p for p in self.parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=options.rate, betas=(0.9, 0.99), foreach=True)
        self.average = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        self.step = 0
        self.state_file = Path(options.out) / "state.pt"
        if self.state_file.exists():
            self.restore()

    def restore(self) -> None:
        """Goes on where the saved state stopped."""
        state = torch.load(self.state_file, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.helpers.load_state_dict(state["helpers"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.average, self.step = state["average"], state["step"]

    def save(self) -> None:
        """Writes the state, and the averaged weights in float16."""
        state = {
            "model": self.model.state_dict(),
            "helpers": self.helpers.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average,
            "step": self.step,
        }
        partial = self.state_file.with_suffix(".part")
        torch.save(state, partial)
        partial.replace(self.state_file)
        half = {name: value.half() if value.is_floating_point() else value for name, value in self.average.items()}
        save_file(
            {name: value.contiguous() for name, value in half.items()}, self.state_file.with_name("weights.safetensors")
        )

    def losses(self, rng: np.random.Generator) -> Parts:
        """Draws a batch and says what is wrong with the answers."""
        finishing = self.step >= self.options.steps - self.options.coin_steps
        batch = draw_batch(rng, self.options.pictures, self.words, many_coins=finishing)
        features = picture_features(self.model, batch.pictures)
        parts = vision_parts(self.helpers, features, batch)
        if self.step < self.options.vision_steps:
            return parts
        masked = choose_masked(rng, batch, 2)
        noise = draw_noise(rng, batch, QUERIES)
        answers = answer(
            self.model, features, batch.words, batch.boxes, batch.labels, masked, noise.boxes, noise.starts
        )
        return parts | question_parts(self.model, self.helpers, answers, batch, masked, noise)

    def share_gradients(self) -> None:
        """Averages the gradients of all processes."""
        for parameter in self.parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        flat = torch.cat([parameter.grad.flatten() for parameter in self.parameters])
        distributed.all_reduce(flat)
        flat /= distributed.get_world_size()
        for parameter, piece in zip(self.parameters, flat.split([p.numel() for p in self.parameters]), strict=True):
            parameter.grad.copy_(piece.view_as(parameter))

    def learn(self) -> Parts:
        """Takes one step."""
        rng = np.random.default_rng([self.options.seed, self.options.rank, self.step])
        for group in self.optimizer.param_groups:
            group["lr"] = self.options.rate * rate(self.step, self.options.steps)
        parts = self.losses(rng)
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(list(parts.values())).sum().backward()
        self.share_gradients()
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, MOST_GRADIENT)
        if torch.isfinite(norm):
            self.optimizer.step()
        self.step += 1
        keep = min(0.999, self.step / (self.step + 20))
        current = self.model.state_dict()
        names = [name for name, value in self.average.items() if value.is_floating_point()]
        with torch.no_grad():
            torch._foreach_lerp_([self.average[n] for n in names], [current[n] for n in names], 1 - keep)
        return {name: value.detach() for name, value in parts.items()} | {"gradient": norm}

    def run(self) -> None:
        """Takes all steps that are left."""
        speaking = self.options.rank == 0
        log: dict[str, list[float]] = {}
        began = time.time()
        while self.step < self.options.steps:
            for name, value in self.learn().items():
                log.setdefault(name, []).append(float(value))
            if speaking and self.step % 100 == 0:
                figures = " ".join(f"{name} {np.mean(values):.3f}" for name, values in log.items())
                print(f"{self.step} {(time.time() - began) * 10:.0f} ms/step {figures}", flush=True)
                log, began = {}, time.time()
            if speaking and self.step % 250 == 0:
                self.save()
        if speaking:
            self.save()


def main() -> int:
    """Runs the training, or one process of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="folder of the state, the weights and the logs")
    parser.add_argument("--steps", type=int, default=5450, help="steps in all, the vision steps among them")
    parser.add_argument("--vision-steps", type=int, default=1800, help="steps of picture features alone")
    parser.add_argument("--coin-steps", type=int, default=450, help="last steps, on scenes with more and darker coins")
    parser.add_argument("--pictures", type=int, default=6, help="pictures per process and step")
    parser.add_argument("--rate", type=float, default=1e-3, help="learning rate at its height")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--rank", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    if options.rank is None:
        (out / "meeting").unlink(missing_ok=True)
        commands = [[sys.executable, "-u", *sys.argv, "--rank", str(rank)] for rank in range(options.processes)]
        running = []
        for rank, command in enumerate(commands):
            with (out / f"log{rank}.txt").open("a") as log:
                running.append(subprocess.Popen(command, env=os.environ | STEADY_MALLOC, stdout=log, stderr=log))  # noqa: S603
        return max(process.wait() for process in running)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    meeting = f"file://{(out / 'meeting').resolve()}"
    distributed.init_process_group("gloo", init_method=meeting, rank=options.rank, world_size=options.processes)
    Trainer(options).run()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
