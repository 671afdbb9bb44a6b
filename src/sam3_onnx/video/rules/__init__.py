"""The rules that turn the detections of each frame into tracks, without any model."""
