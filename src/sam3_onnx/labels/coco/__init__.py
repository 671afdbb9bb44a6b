"""COCO files, which contain the labels of many pictures in one file."""
