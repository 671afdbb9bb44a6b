"""Prompts (words, boxes, marks and clicks): checks of what callers pass, and conversion to the inputs of models."""

from sam3_onnx.prompts.boxes import Box, BoxesLike, BoxLike, box_labels, normalised_cxcywh, parse_box, parse_boxes
from sam3_onnx.prompts.clicks import ObjectPrompt, PointsLike
from sam3_onnx.prompts.marks import MarksLike, parse_marks
from sam3_onnx.prompts.words import VISUAL, Concept, TextLike, parse_text

__all__ = [
    "VISUAL",
    "Box",
    "BoxLike",
    "BoxesLike",
    "Concept",
    "MarksLike",
    "ObjectPrompt",
    "PointsLike",
    "TextLike",
    "box_labels",
    "normalised_cxcywh",
    "parse_box",
    "parse_boxes",
    "parse_marks",
    "parse_text",
]
