"""YOLO's label files: a line for each object, and a list of classes beside them."""
