"""`python -m sam3_onnx`: the command line, for where `sam3-onnx` is not on the path."""

from __future__ import annotations

from sam3_onnx.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
