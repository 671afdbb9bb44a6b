"""Everything that a bug report needs, and what is wrong with it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from sam3_onnx._support.folders import CACHE_VARIABLE
from sam3_onnx._support.processor import MATRIX_UNITS
from sam3_onnx._support.units import in_bytes
from sam3_onnx._support.version import __version__
from sam3_onnx.cli.doctor.machine import Machine
from sam3_onnx.cli.doctor.packages import conflicting_opencv, installed_packages
from sam3_onnx.cli.doctor.probes import FailedProbe, Probes
from sam3_onnx.cli.doctor.store import Store, cache_folder_state
from sam3_onnx.cli.doctor.trial import AUTO, Trial, try_provider
from sam3_onnx.models.runtime.providers.names import CPU, OPENVINO, SHORT_NAMES
from sam3_onnx.models.runtime.providers.wheels import QUICKER_WITH_OPENVINO, conflicting, is_plugin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sam3_onnx._support.distributions import Distribution

__all__ = ["DoctorReport", "Problem", "examine", "problems_of", "shown_variables"]

_VARIABLES = (
    *("OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
    *("HF_HUB_OFFLINE", "HF_ENDPOINT", "HF_HOME", "HF_TOKEN"),
)
_OWN_VARIABLES = "SAM3_ONNX_"
_SECRET = re.compile(r"TOKEN|KEY|SECRET|PASSW|AUTH|CREDENTIAL", re.IGNORECASE)
_LOGIN = re.compile(r"(?<=://)[^/@\s]+@")
_NOT_LOCAL = {"AzureExecutionProvider"}
"""Providers that send graphs elsewhere; they run no graph of ours."""
_FULL_MODEL = 3_500_000_000
"""Bytes of the full model in float32, in any of its published forms."""


@dataclass(frozen=True)
class Problem:
    """Something that is wrong, and what to do about it."""

    broken: bool
    """Whether the library cannot be relied on until it is mended; else it is only worth knowing."""
    what: str
    remedy: str


@dataclass(frozen=True)
class DoctorReport:
    """What was found. A part whose probe failed is None or empty, and `failures` says why."""

    version: str
    """Of sam3-onnx."""
    packages: tuple[Distribution, ...]
    machine: Machine
    providers: tuple[str, ...]
    """What ONNX Runtime offers, by its own names."""
    trials: tuple[Trial, ...]
    """One of each provider."""
    auto: Trial | None
    """What a session takes that is left to choose."""
    store: Store | None
    variables: Mapping[str, str]
    """Environment variables that matter, what is secret hidden."""
    failures: tuple[FailedProbe, ...]


def examine(try_one: Callable[[str], Trial] = try_provider) -> DoctorReport:
    """Probes packages, machine, providers, cache folder and environment; takes some seconds.

    No probe's failure stops the others.

    Args:
        try_one: Runs the miniature on a provider.
    """
    probes = Probes()
    # first: OpenCV changes LD_LIBRARY_PATH when it is imported
    variables = probes.ask("environment", partial(shown_variables, os.environ)) or {}
    packages = probes.ask("packages", installed_packages) or ()
    providers = probes.ask("providers", _offered) or ()
    # a plug-in that has no device is not offered, and says why when it is tried
    tried = dict.fromkeys((*(name for name in providers if name not in _NOT_LOCAL), CPU, *_plugged_in(packages)))
    trials = [probes.ask(f"trial of {name}", partial(try_one, name)) for name in tried]
    auto = probes.ask(f"trial of {AUTO}", partial(try_one, AUTO))
    machine = Machine.here(probes)
    store = probes.ask("cache folder", cache_folder_state)
    return DoctorReport(
        version=__version__,
        packages=packages,
        machine=machine,
        providers=providers,
        trials=tuple(trial for trial in trials if trial is not None),
        auto=auto,
        store=store,
        variables=variables,
        failures=tuple(probes.failures),
    )


def _offered() -> tuple[str, ...]:
    from sam3_onnx.models.runtime.providers.choosing import offered  # noqa: PLC0415 - a broken ONNX Runtime is a finding

    return offered()


def _plugged_in(packages: Sequence[Distribution]) -> list[str]:
    short = [package.name.rpartition("-")[2] for package in packages if is_plugin(package.name)]
    return [SHORT_NAMES.get(name, name) for name in short]


def shown_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Those environment variables that change what the library does, by name; secrets and logins are hidden."""
    named = {name.upper(): name for name in environment}
    wanted = [name for name in named if name in _VARIABLES or name.startswith(_OWN_VARIABLES)]
    return {
        named[name]: "(hidden)" if _SECRET.search(name) else _LOGIN.sub("(hidden)@", environment[named[name]])
        for name in sorted(wanted)
    }


