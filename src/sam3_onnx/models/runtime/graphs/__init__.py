"""An ONNX file, read and edited from its bytes without loading its weights."""
