"""Operators in the form that ONNX Runtime has them."""
