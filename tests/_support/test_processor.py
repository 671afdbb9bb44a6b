"""What the system tells of a processor is read as it is, and nothing is made up where it tells nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from sam3_onnx._support import processor
from sam3_onnx._support.processor import has_matrix_units, instructions_of, processor_name

INTEL = "vendor_id\t: GenuineIntel\nmodel name\t: Xeon\nflags\t\t: fpu amx_bf16 amx_int8\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (INTEL, True),
        (INTEL.replace("GenuineIntel", "AuthenticAMD"), False),
        (INTEL.replace("amx_bf16 ", ""), False),
        (INTEL.replace("amx_bf16", "xamx_bf16"), False),
        ("", False),
    ],
)
def test_matrix_units_are_those_of_intel_in_bfloat16(
    text: str,
    expected: bool,  # noqa: FBT001 - a row of the table
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(processor, "_CPUINFO", tmp_path / "cpuinfo")
    assert has_matrix_units() is expected


def test_where_there_is_no_such_file_nothing_is_known_and_there_is_still_a_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processor, "_CPUINFO", Path("/nowhere/cpuinfo"))
    assert not has_matrix_units()
    assert isinstance(processor_name(), str)


def test_flags_of_arm_are_read_too() -> None:
    assert instructions_of("processor\t: 0\nFeatures\t: fp asimd bf16\n") == {"fp", "asimd", "bf16"}
