"""A model held against labelled pictures: how good is it on them, and which threshold suits which word."""

from sam3_onnx.evaluate.curves import Finds, Measures
from sam3_onnx.evaluate.report import Disagreement, Evaluation, WordEvaluation
from sam3_onnx.evaluate.run import evaluate_folder

__all__ = ["Disagreement", "Evaluation", "Finds", "Measures", "WordEvaluation", "evaluate_folder"]
