"""Which installed distributions are builds of ONNX Runtime, plug-ins for one, or neither?"""

from __future__ import annotations

import importlib.metadata
from types import SimpleNamespace
from typing import TYPE_CHECKING

from sam3_onnx._support.distributions import Distribution, installed_distributions
from sam3_onnx.models.runtime.providers.wheels import conflicting, installed_wheels

if TYPE_CHECKING:
    import pytest

NAMES = (
    *("onnxruntime", "onnxruntime_EP.openvino", "Onnxruntime.GPU", "onnxruntime-extensions", "onnxruntime-genai"),
    *("onnxruntime-tools", "onnx", None),
)


def install(monkeypatch: pytest.MonkeyPatch, *names: str | None) -> None:
    """Makes an environment seem to hold distributions of these names, each of which is found twice."""
    entries = [SimpleNamespace(metadata={"Name": name}, version="1") for name in names]
    monkeypatch.setattr(importlib.metadata, "distributions", lambda: [*entries, *entries])


def test_names_come_in_one_form_each_distribution_once(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "Zope.Interface", "a__b")
    assert installed_distributions() == (Distribution("a-b", "1"), Distribution("zope-interface", "1"))


def test_builds_and_plug_ins_are_told_from_what_is_only_named_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, *NAMES)
    wheels = installed_wheels()
    assert [wheel.name for wheel in wheels] == ["onnxruntime", "onnxruntime-ep-openvino", "onnxruntime-gpu"]
    assert [wheel.name for wheel in conflicting(wheels)] == ["onnxruntime", "onnxruntime-gpu"]
    assert conflicting(installed_distributions()) == conflicting(wheels)


def test_one_build_that_the_path_holds_in_two_versions_does_not_conflict_with_itself() -> None:
    assert conflicting((Distribution("onnxruntime", "1"), Distribution("onnxruntime", "2"))) == ()
