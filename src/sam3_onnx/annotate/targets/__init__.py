"""Targets for the labels of a folder: one file for each picture, or one COCO file for all."""
