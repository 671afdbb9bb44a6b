"""SAM 3 on your own machine through ONNX Runtime."""
