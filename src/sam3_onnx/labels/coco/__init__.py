"""COCO files: one for the labels of many pictures."""
