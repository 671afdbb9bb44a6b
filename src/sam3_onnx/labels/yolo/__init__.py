"""YOLO's label files: one line for each object, with a class number, and a class list."""
