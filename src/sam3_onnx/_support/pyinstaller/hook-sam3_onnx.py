"""What PyInstaller cannot see in the imports of sam3_onnx: data, modules that are imported by name, the version."""

from __future__ import annotations

from PyInstaller.utils.hooks import collect_data_files, collect_submodules, copy_metadata

datas = collect_data_files("sam3_onnx") + copy_metadata("sam3-onnx")
hiddenimports = collect_submodules(
    "sam3_onnx",
    filter=lambda name: not name.startswith(("sam3_onnx.export", "sam3_onnx.optimize")),
)
