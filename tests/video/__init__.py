"""Tests of `sam3_onnx.video`."""
