"""The one place that knows ONNX Runtime: graphs, sessions, providers."""