def problems_of(report: DoctorReport) -> tuple[Problem, ...]:
    """What is wrong on a machine, what is broken first."""
    found = [
        *_package_problems(report.packages),
        *(() if any(failure.mend for failure in report.failures) else _trial_problems(report.trials)),
        *_auto_problems(report),
        *_machine_problems(report.machine),
        *_store_problems(report.store),
        *map(_failed_probe, report.failures),
    ]
    return tuple(sorted(found, key=lambda problem: not problem.broken))


def _package_problems(packages: Sequence[Distribution]) -> Iterator[Problem]:
    for builds, broken, wanted in (
        # builds of ONNX Runtime hide each other's providers; those of OpenCV agree in what is used here
        (conflicting(packages), True, "the one that you want"),
        (conflicting_opencv(packages), False, "one, such as opencv-python-headless"),
    ):
        if builds:
            names = " ".join(dict.fromkeys(build.name for build in builds))
            yield Problem(
                broken=broken,
                what=f"{', '.join(map(str, builds))} overwrite each other's files",
                remedy=f"Run pip uninstall -y {names}, then install {wanted}.",
            )


def _trial_problems(trials: Sequence[Trial]) -> Iterator[Problem]:
    for trial in trials:
        if trial.error is None and not trial.right:
            yield Problem(
                broken=True,
                what=f"{trial.provider} answers wrongly: {trial.failure}",
                remedy='Use provider="cpu", and report this text.',
            )
        elif trial.error is not None and trial.provider != CPU:
            yield Problem(
                broken=False,
                what=f"{trial.provider} does not run: {trial.error}",
                remedy='Mend what is named if you want it; provider="cpu" works without.',
            )
    on_cpu = [trial for trial in trials if trial.provider == CPU]
    if not on_cpu or on_cpu[0].error is not None:
        yield Problem(
            broken=True,
            what=f"{CPU} does not run: {on_cpu[0].error if on_cpu else 'ONNX Runtime does not offer it'}",
            remedy="Install sam3-onnx into a fresh environment.",
        )


def _auto_problems(report: DoctorReport) -> Iterator[Problem]:
    works = any(trial.right for trial in report.trials)
    if works and report.auto is not None and report.auto.error is not None:
        yield Problem(
            broken=True,
            what=f'provider="{AUTO}" does not run: {report.auto.error}',
            remedy='Use provider="cpu", and report this text.',
        )
    has_openvino = OPENVINO in {*report.providers, *_plugged_in(report.packages)}
    if MATRIX_UNITS in (report.machine.instructions or ()) and not has_openvino:
        what, _, remedy = QUICKER_WITH_OPENVINO.partition(". ")
        yield Problem(broken=False, what=what, remedy=remedy)


def _machine_problems(machine: Machine) -> Iterator[Problem]:
    cores = machine.physical_cores or machine.logical_cores
    allowed = min((limit for limit in (machine.core_limit, machine.usable_cores) if limit), default=None)
    if cores and allowed and allowed < cores:
        yield Problem(
            broken=False,
            what=f"this process may use {allowed:g} of {cores} cores, and ONNX Runtime may start a thread for each",
            remedy=f"Say threads={max(1, int(allowed))} when you open a session.",
        )


def _store_problems(store: Store | None) -> Iterator[Problem]:
    if store is not None and store.free < _FULL_MODEL:
        yield Problem(
            broken=False,
            what=f"{in_bytes(store.free)} are free for models, and a full one has {in_bytes(_FULL_MODEL)}",
            remedy=f"Free some, or let {CACHE_VARIABLE} name a folder on another disk.",
        )


def _failed_probe(failure: FailedProbe) -> Problem:
    return Problem(
        broken=bool(failure.mend),
        what=f"the probe of {failure.probe} failed: {failure.error.removesuffix(failure.mend)}",
        remedy=failure.mend or "Nothing else depends on it. Please report it.",
    )
